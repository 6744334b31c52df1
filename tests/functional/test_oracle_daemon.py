"""A random deployment, carried to ``/state`` by a daemon: each resource as the oracle says, or with a clear error."""

import collections
import json
import pathlib
import tempfile

from esi_worker.store import codec
from esi_worker.store import keys
from tests.functional import deployment
from tests.oracle import deployments
from tests.oracle import oracle

SEED = 5
ACTIONS = {"create": 60, "modify": 20, "mark": 2, "again": 4}


class OracleDaemonTest(deployment.DeploymentTest):
    def setUp(self):
        super().setUp()
        self.random = deployments.Deployment(SEED, jobs=150, kinds=(10, 10), actions=ACTIONS)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        (root / "templates").mkdir()
        (root / "catalog.json").write_text(json.dumps(self.random.catalog))
        options = {
            "catalog": {"entry_points": "false", "files": root / "catalog.json", "unknown_types": "refuse"},
            "templates": {"directories": root / "templates"},
            "monitoring": {"mode": "trust"},
            "job_manager": {"lease_ttl": 3, "wait_for_relatives": 8},
            "worker": {"lease_ttl": 3, "retry_delay": 0.1, "retry_delay_max": 0.2, "max_attempts": 3},
        }
        self.lacking, self.doubtful = self.find_lacking()
        self.deployed = self.deploy({}, options, configures=False)

    def test_every_resource_comes_to_an_end(self):
        self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        for event in self.random.events:
            self.deployed.store.put(event["key"], codec.encode(event["value"]))
        self.deployed.wait(self.all_told, "a /state of each resource", 35)
        found = collections.Counter()
        for ref in self.random.oracle.documents:
            with self.subTest(ref):
                found[self.outcome(ref, self.deployed.state(self.random.path(ref)))] += 1
        print(f"\noracle: {len(self.random.events)} events, {found.total()} resources: {dict(found)}")
        self.assertGreater(found["done"], 20)

    def all_told(self):
        """Whether each resource has a ``/state`` of its newest version."""
        listed = self.deployed.store.list(keys.STATE).entries
        told = {entry.key.removeprefix(keys.STATE): codec.decode(entry.value)["version"] for entry in listed}
        wanted = self.random.oracle.documents.items()
        return all(told.get(self.random.path(ref)) == document["version"] for ref, document in wanted)

    def outcome(self, ref, published):
        """Compare ``/state`` with what the oracle says; :returns: what it came to."""
        second = self.random.oracle
        state, error = published["state"]["worker_state"], published["error"]
        self.assertNotIn("internal error", error)
        if ref in second.waiting or ref not in second.recorded:
            self.assertRegex(error, "parameter '|waits for " if ref in second.waiting else "parameter '|template")
            return "waits" if ref in second.waiting else "wrong"
        if ref in second.read:
            self.assertEqual(("READ_COMPLETE", ""), (state, error))
            return "read"
        lacking = ref in self.lacking
        self.assertTrue(error or not lacking, f"{ref} needs an output that nothing has")
        if error:
            self.assertTrue(ref in self.doubtful or self.passes_doubtful(ref), f"{ref}: {error}")
            self.assertRegex(error, "cancelled|has no output")
            return "lacks an output" if lacking else "cancelled"
        self.assertEqual(self.completed(ref), state)
        return "done"

    def completed(self, ref):
        """What ``worker_state`` says at a good end."""
        actions = {job["action"] for job in self.last_jobs(ref)}
        if "logical_delete" in actions or actions == {"delete"}:
            return "DELETE_COMPLETED"
        return "MODIFY_COMPLETED" if actions == {"modify"} else "CREATE_COMPLETED"

    def last_jobs(self, ref):
        """The jobs of the newest version of a resource."""
        jobs = [job for job in self.random.oracle.jobs if (job["resource_type"], job["resource_id"]) == ref]
        return [job for job in jobs if job["version"] == jobs[-1]["version"]]

    def find_lacking(self):
        """:returns: those that need an output of what has no stack, and those whose output may come too late, too."""
        lacking, doubtful, stacks = set(), set(), set()
        jobs = [(job, (job["resource_type"], job["resource_id"])) for job in self.random.oracle.jobs]
        ever = {ref for job, ref in jobs if job["handler"] == oracle.HEAT}
        for job, ref in jobs:
            if job["action"] in ("create", "modify"):
                needed = set(outputs(job))
                lacking |= {ref} if needed - ever and job in self.last_jobs(ref) else set()
                doubtful |= {ref} if needed - stacks else set()
            stacks |= {ref} if job["handler"] == oracle.HEAT else set()
        return lacking, doubtful

    def passes_doubtful(self, ref):
        """Whether one that a resource passed, itself or by way of others, may lack an output."""
        seen, todo = set(), [ref]
        while todo:
            for job in self.random.oracle.jobs:
                if (job["resource_type"], job["resource_id"]) == todo[0]:
                    todo += {(each["resource_type"], each["resource_id"]) for each in oracle.listed(job)} - seen
                    seen |= set(todo)
            del todo[0]
        return bool(seen & self.doubtful)


def outputs(job):
    """The resources whose outputs a job needs."""
    for param in job["params"]:
        found = [param] if param["type"] == "output_key" else param["value"] if param["type"] == "list" else []
        for each in found:
            yield each["value"]["resource_type"], each["value"]["resource_id"]
