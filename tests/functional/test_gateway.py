"""The gateway completes, whatever stands beside it and whatever happens to the daemon."""

from __future__ import annotations

from esi_worker.store import codec
from esi_worker.store import keys
from tests.functional import deployment
from tests.functional import test_seed

NETWORK = {"name": "n", "admin_state_up": True, "tenant_id": "t1"}


class GatewayTest(deployment.DeploymentTest):
    def put_world(self, deployed):
        for document in test_seed.world():
            deployed.put(test_seed.path_of(document), document["body"])

    def test_bad_documents_beside_it_get_their_own_error(self):
        deployed = self.deploy(test_seed.ROUTERS, agents=test_seed.AGENTS)
        broken = {"id": "subnet", "handler": "heat_worker", "template_file": "{% for %}", "parameter_mappings": {}}
        bad = {
            "v2.0/networks/not-json": "not JSON",
            "v2.0/unheard_of/x": "unknown resource type",
            "v2.0/ese_physical_ports/no-relative": "ese_device:missing",
            "v2.0/ese_devices/no-template": "ese_device_unheard",
            "v2.0/subnets/broken-template": "template subnet_broken",
        }
        deployed.put("v2.0/networks/not-json", "{not json")
        deployed.put("v2.0/unheard_of/x", {"id": "x"})
        port = {"name": "p", "existing": "new", "ese_device_id": "missing", "tenant_id": "t1"}
        deployed.put("v2.0/ese_physical_ports/no-relative", port)
        deployed.put("v2.0/ese_devices/no-template", {"existing": "unheard", "tenant_id": "t1"})
        deployed.store.put("/config/v2.0/networks/a/slash", b'{"body": "{}", "version": 1}')
        deployed.put("v2.0/heat_templates/port", {**broken, "id": "port"})
        self.put_world(deployed)
        gateway_port = {"network_id": test_seed.world()[-3]["id"], "fixed_ips": [], "tenant_id": "t1"}
        deployed.put("v2.0/ports/broken-template", gateway_port)
        deployed.daemon()
        self.assertEqual("", deployed.wait_state(test_seed.PATH)["error"])
        bad.pop("v2.0/subnets/broken-template")
        bad["v2.0/ports/broken-template"] = "template port"
        for path, words in bad.items():
            state = deployed.wait_state(path)
            self.assertEqual("CREATE_FAILED", state["state"]["worker_state"], path)
            self.assertIn(words, state["error"])
        self.assertIn("the id 'a/slash' is refused", deployed.logs())

    def test_killed_while_the_stack_is_being_created(self):
        deployed = self.deploy(test_seed.ROUTERS, agents=test_seed.AGENTS)
        name = f"common_function_gateway_{test_seed.GATEWAY}"
        deployed.heat.stacks.hold(name)
        self.put_world(deployed)
        daemon = deployed.daemon()
        stacks = deployed.heat.stacks
        deployed.wait(lambda: stacks.get(test_seed.TENANT, name), "the gateway's stack being created")
        daemon.kill()
        deployed.daemon()
        # The second daemon has to look at the stack while it is in progress, and not to make another one.
        deployed.wait(lambda: self.claims_of_the_gateway(deployed), "the job taken over")
        stacks.release(name)
        self.assertEqual("", deployed.wait_state(test_seed.PATH)["error"])
        history = deployed.history()
        self.assertEqual(1, sum(c.key == keys.STATE + test_seed.PATH for c in history))
        made = [call for call in deployed.heat.calls if call.method == "POST" and call.body["stack_name"] == name]
        self.assertEqual(1, len(made))

    def claims_of_the_gateway(self, deployed):
        lost = {c.key for c in deployed.history() if c.key.startswith(keys.CLAIMS) and c.value is None}
        now = {e.key for e in deployed.store.list(keys.CLAIMS).entries if test_seed.GATEWAY in e.key}
        return now & lost

    def test_a_daemon_that_was_away_takes_the_targets_up_again(self):
        deployed = self.deploy(test_seed.ROUTERS, agents=test_seed.AGENTS)
        self.put_world(deployed)
        first = deployed.daemon()
        deployed.wait(lambda: deployed.get(keys.MONITORING + test_seed.PATH), "the seventh point")
        self.assertEqual(0, first.stop())
        deployed.daemon()
        deployed.routers["10.79.5.185"].engine.force_vrrp("ae0.1025", 41, "init")
        deployed.wait(
            lambda: deployed.get(keys.MONITORING + test_seed.PATH)["primary_41"] == "INIT", "what changed meanwhile"
        )

    def test_no_secret_is_kept_with_the_targets_or_shown_in_a_log(self):
        deployed = self.deploy(test_seed.ROUTERS, agents=test_seed.AGENTS)
        self.put_world(deployed)
        deployed.daemon(DEFAULT={"debug": "true"})
        deployed.wait(lambda: deployed.get(keys.MONITORING + test_seed.PATH), "the seventh point")
        record = codec.text(deployed.get(keys.TARGETS + test_seed.PATH))
        self.assertIn('"field": "password"', record)
        self.assertNotIn("esiesi0000", record)
        self.assertNotIn("esiesi0000", deployed.logs())
