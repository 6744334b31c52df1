"""``on_failure: ignore`` from end to end: what is torn down before a modify may fail, and its dependants go on.

The daemon finds the handlers in a distribution of their own, ``tests/plugins/brittle``.
"""

from __future__ import annotations

import pathlib
import tempfile

from esi_worker.store import keys
from tests.functional import deployment
from tests.plugins import installed

BRITTLE = pathlib.Path(__file__).resolve().parents[1] / "plugins" / "brittle"
MAPPINGS = {
    "footing": {"cracked": {"field": "cracked"}},
    "scaffold": {"stuck": {"field": "stuck"}},
    "lodge": {"cracked": {"field": "cracked"}, "wall": {"field": "id", "path": ["wall_id"]}},
}
WALL = "v2.0/walls/w"
LODGE = "v2.0/lodges/l"
TENT = "v2.0/tents/t"
SOUND = {"tenant_id": "t", "stuck": None, "cracked": False}


class OnFailureTest(deployment.DeploymentTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        installed.install(BRITTLE, pathlib.Path(folder.name))
        self.deployed = self.deploy(options={"worker": {"max_attempts": 3, "retry_delay": 0.1, "lease_ttl": 3}})
        for name, mappings in MAPPINGS.items():
            handler = "scaffold" if name == "scaffold" else "footing"
            body = {"id": name, "handler": handler, "watch": [], "template_file": "", "parameter_mappings": mappings}
            self.deployed.put(keys.HEAT_TEMPLATES.removeprefix(keys.CONFIG) + name, body)
        with deployment.environment(PYTHONPATH=folder.name):
            self.daemon = self.deployed.daemon()

    def put(self, path, version=1, *, marked=False, **members):
        self.deployed.put(path, {**SOUND, "id": path.rpartition("/")[2], **members}, version, marked=marked)

    def done(self, path, version):
        """``/state`` of a version, all jobs being over."""
        state = self.deployed.wait_state(path, version)
        self.deployed.wait(lambda: not self.deployed.store.list(keys.JOBS).entries, "no job left")
        return state

    def created(self, path, **members):
        self.put(path, **members)
        self.assertEqual("CREATE_COMPLETED", self.done(path, 1)["state"]["worker_state"])

    def jobs(self, resource_type, version):
        """``<action>:<handler>`` of the jobs of a version in the order of their ends, and which of them failed."""
        ended, failed = [], []
        for change in self.deployed.history():
            job_id = change.key.rpartition("/")[2]
            if f":{resource_type}:" not in job_id or f":{version}:" not in job_id:
                continue
            name = ":".join(job_id.split(":")[:2])
            if change.key.startswith(keys.ALL_JOBS) and change.value is None:
                ended.append(name)
            elif change.key.startswith(keys.FAILED) and change.value is not None:
                failed.append(name)
        return ended, failed

    def on_failure(self, resource_type, version):
        """``<action>:<handler>`` -> what the job's document said."""
        return {
            f"{change.value[1]['action']}:{change.value[0]}": change.value[1]["on_failure"]
            for change in self.deployed.history()
            if change.key.startswith(keys.ALL_JOBS) and change.value is not None
            if f":{resource_type}:" in change.key and f":{version}:" in change.key
        }

    def check_ignored(self, message):
        """Version 2 of the wall is there, in spite of what its first job came to."""
        state = self.done(WALL, 2)
        # The name follows the action of the last job, and that puts the scaffold up again.
        self.assertEqual(("CREATE_COMPLETED", ""), (state["state"]["worker_state"], state["error"]))
        self.assertEqual("laid by version 2", state["state"]["footing"])
        self.assertEqual("put up by version 2", state["state"]["scaffold"])
        self.assertEqual({"version": 2}, self.deployed.get(f"/esi-worker/footings/{WALL}"))
        self.assertEqual({"version": 2}, self.deployed.get(f"/esi-worker/scaffolds/{WALL}"))
        self.assertEqual((["delete:scaffold", "modify:footing", "create:scaffold"], []), self.jobs("wall", 2))
        # It did fail: who looks after the deployment is told so.
        self.assertIn(message, next(line for line in self.daemon.log.splitlines() if "failed: " in line))

    def test_the_rest_of_the_workflow_goes_on(self):
        self.created(WALL, stuck="for good")
        self.put(WALL, 2)
        self.check_ignored("the scaffold is stuck for good")
        said = {"delete:scaffold": "ignore", "modify:footing": "fail", "create:scaffold": "fail"}
        self.assertEqual(said, self.on_failure("wall", 2))

    def test_attempts_are_used_up_before_it_is_ignored(self):
        self.created(WALL, stuck="for now")
        self.put(WALL, 2)
        self.check_ignored("the scaffold is stuck for now")
        self.assertEqual(2, self.daemon.log.count("the scaffold is stuck for now; again in"))

    def test_a_bug_of_the_handler_is_ignored_too(self):
        self.created(WALL, stuck="bug")
        self.put(WALL, 2)
        self.check_ignored("internal error in scaffold")

    def test_a_deletion_goes_on(self):
        self.created(WALL, stuck="for good")
        self.put(WALL, 2, marked=True, stuck="for good")
        state = self.done(WALL, 2)
        self.assertEqual(("DELETE_COMPLETED", ""), (state["state"]["worker_state"], state["error"]))
        self.assertEqual((["delete:scaffold", "logical_delete:footing"], []), self.jobs("wall", 2))
        self.assertIsNone(self.deployed.get(f"/esi-worker/footings/{WALL}"))
        # What the failed job has left behind goes at the latest with the resource.
        for prefix in (keys.CONFIG, keys.STATE):
            self.deployed.store.delete(prefix + WALL)
        self.deployed.wait(lambda: "walls" not in " ".join(self.deployed.keys()), "nothing left of it")

    def test_other_resources_that_wait_for_it_go_on(self):
        """The lodge's job was written while the first of the wall's chain was tried, and depends on the second."""
        self.created(WALL, stuck="for now")
        self.put(WALL, 2)
        self.put(LODGE, wall_id="w")
        state = self.done(LODGE, 1)
        self.assertEqual(("CREATE_COMPLETED", ""), (state["state"]["worker_state"], state["error"]))
        self.check_ignored("the scaffold is stuck for now")
        self.assertEqual({"modify:footing"}, self.waited_for("lodge", 1))
        self.assertEqual({"delete:scaffold"}, self.waited_for("wall", 2, "modify:footing"))

    def waited_for(self, resource_type, version, job="create:footing"):
        """``<action>:<handler>`` of what a job of a resource depended on."""
        wanted = f"{keys.ALL_JOBS}{job}:{resource_type}:{resource_type[0]}:{version}:"
        written = next(c.value[1] for c in self.deployed.history() if c.key.startswith(wanted))
        return {":".join(each.split(":")[:2]) for each in written["dependency"]}

    def test_what_follows_and_fails_itself_is_not_ignored(self):
        self.created(WALL, stuck="for good")
        self.put(WALL, 2, cracked=True)
        state = self.done(WALL, 2)
        self.assertEqual("MODIFY_FAILED", state["state"]["worker_state"])
        self.assertIn("the footing is cracked", state["error"])
        ended, failed = self.jobs("wall", 2)
        self.assertEqual(["modify:footing"], failed)
        # The last one was cancelled before the failed one was taken away.
        self.assertEqual(["delete:scaffold", "create:scaffold", "modify:footing"], ended)
        self.assertEqual({"version": 1}, self.deployed.get(f"/esi-worker/scaffolds/{WALL}"))

    def test_a_deletion_that_nothing_follows_is_not_ignored(self):
        self.created(TENT, stuck="for good")
        self.put(TENT, 2, marked=True, stuck="for good")
        state = self.done(TENT, 2)
        self.assertEqual("DELETE_FAILED", state["state"]["worker_state"])
        self.assertIn("the scaffold is stuck for good", state["error"])
        self.assertEqual({"delete:scaffold": "fail"}, self.on_failure("tent", 2))
