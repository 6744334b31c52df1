"""A recorded run of a real deployment is replayed on a real etcd, and what esi-worker writes is compared with it.

The stand-in Heat gives the outputs that the recorded Heat gave, and ends each action when the record says so; the
devices of the record are trusted to be as they are wanted.
"""

from __future__ import annotations

import json

from esi_worker.store import keys
from tests import recorded
from tests.functional import deployment

_CANARY = "v2.0/quotas/replay-canary"


def job_key(job_id):
    """A job's id without its random suffix."""
    return job_id.rpartition(":")[0]


def stack_name(job_id):
    _, _, resource_type, resource_id, *_ = job_id.split(":")
    return f"{resource_type}_{resource_id}"


class Replay:
    """Puts the record's config documents and lets stacks end, in the record's order."""

    def __init__(self, deployed, events):
        self.deployed = deployed
        self.events = events
        self.expected_versions = {}
        self.canary = 0

    def run(self):
        for event in self.events:
            key, value = event["key"], event.get("value")
            if key.startswith(keys.HEAT_TEMPLATES) and value:
                self.deployed.put(key.removeprefix(keys.CONFIG), value["body"])
            elif key.startswith(keys.CONFIG) and value:
                self.config(key.removeprefix(keys.CONFIG), value)
            elif key.startswith(keys.ALL_JOBS) and event["action"] == "delete":
                self.job_ended(key.removeprefix(keys.ALL_JOBS))

    def config(self, path, value):
        # What ended before in the record has to be known to the job manager before this document is planned.
        self.settle()
        version = value["version"]
        if version > 1:
            self.deployed.wait_state(path, version - 1)
        plural, resource_id = path.split("/")[-2:]
        self.deployed.heat.stacks.hold(f"{plural.removesuffix('s')}_{resource_id}")
        self.deployed.put(path, value["body"], version, marked=value["marked_for_deletion"])
        self.expected_versions[path] = version
        self.planned()

    def job_ended(self, job_id):
        if ":heat_worker:" in job_id:
            self.deployed.heat.stacks.release(stack_name(job_id))
        prefix = keys.ALL_JOBS + job_key(job_id)
        self.deployed.wait(lambda: not self.deployed.store.list(prefix).entries, f"the end of {job_id}")

    def planned(self):
        for path, version in self.expected_versions.items():
            self.deployed.wait(
                lambda path=path, version=version: (
                    (self.deployed.get(keys.RECORDED + path) or {}).get("version") == version
                ),
                f"{path} of version {version} planned",
            )

    def settle(self):
        self.canary += 1
        self.deployed.put(_CANARY, {"id": "replay-canary"}, self.canary)
        self.deployed.wait_state(_CANARY, self.canary)


def jobs_of(documents):
    return {job_key(document[1]["id"]): document[1] for document in documents}


def edges(jobs):
    return {(name, job_key(each)) for name, job in jobs.items() for each in job["dependency"]}


def state_of(document):
    members = {
        name: json.loads(value) if name != "worker_state" else value for name, value in document["state"].items()
    }
    if "heat_outputs" in members:
        members["heat_outputs"] = {each["output_key"]: each for each in members["heat_outputs"]}
    return {**document, "state": members}


class ReplayTest(deployment.DeploymentTest):
    """One replay, compared from all sides."""

    maxDiff = None

    def options(self):
        """The daemon's configuration."""
        return {"monitoring": {"mode": "trust"}}

    def test_the_recorded_run(self):
        events = recorded.load("common_function_gateway.json")
        login = {"username": "esi", "password": "esiesi0000", "groups": {"IF-USER-VRRP-ACT": [41, 42]}}
        routers = {"10.79.5.185": {**login, "role": "master"}, "10.79.5.184": {**login, "role": "backup"}}
        deployed = self.deploy(routers, self.options())
        for event in events:
            if event["key"].startswith("/esi-worker/heat_stacks/"):
                name = event["value"]["id"].replace(":", "_")
                deployed.heat.stacks.outputs[name] = event["value"]["output"]
        deployed.daemon()
        Replay(deployed, events).run()
        monitored = {e["key"]: e["value"] for e in events if e["key"].startswith(keys.MONITORING)}
        deployed.wait(lambda: {key: deployed.get(key) for key in monitored} == monitored, f"{sorted(monitored)}")
        print(f"\nreplay: {len(monitored)} of {len(monitored)} /monitoring documents")
        wanted = [
            e for e in events if e["action"] in ("set", "create", "compareAndSwap") and e.get("value") is not None
        ]
        history = [change for change in deployed.history() if change.value is not None and _CANARY not in change.key]
        self.compare_jobs(wanted, history)
        self.compare_states(wanted, history)
        self.compare_stacks(wanted, history)

    def compare_jobs(self, wanted, history):
        expected = jobs_of(
            e["value"] for e in wanted if e["key"].startswith(keys.ALL_JOBS) and isinstance(e["value"], list)
        )
        written = jobs_of(c.value for c in history if c.key.startswith(keys.ALL_JOBS))
        self.assertEqual(set(expected), set(written))
        self.assertEqual(edges(expected), edges(written))
        for name, job in expected.items():
            for field in ("is_first", "is_last", "on_failure", "resource_input", "job_name"):
                self.assertEqual(job[field], written[name][field], f"{name}: {field}")
        print(
            f"\nreplay: {len(written)} of {len(expected)} jobs, {len(edges(written))} of {len(edges(expected))} edges"
        )

    def compare_states(self, wanted, history):
        expected = {
            (e["key"], e["value"]["version"]): state_of(e["value"]) for e in wanted if e["key"].startswith(keys.STATE)
        }
        written = {(c.key, c.value["version"]): state_of(c.value) for c in history if c.key.startswith(keys.STATE)}
        self.assertEqual(set(expected), set(written))
        for name, document in expected.items():
            self.assertEqual(document, written[name], name)
        print(f"replay: {len(written)} of {len(expected)} /state documents")

    def compare_stacks(self, wanted, history):
        expected = stacks_of((e["key"], e["value"]) for e in wanted)
        written = stacks_of((c.key, c.value) for c in history)
        self.assertEqual(expected, written)
        print(f"replay: {len(written)} of {len(expected)} heat_stacks documents")


def states_of(documents):
    return {(key, each["version"]): state_of(each) for key, each in documents if key.startswith(keys.STATE)}


def stacks_of(documents):
    found = {}
    for key, document in documents:
        if key.startswith("/esi-worker/heat_stacks/"):
            # Heat's words for an update that went well have changed since the record was made.
            reason = document["status_reason"] if document["stack_status"] == "CREATE_COMPLETE" else ""
            found[key, document["stack_status"]] = {**document, "status_reason": reason}
    return found
