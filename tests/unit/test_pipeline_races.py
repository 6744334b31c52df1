"""Moments at which two things happen at once in the pipeline, each found by a test with real processes first."""

import threading
import unittest

from esi_worker import api
from esi_worker.pipeline import catalog
from esi_worker.pipeline import collector
from esi_worker.pipeline import job_events
from esi_worker.pipeline import jobqueue
from esi_worker.pipeline import leader
from esi_worker.pipeline import ledger
from esi_worker.pipeline import planner
from esi_worker.pipeline import scheduling
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory
from esi_worker.testing import context
from tests import waiting
from tests.unit import test_manager
from tests.unit import test_planner
from tests.unit import test_worker
from tests.unit.jobs import job


def job_entry(each, revision=5):
    value = codec.encode([each.handler, each.to_document(), 0])
    return base.Entry(keys.job(each.id), value, revision, revision)


def put(*entries):
    return base.Batch(9, tuple(base.Event(base.PUT, each) for each in entries))


def deleted(*names):
    return base.Batch(9, tuple(base.Event(base.DELETE, base.Entry(name, b"", 0, 9)) for name in names))


class ClaimedByAnotherTest(unittest.TestCase):
    """A job that another worker has is not offered: it would be tried for again and again."""

    def setUp(self):
        self.queue = jobqueue.JobQueue({"heat_worker"}, lambda each: "")
        self.job = job("network:n")
        self.queue.changed(put(job_entry(self.job)))
        self.claim = base.Entry(keys.claim(self.job.id), b"{}", 7, 7)

    def ready(self):
        return [pending.job_id for pending in self.queue.ready(lambda lane: True)]

    def test_the_claim_is_seen_before_the_refusal(self):
        self.assertEqual([self.job.id], self.ready())
        self.queue.changed(put(self.claim))
        self.queue.give_back(self.job.id)
        self.assertEqual([], self.ready())
        self.queue.changed(deleted(self.claim.key))
        self.assertEqual([self.job.id], self.ready())

    def test_a_job_that_failed_is_not_offered_when_its_claim_goes(self):
        failed = base.Entry(keys.failed(self.job.id), b"{}", 8, 8)
        self.queue.changed(put(self.claim))
        self.queue.changed(base.Batch(8, (*put(failed).events, *deleted(self.claim.key).events)))
        self.assertEqual([], self.ready())
        self.queue.changed(deleted(failed.key))
        self.assertEqual([self.job.id], self.ready())


class Silent(memory.MemoryStore):
    """An etcd in trouble, for all but the test itself.

    :ivar armed: the next claim is made, its answer is lost, and then nothing is answered for a while
    :ivar refusing: two jobs can't be claimed together; of two that are claimed one by one the second is refused
    """

    def __init__(self):
        super().__init__()
        self.armed = False
        self.refusing = False
        self._silence = 0
        self._alone = 0

    def transact(self, compares, success, failure=()):
        self._answer()
        claims = sum(1 for each in success if isinstance(each, base.Put) and each.key.startswith(keys.CLAIMS))
        if claims and self.refusing:
            if claims > 1:
                return base.Outcome(False, 1)
            self._alone += 1
            if self._alone == 2:
                self.refusing = False
                raise api.StoreError("refused")
        outcome = super().transact(compares, success, failure)
        if claims and self.armed:
            self.armed, self._silence = False, 3
            raise api.StoreError("no answer", unknown=True)
        return outcome

    def get(self, key):
        self._answer()
        return super().get(key)

    def _answer(self):
        if self._silence and threading.current_thread() is not threading.main_thread():
            self._silence -= 1
            raise api.StoreError("no answer", unknown=True)


class DoubtfulClaimTest(test_worker.WorkerTest):
    """A claim that was made must be worked on, though nobody heard that it was made."""

    def setUp(self):
        super().setUp()
        self.store = Silent()

    def test_etcd_is_away_when_the_claim_is_looked_for(self):
        self.store.armed = True
        self.put(job("port:p"))
        self.start()
        self.wait_state("p")
        self.assertEqual(1, len(self.handler.calls))

    def test_etcd_refuses_the_second_of_two_that_are_claimed_one_by_one(self):
        self.store.refusing = True
        self.put(job("port:p"))
        self.put(job("port:q"))
        self.start()
        self.wait_state("p")
        self.wait_state("q")
        self.assertEqual(2, len(self.handler.calls))


class FailedBeforeTheTermTest(unittest.TestCase):
    """A new leader finds a failed job; what was written after the failure and depends on it is cancelled too."""

    def test_dependants_that_are_younger_than_the_failure(self):
        rules = planner.Rules(catalog.Catalog(test_planner.TYPES), test_planner.HANDLERS, {})
        known = ledger.Ledger(memory.MemoryStore(), rules, {}, base.absent(keys.LEADER))
        failed = job("network:n")
        young = job("port:p", after=(failed.id,), passes=("network:n",))
        mark = base.Entry(keys.failed(failed.id), codec.encode({"message": "m"}), 6, 6)
        snapshot = base.Snapshot(9, (job_entry(failed, 5), mark, job_entry(young, 7)))
        job_events.JobEvents(known).listed(snapshot)
        known.flush()
        self.assertEqual("CREATE_FAILED", self.state(known, "v2.0/ports/p"))

    def state(self, known, path):
        entry = known.store.get(keys.STATE + path)
        return entry and codec.decode(entry.value)["state"]["worker_state"]


class OldListingTest(unittest.TestCase):
    """A listing that was made before a workflow was written does not tell that its jobs are done."""

    def setUp(self):
        rules = planner.Rules(catalog.Catalog(test_planner.TYPES), test_planner.HANDLERS, {})
        self.store = memory.MemoryStore()
        self.ledger = ledger.Ledger(self.store, rules, {}, base.absent(keys.LEADER))
        self.events = job_events.JobEvents(self.ledger)
        self.job = job("network:n")
        self.old = self.store.list(keys.JOBS)
        self.ledger.submit(scheduling.Write((), (base.Put(keys.job(self.job.id), scheduling.job_document(self.job)),)))
        self.ledger.planner.unfinished.add(self.job)

    def test_before_the_write(self):
        self.events.listed(self.old)
        self.assertIn(self.job.id, self.ledger.planner.unfinished)

    def test_after_the_write(self):
        self.ledger.flush()
        self.events.listed(self.old)
        self.assertIn(self.job.id, self.ledger.planner.unfinished)

    def test_a_listing_after_the_end_tells_of_it(self):
        self.ledger.flush()
        self.store.delete(keys.job(self.job.id))
        self.events.listed(self.store.list(keys.JOBS))
        self.assertNotIn(self.job.id, self.ledger.planner.unfinished)

    def test_a_job_that_etcd_told_of_is_done_when_it_is_gone(self):
        self.ledger.flush()
        self.events.listed(self.store.list(keys.JOBS))
        self.store.delete(keys.job(self.job.id))
        self.events.listed(self.store.list(keys.JOBS))
        self.assertNotIn(self.job.id, self.ledger.planner.unfinished)


class ClearedUp(memory.MemoryStore):
    """Between the listing of ``/config`` and that of ``/state`` somebody removes a resource from both."""

    path = ""

    def pages(self, prefix, *, size=1000):
        if prefix == keys.STATE and self.path:
            path, self.path = self.path, ""
            super().transact([], [base.Delete(keys.CONFIG + path), base.Delete(keys.STATE + path)])
        return super().pages(prefix, size=size)


class ClearedUpTest(test_manager.ManagerTest):
    """A resource that was taken down is not taken down again because its ``/state`` is gone by now."""

    def setUp(self):
        super().setUp()
        self.store = ClearedUp()

    def test_gohan_clears_up_while_a_term_begins(self):
        path = test_manager.PORT
        self.config(path, 2, marked=True, id="p", network_id="n")
        recorded = {"body": {"id": "p", "network_id": "n"}, "version": 2, "deleted": True}
        self.store.put(keys.RECORDED + path, codec.encode(recorded))
        self.finish_all(path, 2, "DELETE_COMPLETED")
        self.store.path = path
        self.start()
        self.wait(lambda: not self.get(keys.RECORDED + path), "it forgotten")
        self.assertEqual([], self.jobs())


class TakenDownAfterAFailureTest(test_manager.ManagerTest):
    """What /state says of the deletion that failed before is no word about the one that is at work."""

    def test_a_new_leader_finds_the_deletion_at_work(self):
        path = test_manager.PORT
        deletion = job("port:p", action=api.LOGICAL_DELETE)
        self.store.put(keys.job(deletion.id), codec.encode([deletion.handler, deletion.to_document(), 0]))
        recorded = {"body": {"id": "p", "network_id": "n"}, "version": 1, "deleted": True}
        self.store.put(keys.RECORDED + path, codec.encode(recorded))
        failed = {"state": {"worker_state": "DELETE_FAILED"}, "version": 1, "error": "e"}
        self.store.put(keys.STATE + path, codec.encode(failed))
        self.start()
        self.config(test_manager.QUOTA, id="q")
        self.wait_state(test_manager.QUOTA)
        self.finish_all(path, 1, "DELETE_COMPLETED")
        self.wait(lambda: not self.get(keys.RECORDED + path), "it forgotten")
        self.assertIsNone(self.get(keys.STATE + path))


class Late(memory.MemoryStore):
    """Does not answer the first transaction that plans something, and comes to it later."""

    def __init__(self):
        super().__init__()
        self.kept = None

    def transact(self, compares, success, failure=()):
        if self.kept is None and any(each.key.startswith(keys.RECORDED) for each in success):
            self.kept = compares, success
            raise api.StoreError("no answer", unknown=True)
        return super().transact(compares, success, failure)


class LateTest(test_manager.ManagerTest):
    """Who leads may be the same: what a plan was made on must be what is recorded."""

    def setUp(self):
        super().setUp()
        self.store = Late()

    def test_a_plan_that_comes_after_the_next_one_is_refused(self):
        self.start()
        self.config(test_manager.PORT, network_id="n")
        self.config(test_manager.NETWORK, name="x")
        self.wait(lambda: len(self.jobs()) == 4)
        before = [entry.key for entry in self.store.list("/").entries]
        self.assertFalse(self.store.transact(*self.store.kept).succeeded)
        self.assertEqual(before, [entry.key for entry in self.store.list("/").entries])


class Overtaken(memory.MemoryStore):
    """Another candidate wins between the look and the candidacy."""

    def __init__(self, stop):
        super().__init__()
        self.stop = stop

    def transact(self, compares, success, failure=()):
        if not self.stop.is_set():
            self.stop.set()
            super().put(keys.LEADER, b'{"name": "the other one"}')
        return super().transact(compares, success, failure)


class OvertakenTest(unittest.TestCase):
    def test_who_was_overtaken_does_not_lead(self):
        stop = threading.Event()
        self.assertIsNone(leader.campaign(Overtaken(stop), "m", 3, stop))


class RefusingMembership(memory.MemoryStore):
    """Takes no collector's key until it is told to."""

    def __init__(self):
        super().__init__()
        self.granted = []
        self.refusals = 2

    def grant(self, ttl):
        lease = super().grant(ttl)
        self.granted.append(lease)
        return lease

    def put(self, key, value, *, lease=0):
        if key.startswith(keys.COLLECTORS) and self.refusals:
            self.refusals -= 1
            raise api.StoreError("refused")
        return super().put(key, value, lease=lease)


class CollectorLeaseTest(unittest.TestCase):
    def test_a_lease_without_its_key_is_given_back(self):
        store = RefusingMembership()
        options = collector.Options(1.0, 3, 300.0)
        found = collector.Collector(store, context.StandInMonitor(), lambda ref: None, options, "c")
        stop = threading.Event()
        thread = threading.Thread(target=found.run, args=(stop,), daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)
        self.addCleanup(stop.set)
        waiting.wait_for(lambda: store.list(keys.COLLECTORS).entries, "the collector's key")
        self.assertEqual([0, 0], [store.keep_alive(lease) for lease in store.granted[:-1]])
