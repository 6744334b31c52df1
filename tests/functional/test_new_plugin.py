"""What ``esictl new plugin`` writes installs, passes its tests and runs, in an environment of its own."""

from __future__ import annotations

import pathlib

from tests.functional import environments


class NewPluginTest(environments.FreshTest):
    def test_from_an_empty_folder_to_a_running_resource(self):
        work = self.environment.folder / "work"
        work.mkdir()
        out = self.environment.run("esictl", "new", "plugin", "garden_gate", folder=work)
        self.assertIn("cd garden_gate", out)
        package = work / "garden_gate"
        self.environment.install(package)
        told = self.environment.run("python", "-m", "unittest", "discover", "-s", "tests", "-t", ".", folder=package)
        self.assertIn("OK", told)
        checked = self.environment.run("esictl", "plugins", "check", "esi-worker-garden-gate")
        self.assertEqual(checked.count("\npassed "), 4)
        self._run_through_the_daemon(package)

    def _run_through_the_daemon(self, package: pathlib.Path) -> None:
        gates = self.environment.folder / "gates"
        here = self.deploy(garden_gate={"directory": gates})
        here.daemon()
        here.esictl("apply", "-f", str(package / "etc" / "garden_gate.yaml"))
        here.esictl("wait", "garden_gate", "first")
        here.esictl("wait", "garden_gate", "second")
        self.assertEqual(gates.joinpath("second.txt").read_text(), "hello/world")
        state = here.state("v2.0/garden_gates/second")
        self.assertEqual((state["error"], state["state"]["state_monitoring"]), ("", '{"file": "present"}'))
        here.esictl("delete", "--purge", "garden_gate", "second")
        self.assertFalse(gates.joinpath("second.txt").exists())
        here.wait(lambda: not here.holding("/second"), "nothing left of it")
