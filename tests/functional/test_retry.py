"""An operator repairs what made a resource fail and asks for another try."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from tests.functional import deployment

NETWORK = {"id": "n", "name": "n", "admin_state_up": True, "tenant_id": "t1"}


class RetryTest(deployment.DeploymentTest):
    def esictl(self, deployed, *words):
        command = [str(pathlib.Path(sys.executable).with_name("esictl")), "--endpoints", deployed.etcd.endpoint, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_the_same_version_once_more(self):
        deployed = self.deploy(options={"monitoring": {"mode": "trust"}})
        deployed.heat.stacks.fail("network_n", "No valid host was found")
        deployed.daemon()
        deployed.put("v2.0/networks/n", NETWORK)
        state = deployed.wait_state("v2.0/networks/n")
        self.assertEqual("CREATE_FAILED", state["state"]["worker_state"])
        self.assertIn("No valid host was found", state["error"])
        done = self.esictl(deployed, "retry", "network", "n")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        deployed.wait(lambda: deployed.state("v2.0/networks/n")["error"] == "", "the second try")
        self.assertEqual(1, deployed.state("v2.0/networks/n")["version"])
        self.assertEqual("CREATE_COMPLETED", deployed.state("v2.0/networks/n")["state"]["worker_state"])

    def test_the_trace_says_that_no_device_was_asked(self):
        deployed = self.deploy(options={"monitoring": {"mode": "trust"}})
        deployed.daemon()
        deployed.put("v2.0/edge_routers/e", {"id": "e", "ip": "192.0.2.1", "tenant_id": "t1"})
        deployed.wait_state("v2.0/edge_routers/e")
        self.assertIn("trusted: no device was asked", self.esictl(deployed, "trace", "edge_router", "e").stdout)

    def test_what_did_not_fail_is_not_tried_again(self):
        deployed = self.deploy()
        deployed.daemon()
        deployed.put("v2.0/quotas/q", {"id": "q"})
        deployed.wait_state("v2.0/quotas/q")
        done = self.esictl(deployed, "retry", "quota", "q")
        self.assertEqual(1, done.returncode)
        self.assertIn("did not fail", done.stderr)
        self.assertEqual(2, self.esictl(deployed, "retry", "quota", "unheard-of").returncode)
