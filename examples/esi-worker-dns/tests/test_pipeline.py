"""From a document to a record on a name server, in one thread, in milliseconds."""

import unittest

from esi_worker_dns import handler
from esi_worker_dns import probe
from esi_worker_dns import resolver
from esi_worker_dns import resource_types
from esi_worker_dns import testing

from esi_worker.handlers import monitoring_worker
from esi_worker.testing import context
from esi_worker.testing import pipeline
from tests import documents


class PipelineTest(unittest.TestCase):
    def setUp(self):
        self.server = testing.NameServer(key=documents.KEY).start()
        self.addCleanup(self.server.close)
        monitoring = monitoring_worker.MonitoringWorker
        self.here = pipeline.Pipeline(
            types=[resource_types.DNS_NAME, resource_types.DNS_ZONE],
            handlers={
                "dns_record": handler.DnsRecord(context.settings(handler.DnsRecord, "dns_record")),
                "monitoring_worker": monitoring(context.settings(monitoring, "monitoring_worker")),
            },
            resolvers={"fqdn": resolver.Fqdn()},
            probes={"dns_answer": probe.DnsAnswer(context.settings(probe.DnsAnswer, "dns_answer"))},
            templates=documents.templates(),
            secrets="reference",
        )
        self.here.put(documents.ZONE, documents.zone(self.server.port))

    def state(self):
        return self.here.state(documents.NAME)

    def test_create_modify_delete(self):
        self.here.put(documents.NAME, documents.name())
        self.here.run()
        self.assertEqual(self.state()["error"], "")
        self.assertEqual(self.state()["state"]["worker_state"], "CREATE_COMPLETED")
        self.assertEqual(self.state()["state"]["state_monitoring"], '{"answer": "up"}')
        self.assertEqual(self.server.records(), {"www.example.org. A 60": ["192.0.2.1"]})

        self.here.put(documents.NAME, documents.name(name="web", addresses=["192.0.2.2"]))
        self.here.run()
        # The last job of a modify is create:monitoring_worker, and the state follows the last job.
        self.assertEqual((self.state()["version"], self.state()["state"]["worker_state"]), (2, "CREATE_COMPLETED"))
        self.assertEqual(self.server.records(), {"web.example.org. A 60": ["192.0.2.2"]})

        self.here.mark(documents.NAME)
        self.here.run()
        self.assertEqual(self.state()["state"]["worker_state"], "DELETE_COMPLETED")
        self.assertEqual(self.server.records(), {})

    def test_order_of_the_jobs(self):
        self.here.put(documents.NAME, documents.name())
        self.here.plan()
        self.assertEqual([job.handler for job in self.here.jobs()], ["dns_record", "monitoring_worker"])

    def test_a_name_waits_for_its_zone(self):
        self.here.put(documents.NAME, documents.name(zone_id="com"))
        self.here.run()
        self.assertIsNone(self.state())

    def test_no_secret_in_the_store(self):
        self.here.put(documents.NAME, documents.name())
        self.here.run()
        holding = {
            each.key for each in self.here.store.list("/").entries if documents.KEY["tests"].encode() in each.value
        }
        self.assertEqual(holding, {"/config/v2.0/dns_zones/org", "/esi-worker/config/v2.0/dns_zones/org"})

    def test_error_is_told(self):
        self.here.put(documents.NAME, documents.name(addresses=["nonsense"]))
        self.here.run()
        self.assertEqual(self.state()["state"]["worker_state"], "CREATE_FAILED")
        self.assertIn("'nonsense' is no IP address", self.state()["error"])


if __name__ == "__main__":
    unittest.main()
