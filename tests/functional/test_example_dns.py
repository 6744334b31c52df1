"""The example package, installed into a fresh environment, keeps records on a real name server through the daemon."""

from __future__ import annotations

import importlib
import json
import pathlib
import sys

from tests.functional import environments

EXAMPLE = environments.ROOT / "examples" / "esi-worker-dns"
SECRET = "c2VjcmV0IG9mIHRlc3Rz"
ZONE = "v2.0/dns_zones/org"
NAME = "v2.0/dns_names/www"


class DnsTest(environments.FreshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment.install(EXAMPLE)
        # The name server runs in this process: from the sources, since the package is installed elsewhere.
        sys.path.insert(0, str(EXAMPLE))
        cls.addClassCleanup(sys.path.remove, str(EXAMPLE))
        cls.testing = importlib.import_module("esi_worker_dns.testing")

    def setUp(self):
        self.server = self.testing.NameServer(key={"tests": SECRET}).start()
        self.addCleanup(self.server.close)
        self.here = self.deploy(
            job_manager={"secrets": "reference"}, dns_record={"timeout": 1}, dns_answer={"timeout": 1}
        )

    def put_zone(self):
        body = {"id": "org", "name": "example.org.", "server": "127.0.0.1", "port": self.server.port, "tenant_id": "t"}
        self.here.put(ZONE, {**body, "key_name": "tests", "key_secret": SECRET})

    def put_name(self, version=1, *, marked=False, **members):
        body = {"id": "www", "name": "www", "zone_id": "org", "addresses": ["192.0.2.1"], "ttl": 60, "tenant_id": "t"}
        self.here.put(NAME, {**body, **members}, version, marked=marked)

    def wait_state(self, version):
        state = self.here.wait_state(NAME, version)
        self.assertEqual(state["error"], "")
        return state["state"]

    def test_create_modify_delete(self):
        self.here.daemon()
        self.put_zone()
        self.put_name()
        state = self.wait_state(1)
        self.assertEqual(state["worker_state"], "CREATE_COMPLETED")
        self.assertEqual(json.loads(state["state_monitoring"]), {"answer": "up"})
        self.assertEqual(json.loads(state["dns_record"])["name"], "www.example.org.")
        self.assertEqual(self.server.records(), {"www.example.org. A 60": ["192.0.2.1"]})
        self.here.wait(lambda: self.here.get(f"/monitoring/{NAME}"), "/monitoring")
        self.assertEqual(self.here.get(f"/monitoring/{NAME}"), {"version": 1, "answer": "UP"})
        self.assertEqual(self.here.get(f"/esi-worker/dns_records/{NAME}")["zone"], "example.org.")

        self.put_name(2, name="web", addresses=["192.0.2.2", "2001:db8::2"])
        self.wait_state(2)
        self.assertEqual(
            self.server.records(),
            {"web.example.org. A 60": ["192.0.2.2"], "web.example.org. AAAA 60": ["2001:db8::2"]},
        )

        self.put_name(3, name="web", marked=True)
        self.assertEqual(self.wait_state(3)["worker_state"], "DELETE_COMPLETED")
        self.assertEqual(self.server.records(), {})
        for prefix in ("config", "state"):
            self.here.store.delete(f"/{prefix}/{NAME}")
        self.here.wait(lambda: not self.here.holding("dns_names"), "nothing left of it")
        self.assertNotIn(SECRET, self.here.logs())

    def test_killed_in_the_middle(self):
        first = self.here.daemon()
        self.put_zone()
        self.here.wait_state(ZONE)
        with self.server.silent():
            self.put_name()
            self.here.wait(lambda: self.server.connections, "the handler asks the name server")
            first.kill()
            self.assertIsNone(self.here.state(NAME))
        self.here.daemon()
        self.assertEqual(self.wait_state(1)["worker_state"], "CREATE_COMPLETED")
        self.assertEqual(self.server.records(), {"www.example.org. A 60": ["192.0.2.1"]})
        self.assertEqual(self.server.updates, 1)

    def test_a_silent_name_server_is_waited_for(self):
        self.here.daemon()
        self.put_zone()
        with self.server.silent():
            self.put_name()
            self.here.wait(lambda: self.server.connections > 1, "another attempt")
        self.wait_state(1)

    def test_wrong_key_is_told_and_not_shown(self):
        self.here.daemon()
        self.put_zone()
        self.here.put(ZONE, {"name": "example.org.", "server": "127.0.0.1", "port": self.server.port,
                             "key_name": "tests", "key_secret": "d3Jvbmcgc2VjcmV0"}, 2)  # fmt: skip
        self.put_name()
        state = self.here.wait_state(NAME)
        self.assertEqual(state["state"]["worker_state"], "CREATE_FAILED")
        self.assertIn("does not take the key", state["error"])
        self.assertNotIn("d3Jvbmcgc2VjcmV0", state["error"] + self.here.logs())

    def test_it_is_found_and_its_own_tests_pass(self):
        rows = json.loads(self.environment.run("esictl", "plugins", "--package", "esi-worker-dns", "-f", "json"))
        self.assertEqual(
            {(each["group"], each["name"], each["check"]) for each in rows},
            {
                ("handlers", "dns_record", "passed"),
                ("resolvers", "fqdn", "passed"),
                ("probes", "dns_answer", "passed"),
                ("resource_types", "dns_name", "passed"),
                ("resource_types", "dns_zone", "passed"),
            },
        )
        self.environment.run("esictl", "plugins", "check", "esi-worker-dns")
        tests = pathlib.Path(self.environment.folder, "sources", "esi-worker-dns")
        self.assertIn(
            "OK", self.environment.run("python", "-m", "unittest", "discover", "-s", "tests", "-t", ".", folder=tests)
        )
