import unittest

from esi_worker_dns import handler
from esi_worker_dns import testing

from esi_worker import api
from esi_worker.testing import conformance
from esi_worker.testing import context
from tests import documents


class DnsRecordTest(conformance.HandlerConformance, unittest.TestCase):
    def setUp(self):
        self.server = testing.NameServer(key=documents.KEY).start()
        self.addCleanup(self.server.close)

    def make_handler(self):
        return handler.DnsRecord(context.settings(handler.DnsRecord, "dns_record", timeout=0.3))

    def params(self, **members):
        return {
            "name": "www.example.org.",
            "zone": "example.org.",
            "server": "127.0.0.1",
            "port": self.server.port,
            "addresses": ["192.0.2.1", "2001:db8::1"],
            "ttl": 60,
            "key_name": "tests",
            "key_secret": documents.KEY["tests"],
            **members,
        }

    def make_job(self, number=0):
        params = self.params(name=f"www{number}.example.org.")
        return conformance.job("dns_record", api.Ref("dns_name", f"www{number}"), params)

    def make_modified(self, job):
        params = self.params(name="web.example.org.", addresses=["192.0.2.7"])
        return conformance.job("dns_record", job.ref, params, action=api.MODIFY, version=2)

    def observe(self):
        return self.server.records()

    def silence(self):
        return self.server.silent()

    def refusal(self, **members):
        """What apply says of these params."""
        with self.assertRaises(api.PermanentError) as caught:
            self.make_handler().apply(self.make_job(), context.StandInContext(params=self.params(**members)))
        return caught.exception.message

    def test_what_is_there_costs_no_update(self):
        for _ in range(3):
            answer = self.make_handler().apply(self.make_job(), context.StandInContext(params=self.params()))
        self.assertEqual(answer.result["dns_record"]["addresses"], ["192.0.2.1", "2001:db8::1"])
        self.assertEqual(self.server.updates, 1)

    def test_modify_takes_the_old_name_away(self):
        made = self.make_handler().apply(self.make_job(), context.StandInContext(params=self.params()))
        changed = context.StandInContext(params=self.params(name="web.example.org."), record=made.record)
        self.make_handler().apply(self.make_job(), changed)
        self.assertEqual({each.split()[0] for each in self.server.records()}, {"web.example.org."})

    def test_refusals(self):
        self.assertIn("does not take the key", self.refusal(key_secret="d3Jvbmc="))
        self.assertIn("does not take the key", self.refusal(key_name="stranger"))
        self.assertIn("not base64", self.refusal(key_secret="not base64"))
        self.assertIn("go together", self.refusal(key_name=None))
        self.assertIn("REFUSED", self.refusal(key_name=None, key_secret=None))
        self.assertIn("REFUSED", self.refusal(zone="example.com.", name="www.example.com."))
        self.assertIn("'nonsense' is no IP address", self.refusal(addresses=["nonsense"]))
        self.assertIn("addresses must be", self.refusal(addresses=None))
        self.assertIn("port", self.refusal(port="fifty-three"))
        self.assertIn("ttl", self.refusal(ttl=-1))
        self.assertEqual(self.server.records(), {})

    def test_move_to_another_zone_is_refused(self):
        record = {"name": "www.example.com.", "zone": "example.com.", "server": "127.0.0.1"}
        with self.assertRaisesRegex(api.PermanentError, "delete it there"):
            self.make_handler().apply(self.make_job(), context.StandInContext(params=self.params(), record=record))

    def test_lane_is_the_name_server(self):
        self.assertEqual(self.make_handler().lane(self.make_job()), "127.0.0.1")


if __name__ == "__main__":
    unittest.main()
