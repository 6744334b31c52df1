"""The job manager on a store in memory: what it writes for what it finds, and after whatever happened meanwhile."""

import json
import threading
import time
import unittest

from esi_worker.pipeline import catalog
from esi_worker.pipeline import manager
from esi_worker.pipeline import planner
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory
from tests.unit import test_planner

NETWORK, PORT, QUOTA = "v2.0/networks/n", "v2.0/ports/p", "v2.0/quotas/q"


class ManagerTest(unittest.TestCase):
    def setUp(self):
        self.store = memory.MemoryStore()
        self.rules = planner.Rules(catalog.Catalog(test_planner.TYPES), test_planner.HANDLERS, {})
        self.options = manager.Options(lease_ttl=3, relist_interval=300, patience=0.3)
        self.stop = None

    def start(self):
        self.stop = threading.Event()
        lead = manager.Manager(self.store, lambda: self.rules, lambda: test_planner.TEMPLATES, self.options, "test")
        self.thread = threading.Thread(target=lead.run, args=(self.stop,), daemon=True)
        self.thread.start()
        self.addCleanup(self.halt)

    def halt(self):
        self.stop.set()
        self.thread.join(10)

    def config(self, path, version=1, *, marked=False, **body):
        document = {"body": json.dumps(body), "version": version, "marked_for_deletion": marked}
        self.store.put(keys.CONFIG + path, codec.encode(document))

    def get(self, key):
        entry = self.store.get(key)
        return None if entry is None else codec.decode(entry.value)

    def jobs(self):
        return [codec.decode(entry.value)[1] for entry in self.store.list(keys.ALL_JOBS).entries]

    def names(self):
        return sorted(":".join(job["id"].split(":")[:5]) for job in self.jobs())

    def wait(self, condition, what="the condition"):
        deadline = time.monotonic() + 10
        pause = threading.Event()
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}: {[e.key for e in self.store.list('/').entries]}")
            pause.wait(0.01)

    def wait_state(self, path, version=1):
        self.wait(lambda: (self.get(keys.STATE + path) or {}).get("version") == version, f"state of {path}")
        return self.get(keys.STATE + path)

    def wait_jobs(self, *names):
        self.wait(lambda: self.names() == sorted(names), f"jobs {names}")

    def finish_all(self, path, version, worker_state="CREATE_COMPLETED"):
        """What a worker leaves behind."""
        state = {"state": {"worker_state": worker_state}, "version": version, "error": ""}
        self.store.put(keys.STATE + path, codec.encode(state))
        for job in self.jobs():
            self.store.delete(keys.job(job["id"]))


class PlanningTest(ManagerTest):
    def test_what_needs_nothing_is_read(self):
        self.start()
        self.config(QUOTA, id="q")
        self.assertEqual({"worker_state": "READ_COMPLETE"}, self.wait_state(QUOTA)["state"])
        self.config(QUOTA, 2, id="q")
        self.wait_state(QUOTA, 2)
        self.assertEqual({"body": {"id": "q"}, "version": 2, "deleted": False}, self.get(keys.RECORDED + QUOTA))

    def test_a_workflow_is_written_in_one_transaction(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait_jobs("create:heat_worker:network:n:1", "create:monitoring_worker:network:n:1")
        written = [*self.store.list(keys.ALL_JOBS).entries, self.store.get(keys.RECORDED + NETWORK)]
        self.assertEqual(1, len({entry.mod_revision for entry in written}))

    def test_documents_at_hand_are_planned_in_etcds_order(self):
        self.config(NETWORK, name="x")
        self.config(PORT, network_id="n")
        self.start()
        self.wait(lambda: len(self.jobs()) == 4)
        first = next(job for job in self.jobs() if job["id"].startswith("create:heat_worker:port"))
        self.assertEqual(["create:heat_worker:network:n:1"], [each.rpartition(":")[0] for each in first["dependency"]])

    def test_a_relative_that_arrives_later(self):
        self.options = manager.Options(patience=60)
        self.start()
        self.config(PORT, network_id="n")
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 4)

    def test_a_template_that_arrives_later(self):
        self.options = manager.Options(patience=60)
        self.rules = planner.Rules(
            catalog.Catalog([test_planner.api.ResourceType("network", "networks", templates={"heat_worker": "Clate"})]),
            test_planner.HANDLERS,
            {},
        )
        self.start()
        self.config(NETWORK, name="x")
        body = {"id": "late", "handler": "heat_worker", "template_file": "", "parameter_mappings": {"a": "C1"}}
        self.config("v2.0/heat_templates/late", **body)
        self.wait_jobs("create:heat_worker:network:n:1")


class BadInputTest(ManagerTest):
    def assert_failed(self, path, reason, version=1):
        state = self.wait_state(path, version)
        self.assertRegex(state["state"]["worker_state"], "_FAILED$")
        self.assertIn(reason, state["error"])

    def test_each_gets_its_own_error_and_the_others_go_on(self):
        self.start()
        self.store.put("/config/v2.0/networks/bad", b'{"body": "{", "version": 1}')
        self.store.put("/config/v2.0/unheard/of", b'{"body": {}, "version": 1}')
        self.store.put("/config/v2.0/networks/a/b", b'{"body": {}, "version": 1}')
        self.store.put("/config/nothing", b"nothing")
        self.store.put("/config/v2.0/networks/no-version", b'{"body": {}}')
        self.config(PORT, network_id="missing")
        self.config(QUOTA, id="q")
        self.wait_state(QUOTA)
        self.assert_failed("v2.0/networks/bad", "not JSON")
        self.assert_failed("v2.0/unheard/of", "unknown resource type")
        self.assert_failed(PORT, "network:missing")
        self.assertEqual([], self.jobs())

    def test_what_is_refused_is_not_refused_again_by_the_next_leader(self):
        self.start()
        self.config(PORT, network_id="missing")
        self.store.put("/config/v2.0/networks/bad", b'{"body": "{", "version": 1}')
        self.wait_state(PORT)
        self.wait_state("v2.0/networks/bad")
        before = [(e.key, e.mod_revision) for e in self.store.list(keys.STATE).entries]
        self.halt()
        self.start()
        # One that is refused now is refused later than those of before would be.
        self.config("v2.0/ports/later", network_id="missing")
        self.wait_state("v2.0/ports/later")
        after = [(e.key, e.mod_revision) for e in self.store.list(keys.STATE).entries if "later" not in e.key]
        self.assertEqual(before, after)

    def test_the_next_version_repairs_it(self):
        self.start()
        self.config(PORT, network_id="missing")
        self.assert_failed(PORT, "missing")
        self.config(NETWORK, name="x")
        self.config(PORT, 2, network_id="n")
        self.wait(lambda: any(job["resource_type"] == "port" for job in self.jobs()))

    def test_what_was_never_planned_is_created_by_the_next_version(self):
        self.start()
        self.config(NETWORK, name="x" * 1_000_000)
        self.assert_failed(NETWORK, "too large")
        self.config(NETWORK, 2, name="x")
        self.wait_jobs("create:heat_worker:network:n:2", "create:monitoring_worker:network:n:2")

    def test_what_is_there_stays_recorded(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1)
        self.config(NETWORK, 2, name="x" * 1_000_000)
        self.assert_failed(NETWORK, "too large", 2)
        recorded = {"body": {"name": "x"}, "version": 1, "deleted": False, "refused": 2}
        self.assertEqual(recorded, self.get(keys.RECORDED + NETWORK))
        self.config(NETWORK, 3, name="y")
        self.wait(lambda: self.names())
        self.assertIn("modify:heat_worker:network:n:3", self.names())
        self.assertEqual({"body": {"name": "y"}, "version": 3, "deleted": False}, self.get(keys.RECORDED + NETWORK))

    def test_what_could_not_be_used_is_taken_down_by_no_older_version(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1)
        self.store.put(keys.CONFIG + NETWORK, b'{"body": "{", "version": 2}')
        self.assert_failed(NETWORK, "not JSON", 2)
        self.store.delete(keys.CONFIG + NETWORK)
        self.wait_jobs("delete:monitoring_worker:network:n:2", "logical_delete:heat_worker:network:n:2")

    def test_nothing_is_left_of_what_was_refused(self):
        self.start()
        self.config(PORT, network_id="missing")
        self.assert_failed(PORT, "missing")
        self.config(PORT, 2, marked=True, network_id="missing")
        self.wait(lambda: self.names(), "its deletion")
        self.finish_all(PORT, 2, "DELETE_FAILED")
        self.config(NETWORK, marked=True, name="x" * 1_000_000)
        self.assert_failed(NETWORK, "too large")
        for path in (PORT, NETWORK):
            self.store.delete(keys.CONFIG + path)
        self.wait(lambda: not [e.key for e in self.store.list(keys.OWN).entries if NETWORK in e.key])
        self.assertIsNone(self.get(keys.STATE + NETWORK))

    def test_an_error_that_was_not_told_yet_gives_way_to_a_newer_version(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        for job in self.jobs():
            self.store.put(keys.claim(job["id"]), b"{}")
        self.store.put(keys.CONFIG + NETWORK, b'{"body": "{", "version": 2}')
        self.config(NETWORK, 3, name="y")
        self.wait(lambda: any(job["version"] == 3 for job in self.jobs()))
        self.finish_all(NETWORK, 3, "MODIFY_COMPLETED")
        self.config(QUOTA, id="q")
        self.wait_state(QUOTA)
        self.assertEqual((3, ""), tuple(self.get(keys.STATE + NETWORK)[each] for each in ("version", "error")))

    def test_a_body_too_large_for_a_transaction(self):
        self.start()
        self.config(NETWORK, name="x" * 1_000_000)
        self.assert_failed(NETWORK, "too large")

    def test_an_error_waits_for_the_older_version_at_work(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.store.put(keys.claim(self.jobs()[0]["id"]), b"{}")
        self.store.put(keys.CONFIG + NETWORK, b'{"body": "{", "version": 2}')
        self.config(QUOTA, id="q")
        self.wait_state(QUOTA)
        self.assertIsNone(self.get(keys.STATE + NETWORK))
        self.finish_all(NETWORK, 1)
        self.assert_failed(NETWORK, "not JSON", 2)


class RestartTest(ManagerTest):
    def test_what_is_unchanged_costs_nothing(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1)
        self.config(QUOTA, id="q")
        self.wait_state(QUOTA)
        self.halt()
        before = [(e.key, e.mod_revision) for e in self.store.list("/").entries]
        self.start()
        self.config("v2.0/quotas/later", id="later")
        self.wait_state("v2.0/quotas/later")
        after = [(e.key, e.mod_revision) for e in self.store.list("/").entries if "later" not in e.key]
        self.assertEqual(before, [each for each in after if each[0] != keys.LEADER])

    def test_what_changed_and_vanished_meanwhile(self):
        self.start()
        self.config(NETWORK, name="x")
        self.config(PORT, network_id="n")
        self.wait(lambda: len(self.jobs()) == 4)
        self.finish_all(NETWORK, 1)
        self.finish_all(PORT, 1)
        self.halt()
        self.store.delete(keys.CONFIG + PORT)
        self.config(NETWORK, 2, name="y")
        self.start()
        self.wait_jobs(
            "delete:monitoring_worker:network:n:2",
            "modify:heat_worker:network:n:2",
            "create:monitoring_worker:network:n:2",
            "delete:monitoring_worker:port:p:1",
            "logical_delete:heat_worker:port:p:1",
        )

    def test_jobs_that_were_lost_are_planned_again(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.halt()
        for job in self.jobs():
            self.store.delete(keys.job(job["id"]))
        self.start()
        self.wait_jobs("create:heat_worker:network:n:1", "create:monitoring_worker:network:n:1")


class EndTest(ManagerTest):
    def test_nothing_is_left_of_what_was_taken_down(self):
        self.start()
        before = [e.key for e in self.store.list("/").entries if e.key != keys.LEADER]
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1)
        self.config(NETWORK, 2, marked=True, name="x")
        self.wait_jobs("delete:monitoring_worker:network:n:2", "logical_delete:heat_worker:network:n:2")
        for key in ("heat_stacks", "job_state", "targets"):
            self.store.put(f"/esi-worker/{key}/{NETWORK}", b"{}")
        self.finish_all(NETWORK, 2, "DELETE_COMPLETED")
        self.store.delete(keys.CONFIG + NETWORK)
        self.store.delete(keys.STATE + NETWORK)
        self.wait(lambda: [e.key for e in self.store.list("/").entries if e.key != keys.LEADER] == before)

    def test_a_type_without_mark_is_torn_down_and_forgotten(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1)
        self.store.delete(keys.CONFIG + NETWORK)
        self.wait_jobs("delete:monitoring_worker:network:n:1", "logical_delete:heat_worker:network:n:1")
        self.finish_all(NETWORK, 1, "DELETE_COMPLETED")
        self.wait(lambda: self.store.get(keys.RECORDED + NETWORK) is None)
        self.assertEqual([], [e.key for e in self.store.list("/").entries if e.key != keys.LEADER])

    def test_what_depended_on_a_failed_job_is_cancelled(self):
        self.start()
        self.config(NETWORK, name="x")
        self.config(PORT, network_id="n")
        self.config(QUOTA, id="q")
        self.wait(lambda: len(self.jobs()) == 4)
        heat = next(job["id"] for job in self.jobs() if job["id"].startswith("create:heat_worker:network"))
        self.store.put(keys.failed(heat), codec.encode({"message": "no such flavour"}))
        self.wait(lambda: not self.jobs())
        state = self.wait_state(PORT)
        self.assertEqual("CREATE_FAILED", state["state"]["worker_state"])
        self.assertIn(heat, state["error"])
        self.assertIn("no such flavour", state["error"])
        self.assertIsNone(self.store.get(keys.failed(heat)))
        self.assertIsNone(self.get(keys.STATE + NETWORK))


class RetryTest(ManagerTest):
    def test_an_operator_asks_for_another_try(self):
        self.start()
        self.config(NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 2)
        self.finish_all(NETWORK, 1, "CREATE_FAILED")
        self.store.put(f"{keys.RETRY}{NETWORK}", b"{}")
        self.wait_jobs("create:heat_worker:network:n:1", "create:monitoring_worker:network:n:1")
        self.wait(lambda: not self.store.list(keys.RETRY).entries)

    def test_a_try_of_nothing_is_taken_away(self):
        self.start()
        for path in ("v2.0/networks/unheard-of", "nonsense", "v2.0/unheard/of"):
            self.store.put(keys.RETRY + path, b"{}")
        self.wait(lambda: not self.store.list(keys.RETRY).entries)
        self.assertEqual([], self.jobs())


class TakeOverTest(ManagerTest):
    def test_a_leader_that_lost_its_key_writes_nothing(self):
        self.start()
        self.config(QUOTA, id="q")
        self.wait_state(QUOTA)
        self.store.put(keys.LEADER, b"somebody else")
        entry = self.store.get(keys.LEADER)
        self.store.delete(keys.LEADER)
        self.store.put(keys.LEADER, entry.value)
        self.config(QUOTA, 2, id="q")
        revision = self.store.list("/").revision
        self.wait(lambda: not self.thread.is_alive() or self.store.list("/").revision >= revision)
        self.assertEqual(1, self.get(keys.STATE + QUOTA)["version"])

    def test_two_managers_write_each_workflow_once(self):
        self.start()
        first_stop, first_thread = self.stop, self.thread
        self.start()
        for number in range(20):
            self.config(f"v2.0/networks/n{number}", name="x")
        self.wait(lambda: len(self.jobs()) == 40)
        first_stop.set()
        first_thread.join(10)
        for number in range(20, 30):
            self.config(f"v2.0/networks/n{number}", name="x")
        self.wait(lambda: len(self.jobs()) == 60)
