"""Which jobs a worker may claim, told from nothing but the keys under /jobs/."""

import unittest

from esi_worker.pipeline import jobqueue
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys
from tests.unit.jobs import job


def entry(key, value=b"{}", revision=5):
    return base.Entry(key, value, revision, revision)


def job_entry(each, attempts=0):
    return entry(keys.job(each.id), codec.encode([each.handler, each.to_document(), attempts]))


def put(*entries):
    return base.Batch(9, tuple(base.Event(base.PUT, each) for each in entries))


def deleted(*names):
    return base.Batch(9, tuple(base.Event(base.DELETE, base.Entry(name, b"", 0, 9)) for name in names))


class ReadyTest(unittest.TestCase):
    def setUp(self):
        self.queue = jobqueue.JobQueue({"heat_worker"}, lambda each: each.resource_input["tenant_id"])
        self.first = job("network:n")
        self.second = job("port:p", after=(self.first.id,))

    def ready(self, limit=99):
        found = []
        for pending in self.queue.ready(lambda lane: len(found) < limit):
            found.append(pending.job_id)
        return found

    def list(self, *entries):
        self.queue.listed(base.Snapshot(5, tuple(sorted(entries, key=lambda each: each.key))))

    def test_a_job_without_dependencies_is_ready(self):
        self.queue.changed(put(job_entry(self.first)))
        self.assertEqual([self.first.id], self.ready())

    def test_it_is_offered_once(self):
        self.queue.changed(put(job_entry(self.first)))
        self.ready()
        self.assertEqual([], self.ready())

    def test_a_job_waits_for_its_dependency(self):
        self.queue.changed(put(job_entry(self.first), job_entry(self.second)))
        self.assertEqual([self.first.id], self.ready())
        self.queue.changed(deleted(keys.job(self.first.id)))
        self.assertEqual([self.second.id], self.ready())

    def test_a_dependency_that_comes_later_in_the_listing_counts(self):
        self.list(job_entry(self.second), job_entry(self.first))
        self.assertEqual([self.first.id], self.ready())

    def test_a_dependency_that_is_gone_already_is_finished(self):
        self.list(job_entry(self.second))
        self.assertEqual([self.second.id], self.ready())

    def test_a_claimed_job_is_not_offered_until_its_claim_is_gone(self):
        self.list(job_entry(self.first), entry(keys.claim(self.first.id)))
        self.assertEqual([], self.ready())
        self.queue.changed(deleted(keys.claim(self.first.id)))
        self.assertEqual([self.first.id], self.ready())

    def test_a_failed_job_is_not_offered_and_holds_its_dependants(self):
        self.list(job_entry(self.first), job_entry(self.second), entry(keys.failed(self.first.id)))
        self.assertEqual([], self.ready())

    def test_a_job_of_another_handler_is_never_ready_but_is_waited_for(self):
        other = job("network:n", handler="somebody_elses")
        mine = job("port:p", after=(other.id,))
        self.list(job_entry(other), job_entry(mine))
        self.assertEqual([], self.ready())
        self.queue.changed(deleted(keys.job(other.id)))
        self.assertEqual([mine.id], self.ready())

    def test_a_listing_repairs_what_the_watch_missed(self):
        self.list(job_entry(self.first), job_entry(self.second), entry(keys.claim(self.first.id)))
        self.list(job_entry(self.second))
        self.assertEqual([self.second.id], self.ready())

    def test_a_listing_frees_a_job_whose_claim_is_gone(self):
        self.list(job_entry(self.first), entry(keys.claim(self.first.id)))
        self.list(job_entry(self.first))
        self.assertEqual([self.first.id], self.ready())

    def test_given_back_it_is_offered_again(self):
        self.list(job_entry(self.first))
        self.ready()
        self.queue.give_back(self.first.id)
        self.assertEqual([self.first.id], self.ready())

    def test_what_is_no_job_is_left_aside(self):
        self.list(entry(keys.job("nonsense"), b"[1, 2"), job_entry(self.first))
        self.assertEqual([self.first.id], self.ready())

    def test_outside_systems_take_turns(self):
        many = [job(f"port:p{n}") for n in range(3)]
        other = job("port:z")
        other.resource_input["tenant_id"] = "t2"
        self.list(*(job_entry(each) for each in [*many, other]))
        self.assertIn(other.id, self.ready(limit=2))


class ConditionsTest(unittest.TestCase):
    def test_the_claim_proves_that_it_may_start(self):
        queue = jobqueue.JobQueue({"heat_worker"}, lambda each: "")
        dependant = job("port:p", after=("gone",))
        queue.changed(put(job_entry(dependant)))
        pending = next(queue.ready(lambda lane: True))
        self.assertEqual(
            [
                base.created_at(keys.job(dependant.id), 5),
                base.absent(keys.claim(dependant.id)),
                base.absent(keys.failed(dependant.id)),
                base.absent(keys.job("gone")),
            ],
            pending.conditions(),
        )
