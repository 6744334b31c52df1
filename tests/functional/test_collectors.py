"""Several collectors share the targets, and one that dies is replaced."""

from __future__ import annotations

import yaml

from esi_worker.store import codec
from esi_worker.store import keys
from tests.functional import deployment

LOGIN = {"username": "op", "password": "collector-secret", "groups": {"G": [7]}}
CATALOG = {
    "types": [
        {"id": "router", "plural": "routers", "prefix": "v2.0"},
        {
            "id": "session",
            "plural": "sessions",
            "prefix": "v2.0",
            "relations": {"router_id": "router"},
            "templates": {"monitoring_worker": "Csession"},
        },
    ]
}
TEMPLATE = {
    "id": "session",
    "handler": "monitoring_worker",
    "parameter_mappings": {
        "host": {"field": "ip", "path": ["router_id"]},
        "password": {"field": "password", "path": ["router_id"]},
    },
    "template_file": (
        "vrrp:\n  type: vrrp_session\n  host: {{ host }}\n  login: op\n  password: {{ password }}\n"
        "  interface: ae0.1\n  vrid: 7\n  timeout: 20\n"
    ),
}


class CollectorsTest(deployment.DeploymentTest):
    def setUp(self):
        addresses = [f"192.0.2.{number}" for number in range(1, 7)]
        self.deployed = self.deploy({address: dict(LOGIN, role="master") for address in addresses})
        catalog = self.deployed.folder / "catalog.yaml"
        catalog.write_text(yaml.safe_dump(CATALOG))
        self.options = {"catalog": {"entry_points": "false", "files": catalog}}
        for address, router in self.deployed.routers.items():
            router.engine.force_vrrp("ae0.1", 7, "master")
            number = address.rpartition(".")[2]
            self.deployed.put(f"v2.0/routers/r{number}", {"ip": address, "password": LOGIN["password"]})
            self.deployed.put(f"v2.0/sessions/s{number}", {"router_id": f"r{number}"})
        self.deployed.put("v2.0/heat_templates/session", TEMPLATE)

    def daemon(self, roles):
        return self.deployed.daemon(DEFAULT={"roles": roles}, **self.options)

    def statuses(self):
        entries = self.deployed.store.list(keys.MONITORING).entries
        return sorted(codec.decode(entry.value)["vrrp"] for entry in entries)

    def test_each_device_is_asked_by_one_and_a_dead_one_is_replaced(self):
        collectors = [self.daemon("collector"), self.daemon("collector")]
        members = lambda: self.deployed.store.list(keys.COLLECTORS).entries  # noqa: E731
        self.deployed.wait(lambda: len(members()) == 2, "two collectors")
        worker = self.daemon("job_manager,worker")
        for number in range(1, 7):
            self.deployed.wait_state(f"v2.0/sessions/s{number}")
        self.deployed.wait(lambda: self.statuses() == ["MASTER"] * 6, "all statuses")
        self.assertEqual(0, worker.stop())
        for router in self.deployed.routers.values():
            router.engine.counts.clear()
        asked = lambda: [router.engine.counts["rpcs"] for router in self.deployed.routers.values()]  # noqa: E731
        self.deployed.wait(lambda: min(asked()) >= 3, "three rounds of questions")
        sessions = [router.engine.counts["sessions"] for router in self.deployed.routers.values()]
        self.assertEqual([0] * 6, sessions, "a kept session is used, and no second collector opens one")
        shares = [sum(f"/monitoring/v2.0/sessions/s{n}:" in each.log for n in range(1, 7)) for each in collectors]
        self.assertEqual(6, sum(shares))
        collectors[0].kill()
        for router in self.deployed.routers.values():
            router.engine.force_vrrp("ae0.1", 7, "backup")
        self.deployed.wait(lambda: self.statuses() == ["BACKUP"] * 6, "the survivor asks all")

    def test_what_does_not_change_is_not_written(self):
        self.daemon("job_manager,worker,collector")
        self.deployed.wait(lambda: self.statuses() == ["MASTER"] * 6, "all statuses")
        rpcs = self.deployed.routers["192.0.2.1"].engine.counts
        before = rpcs["rpcs"]
        self.deployed.wait(lambda: rpcs["rpcs"] >= before + 3, "three more rounds")
        written = [c for c in self.deployed.history() if c.key.startswith(keys.MONITORING)]
        self.assertEqual(6, len(written))

    def test_a_device_that_can_not_be_reached_fails_alone(self):
        self.daemon("job_manager,worker,collector")
        self.deployed.wait(lambda: self.statuses() == ["MASTER"] * 6, "all statuses")
        self.deployed.routers["192.0.2.1"].close()
        self.deployed.wait(lambda: self.statuses() == ["FAIL", *["MASTER"] * 5], "one failed")
