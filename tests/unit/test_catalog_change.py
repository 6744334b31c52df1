"""Another catalog while everything runs: what the worker and the job manager make of types that come and go."""

from esi_worker import api
from esi_worker.pipeline import catalog
from esi_worker.pipeline import planner
from esi_worker.store import codec
from esi_worker.store import keys
from tests.unit import test_manager
from tests.unit import test_planner
from tests.unit import test_worker
from tests.unit.jobs import job

KITE = api.ResourceType("kite", "kites", "toys/v1", templates={"heat_worker": "Ckite"})


class WorkerTest(test_worker.WorkerTest):
    def test_a_job_of_an_unknown_type_waits_for_another_catalog(self):
        strange = self.put(job("kite:k"))
        found = self.start()
        usual = self.put(job("port:p"))
        self.wait(lambda: self.get(keys.job(usual.id)) is None, "the usual job")
        self.assertIsNone(self.get(keys.claim(strange.id)))
        found.adopt(catalog.Catalog([*test_worker.TYPES, KITE]), test_worker.TEMPLATES)
        self.wait(lambda: self.get(keys.job(strange.id)) is None, "the strange job")
        self.assertEqual([usual.id, strange.id], self.handler.calls)
        self.assertEqual(1, self.get("/state/toys/v1/kites/k")["version"])


class ManagerTest(test_manager.ManagerTest):
    def with_types(self, *types):
        self.rules = planner.Rules(catalog.Catalog(types), test_planner.HANDLERS, {})

    def test_new_rules_begin_a_new_term(self):
        self.start()
        self.config("toys/v1/kites/k")
        state = self.wait_state("toys/v1/kites/k")
        self.assertIn("unknown resource type", state["error"])
        leader = self.store.get(keys.LEADER)
        self.with_types(*test_planner.TYPES, api.ResourceType("kite", "kites", "toys/v1"))
        self.wait(lambda: self.get("/state/toys/v1/kites/k")["error"] == "", "the kite")
        self.assertEqual(leader, self.store.get(keys.LEADER))  # the same one leads

    def test_a_job_that_failed_when_its_type_was_gone(self):
        failed = job("kite:k")
        self.store.put(keys.job(failed.id), codec.encode([failed.handler, failed.to_document(), 0]))
        self.store.put(keys.failed(failed.id), codec.encode({"message": "no"}))
        self.start()
        self.wait(lambda: not self.store.list(keys.JOBS).entries, "the end of the job")
        self.config(test_manager.QUOTA)
        self.wait_state(test_manager.QUOTA)

    def test_what_was_planned_is_left_alone_when_its_type_is_gone(self):
        kite = api.ResourceType("kite", "kites", "toys/v1", templates={"heat_worker": "Cnetwork"})
        self.with_types(*test_planner.TYPES, kite)
        self.start()
        self.config("toys/v1/kites/k", 2, name="k")
        self.wait_jobs("create:heat_worker:kite:k:2")
        self.config("toys/v1/tops/t")
        self.assertIn("unknown resource type", self.wait_state("toys/v1/tops/t")["error"])
        self.with_types(*test_planner.TYPES, api.ResourceType("top", "tops", "toys/v1"))
        # The new term looks at the kite, which is older, first.
        self.wait(lambda: self.get("/state/toys/v1/tops/t")["error"] == "", "the top")
        self.assertIsNone(self.get("/state/toys/v1/kites/k"))
        self.wait_jobs("create:heat_worker:kite:k:2")
        self.config("toys/v1/kites/k", 3)
        self.assertIn("unknown resource type", self.wait_state("toys/v1/kites/k", 3)["error"])
