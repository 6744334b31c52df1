"""The worker on a store in memory, with handlers that do what a test says."""

import dataclasses
import threading
import time
import unittest

from esi_worker import api
from esi_worker.pipeline import catalog
from esi_worker.pipeline import worker
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory
from esi_worker.testing import context
from tests.unit.jobs import job
from tests.unit.jobs import ref

TYPES = [
    api.ResourceType("network", "networks", templates={"heat_worker": "Cnetwork"}),
    api.ResourceType("port", "ports", templates={"heat_worker": "Cport"}),
]
TEMPLATES = {
    "port": api.Template("port", "heat_worker", "name: {{ name }}", {}),
    "network": api.Template("network", "heat_worker", "name: x", {}),
}


class Scripted(api.Handler):
    """Does what ``script`` says for a resource's id; without a word of it the job is done."""

    record_kind = "heat_stacks"

    def __init__(self):
        self.script = {}
        self.calls = []
        self.lanes = {}
        self.closed = False

    def lane(self, each):
        return self.lanes.get(each.resource_id, "")

    def apply(self, each, given):
        self.calls.append(each.id)
        steps = self.script.get(each.resource_id)
        if callable(steps):
            return steps(each, given)
        answer = steps.pop(0) if steps else api.Done({"heat_outputs": []}, {"output": []})
        if isinstance(answer, Exception):
            raise answer
        return answer

    remove = apply

    def close(self):
        self.closed = True


class WorkerTest(unittest.TestCase):
    options = worker.Options(
        slots=4, lease_ttl=3, max_attempts=3, retry_delay=0.01, retry_delay_max=0.02, drain_timeout=1
    )

    def setUp(self):
        self.store = memory.MemoryStore()
        self.handler = Scripted()
        self.stop = None

    def start(self, options=None):
        self.stop = threading.Event()
        found = worker.Worker(
            self.store,
            catalog.Catalog(TYPES),
            {"heat_worker": self.handler},
            TEMPLATES,
            context.StandInMonitor(),
            options or self.options,
            "test",
        )
        self.thread = threading.Thread(target=found.run, args=(self.stop,), daemon=True)
        self.thread.start()
        self.addCleanup(self.halt)
        return found

    def halt(self):
        self.stop.set()
        self.thread.join(10)

    def put(self, each, attempts=0):
        self.store.put(keys.job(each.id), codec.encode([each.handler, each.to_document(), attempts]))
        return each

    def get(self, key):
        entry = self.store.get(key)
        return None if entry is None else codec.decode(entry.value)

    def wait(self, condition, what="the condition"):
        deadline = time.monotonic() + 10
        pause = threading.Event()
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}: {[e.key for e in self.store.list('/').entries]}")
            pause.wait(0.005)

    def wait_state(self, resource_id, plural="ports"):
        key = f"/state/v2.0/{plural}/{resource_id}"
        self.wait(lambda: self.get(key), key)
        return self.get(key)


class FinishingTest(WorkerTest):
    def test_what_a_handler_gives_is_published(self):
        self.start()
        self.handler.script["p"] = [api.Done({"heat_outputs": [1]}, {"stack_status": "CREATE_COMPLETE"})]
        self.put(job("port:p"))
        state = self.wait_state("p")
        self.assertEqual({"worker_state": "CREATE_COMPLETED", "heat_outputs": "[1]"}, state["state"])
        self.assertEqual({"stack_status": "CREATE_COMPLETE"}, self.get("/esi-worker/heat_stacks/v2.0/ports/p"))
        self.assertEqual({"heat_outputs": [1]}, self.get("/esi-worker/job_state/v2.0/ports/p"))
        self.assertEqual((), self.store.list("/jobs/").entries)

    def test_all_that_a_finish_writes_is_one_transaction(self):
        self.start()
        self.put(job("port:p"))
        self.wait_state("p")
        written = ["/state/v2.0/ports/p", "/esi-worker/job_state/v2.0/ports/p", "/esi-worker/heat_stacks/v2.0/ports/p"]
        self.assertEqual(1, len({self.store.get(key).mod_revision for key in written}))

    def test_results_of_a_workflow_are_merged_and_published_with_the_last(self):
        self.start()
        first = job("port:p", last=False)
        second = job("port:p", first=False, after=(first.id,), suffix="bbbbb")
        self.handler.script["p"] = [api.Done({"heat_outputs": []}), api.Done({"state_monitoring": {"a": "master"}})]
        self.put(second)
        self.put(first)
        state = self.wait_state("p")["state"]
        self.assertEqual({"worker_state", "heat_outputs", "state_monitoring"}, set(state))

    def test_a_job_that_waits_holds_no_thread(self):
        self.start()
        for number in range(20):
            self.handler.script[f"p{number}"] = [api.Again(0.01), api.Again(30)]
            self.put(job(f"port:p{number}"))
        self.wait(lambda: len(self.handler.calls) == 40)
        self.put(job("port:quick"))
        self.wait_state("quick")

    def test_a_dependant_starts_after_its_dependency_is_gone(self):
        self.start()
        first, second = job("network:n"), job("port:p", after=(job("network:n").id,))
        self.handler.script["n"] = [api.Again(0.05)]
        self.put(first)
        self.put(second)
        self.wait_state("p")
        self.assertEqual([first.id, first.id, second.id], self.handler.calls)


class FailureTest(WorkerTest):
    def fail_with(self, *steps, **kwargs):
        self.start()
        self.handler.script["p"] = list(steps)
        return self.put(job("port:p", **kwargs))

    def test_a_permanent_error_is_published_and_its_dependants_are_held(self):
        each = self.fail_with(api.PermanentError("no such flavour", "detail"))
        later = self.put(job("port:later", after=(each.id,)))
        state = self.wait_state("p")
        self.assertEqual(("CREATE_FAILED", "no such flavour"), (state["state"]["worker_state"], state["error"]))
        self.assertEqual({"message": "no such flavour"}, self.get(keys.failed(each.id)))
        self.assertIsNotNone(self.store.get(keys.job(each.id)))
        self.assertIsNone(self.store.get(keys.claim(each.id)))
        self.put(job("port:other"))
        self.wait_state("other")
        self.assertNotIn(later.id, self.handler.calls)

    def test_a_temporary_error_is_tried_again_and_counted(self):
        each = self.fail_with(api.TemporaryError("later"), api.Again(30))
        self.wait(lambda: len(self.handler.calls) == 2)
        self.assertEqual(1, self.get(keys.job(each.id))[2])

    def test_attempts_are_bounded(self):
        self.fail_with(*[api.Unreachable("Heat does not answer")] * 9)
        self.assertEqual("Heat does not answer", self.wait_state("p")["error"])
        self.assertEqual(3, len(self.handler.calls))

    def test_attempts_of_an_earlier_worker_count(self):
        self.start()
        self.handler.script["p"] = [api.TemporaryError("still")] * 9
        self.put(job("port:p"), attempts=2)
        self.wait_state("p")
        self.assertEqual(1, len(self.handler.calls))

    def test_a_failure_that_is_to_be_ignored_lets_the_rest_go_on(self):
        first = self.fail_with(api.PermanentError("gone"), on_failure=api.IGNORE, last=False)
        self.put(job("port:p", first=False, after=(first.id,), suffix="bbbbb"))
        self.assertEqual("CREATE_COMPLETED", self.wait_state("p")["state"]["worker_state"])

    def test_a_bug_of_a_handler_is_tried_again_and_then_said_to_be_one(self):
        self.fail_with(*[ValueError("secret details")] * 9)
        self.assertEqual("internal error in heat_worker", self.wait_state("p")["error"])
        self.assertEqual(3, len(self.handler.calls))

    def test_nonsense_is_an_internal_error(self):
        for number, nonsense in enumerate((None, {"a": 1}, api.Done([1]), api.Done({"a": object()}), api.Again("x"))):
            with self.subTest(nonsense=nonsense):
                if self.stop is None:
                    self.start()
                self.handler.script[f"n{number}"] = [nonsense] * 9
                self.put(job(f"port:n{number}"))
                self.assertEqual("internal error in heat_worker", self.wait_state(f"n{number}")["error"])

    def test_a_result_that_etcd_never_takes(self):
        self.fail_with(api.Done({"big": "x" * 2_000_000}))
        self.assertIn("can't be stored", self.wait_state("p")["error"])

    def test_no_secret_is_published(self):
        self.start()

        def leak(each, given):
            raise api.PermanentError(f"refused {given.params['device_password']}", given.params["device_password"])

        self.handler.script["p"] = leak
        leaky = job("port:p")
        secret = api.Param("device_password", api.VALUE, "hunter-two-two")
        self.put(api.Job.from_document({**leaky.to_document(), "params": [secret.to_document()]}))
        self.assertEqual("refused ***", self.wait_state("p")["error"])


class TroubleTest(WorkerTest):
    def test_one_that_never_returns_costs_its_claim_and_nothing_else(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.handler.script["p"] = lambda each, given: release.wait(30)
        options = worker.Options(
            slots=1, lease_ttl=3, max_attempts=2, retry_delay=0.01, call_timeout=0.1, drain_timeout=1
        )
        self.start(options)
        self.put(job("port:p"))
        self.assertIn("did not come back", self.wait_state("p")["error"])
        self.put(job("port:q"))
        self.wait_state("q")

    def test_one_that_is_never_done_fails_in_the_end(self):
        self.handler.script["p"] = lambda each, given: api.Again(0.01)
        self.start(dataclasses.replace(self.options, job_timeout=0.2))
        self.put(job("port:p"))
        self.assertIn("not done within 0.2 s", self.wait_state("p")["error"])

    def test_a_system_in_trouble_leaves_slots_to_others(self):
        release = threading.Event()
        self.addCleanup(release.set)
        for number in range(10):
            self.handler.lanes[f"p{number}"] = "dead"
            self.handler.script[f"p{number}"] = lambda each, given: release.wait(30)
            self.put(job(f"port:p{number}"))
        self.put(job("port:healthy"))
        self.start()
        self.wait_state("healthy")

    def test_a_lost_lease_loses_the_claims_and_the_work_is_done_by_the_next(self):
        found = self.start()
        self.handler.script["p"] = [api.Again(0.3)] * 3
        each = self.put(job("port:p"))
        self.wait(lambda: self.store.get(keys.claim(each.id)))
        lease = self.store.get(keys.claim(each.id)).lease
        self.store.revoke(lease)
        self.wait_state("p")
        self.assertNotEqual(lease, found._lease.id)

    def test_a_handler_learns_that_its_job_may_be_somebody_elses(self):
        told = threading.Event()
        pause = threading.Event()

        def work(each, given):
            if told.is_set():
                return api.Done({})
            given.confirm()
            self.store.revoke(self.store.get(keys.claim(each.id)).lease)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    given.confirm()
                except api.TemporaryError:
                    told.set()
                    raise
                pause.wait(0.01)
            return api.Done({})

        self.handler.script["p"] = work
        self.start()
        self.put(job("port:p"))
        self.wait(told.is_set, "the handler told")
        self.wait_state("p")

    def test_stopping_gives_the_claims_back(self):
        self.start()
        self.handler.script["p"] = [api.Again(60)]
        each = self.put(job("port:p"))
        self.wait(lambda: self.store.get(keys.claim(each.id)))
        self.halt()
        self.assertFalse(self.thread.is_alive())
        self.assertIsNone(self.store.get(keys.claim(each.id)))
        self.assertIsNotNone(self.store.get(keys.job(each.id)))
        self.assertTrue(self.handler.closed)

    def test_two_workers_run_each_job_once(self):
        self.start()
        other = Scripted()
        first, self.handler = self.handler, other
        self.start()
        names = [f"p{number}" for number in range(40)]
        for name in names:
            self.put(job(f"port:{name}"))
        for name in names:
            self.wait_state(name)
        self.assertEqual(40, len(first.calls) + len(other.calls))


class ParamsTest(WorkerTest):
    def run_with(self, param, check):
        seen = {}

        def look(each, given):
            seen["value"] = given.params["p"]
            return api.Done()

        self.handler.script["p"] = look
        self.start()
        self.put(api.Job.from_document({**job("port:p").to_document(), "params": [param.to_document()]}))
        self.wait_state("p")
        check(seen["value"])

    def output(self, key):
        return {"output_key": key, "resource_type": "network", "resource_id": "n"}

    def test_outputs_come_from_the_stack_of_the_other_resource(self):
        stack = {"output": [{"output_key": "id", "output_value": 7}, {"output_key": "name", "output_value": None}]}
        self.store.put("/esi-worker/heat_stacks/v2.0/networks/n", codec.encode(stack))
        members = [api.Param("p", api.OUTPUT_KEY, self.output(key)).to_document() for key in ("id", "name")]
        self.run_with(
            api.Param("p", api.LIST, members, (ref("network:n"),)), lambda value: self.assertEqual([7, None], value)
        )

    def test_a_secret_is_read_when_it_is_used(self):
        self.store.put("/config/v2.0/networks/n", codec.encode({"body": {"password": "abc"}, "version": 1}))
        param = api.Param("p", api.SECRET, {**ref("network:n").to_document(), "field": "password"})
        self.run_with(param, lambda value: self.assertEqual("abc", value))

    def test_an_output_that_is_not_there_is_waited_for(self):
        self.handler.script["p"] = lambda each, given: api.Done({"x": given.params["p"]})
        self.start()
        param = api.Param("p", api.OUTPUT_KEY, self.output("id"))
        self.put(api.Job.from_document({**job("port:p").to_document(), "params": [param.to_document()]}))
        self.assertIn("network:n", self.wait_state("p")["error"])
        self.assertEqual(3, len(self.handler.calls))

    def test_the_template_of_etcd_wins_over_the_file(self):
        rendered = []

        def render(each, given):
            rendered.append(given.render({"name": "a"}))
            return api.Done()

        self.handler.script["p"] = render
        self.start()
        self.put(job("port:p"))
        self.wait_state("p")
        body = {"id": "port", "handler": "heat_worker", "template_file": "from: etcd", "parameter_mappings": {}}
        self.store.put(keys.heat_template("port"), codec.encode({"body": body, "version": 1}))
        self.put(job("port:p", version=2))
        self.wait(lambda: len(rendered) == 2)
        self.assertEqual([{"name": "a"}, {"from": "etcd"}], rendered)
