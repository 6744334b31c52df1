import unittest

from esi_worker_dns import nameserver
from esi_worker_dns import probe
from esi_worker_dns import testing

from esi_worker import api
from esi_worker.testing import conformance
from esi_worker.testing import context


class DnsAnswerTest(conformance.ProbeConformance, unittest.TestCase):
    def setUp(self):
        self.server = testing.NameServer().start()
        self.addCleanup(self.server.close)
        here = nameserver.NameServer("127.0.0.1", self.server.port, "example.org.", None, 1.0)
        for number in (0, 1):
            here.replace(f"www{number}.example.org.", {"A": frozenset({"192.0.2.1"})}, 60)

    def make_probe(self):
        return probe.DnsAnswer(context.settings(probe.DnsAnswer, "dns_answer", timeout=0.3))

    def make_properties(self, number=0):
        name = f"www{number}.example.org"
        return {
            "type": "dns_answer",
            "host": "127.0.0.1",
            "port": self.server.port,
            "name": name,
            "addresses": ["192.0.2.1"],
        }

    def make_unknown(self):
        return {**self.make_properties(), "name": "no-such-name.example.org"}

    def silence(self):
        return self.server.silent()

    def questions(self):
        # DNS has one question per message: what the targets share is the connection.
        return self.server.connections

    def test_other_addresses_are_stale(self):
        made = self.make_probe()
        target = made.targets("one", {**self.make_properties(), "addresses": ["192.0.2.2"]})
        session = made.connect(target.device)
        self.addCleanup(session.close)
        self.assertEqual(made.read(session, [target]), {api.key(target): "stale"})

    def test_a_server_that_is_gone_is_unreachable(self):
        made = self.make_probe()
        target = made.targets("one", self.make_properties())
        self.server.close()
        with self.assertRaises(api.Unreachable):
            made.connect(target.device)


if __name__ == "__main__":
    unittest.main()
