"""Who waits for whom, who is dropped, who is cancelled."""

import unittest

from esi_worker import api
from esi_worker.pipeline import dependency
from tests.unit.jobs import job
from tests.unit.jobs import ref

FOLLOWERS = {"monitoring_worker"}


def unfinished(*jobs):
    found = dependency.Unfinished()
    for each in jobs:
        found.add(each)
    return found


class NeededTest(unittest.TestCase):
    def needed(self, known, *chain, reverse=False):
        return dependency.needed(chain[0].ref, chain, known, FOLLOWERS, reverse=reverse)

    def test_forward_waits_for_what_brings_a_relative_about(self):
        network = job("network:n")
        watching = job("network:n", handler="monitoring_worker")
        port = job("port:p", passes=("network:n",))
        self.assertEqual((network.id,), self.needed(unfinished(network, watching), port))

    def test_a_finished_relative_is_not_waited_for(self):
        known = unfinished(job("network:n"))
        known.remove(job("network:n").id)
        self.assertEqual((), self.needed(known, job("port:p", passes=("network:n",))))

    def test_what_any_job_of_the_chain_passed_is_waited_for(self):
        gateway = job("gateway:g")
        chain = (job("port:p", action=api.MODIFY), job("port:p", handler="monitoring_worker", passes=("gateway:g",)))
        self.assertEqual((gateway.id,), self.needed(unfinished(gateway), *chain))

    def test_a_deletion_waits_for_the_jobs_that_use_it_of_any_handler(self):
        port = job("port:p", passes=("network:n",))
        watching = job("port:p", handler="monitoring_worker", passes=("network:n",))
        deletion = job("network:n", action=api.LOGICAL_DELETE)
        known = unfinished(port, watching)
        self.assertEqual((port.id, watching.id), self.needed(known, deletion, reverse=True))
        self.assertEqual((), self.needed(known, deletion, reverse=False))

    def test_an_older_version_comes_first(self):
        older = job("port:p")
        self.assertEqual((older.id,), self.needed(unfinished(older), job("port:p", version=2, action=api.MODIFY)))


class DroppableTest(unittest.TestCase):
    def dropped(self, known, claimed=()):
        return [each.id for each in dependency.droppable(ref("port:p"), known, claimed)]

    def test_what_nobody_runs_is_dropped(self):
        heat, watch = job("port:p"), job("port:p", handler="monitoring_worker", after=(job("port:p").id,))
        self.assertEqual([heat.id, watch.id], self.dropped(unfinished(heat, watch)))

    def test_what_somebody_runs_stays(self):
        heat, watch = job("port:p"), job("port:p", handler="monitoring_worker", after=(job("port:p").id,))
        self.assertEqual([watch.id], self.dropped(unfinished(heat, watch), claimed={heat.id}))

    def test_what_another_resource_waits_for_stays_with_all_before_it(self):
        before = job("port:p", action=api.DELETE, handler="monitoring_worker", version=2)
        heat = job("port:p", action=api.MODIFY, version=2, after=(before.id,))
        after = job("port:p", handler="monitoring_worker", version=2, after=(before.id, heat.id))
        other = job("logical_port:l", after=(heat.id,))
        self.assertEqual([after.id], self.dropped(unfinished(before, heat, after, other)))


class CancelledTest(unittest.TestCase):
    def cancelled(self, failed, *others):
        return [each.id for each in dependency.cancelled_with(failed, unfinished(failed, *others))]

    def test_the_rest_of_the_workflow_and_those_that_use_it_transitively(self):
        network = job("network:n")
        watch = job("network:n", handler="monitoring_worker", after=(network.id,))
        port = job("port:p", after=(network.id,), passes=("network:n",))
        logical = job("logical_port:l", after=(port.id,), passes=("port:p",))
        self.assertEqual([watch.id, port.id, logical.id], self.cancelled(network, watch, port, logical))

    def test_use_by_a_later_job_of_the_workflow_counts(self):
        gateway = job("gateway:g")
        first = job("port:p", action=api.DELETE, handler="monitoring_worker", version=2, after=(gateway.id,))
        then = job("port:p", action=api.MODIFY, version=2, after=(first.id,), passes=("gateway:g",))
        self.assertEqual([first.id, then.id], self.cancelled(gateway, first, then))

    def test_a_newer_version_is_released_and_not_cancelled(self):
        failed = job("port:p")
        newer = job("port:p", action=api.MODIFY, version=2, after=(failed.id,))
        self.assertEqual([], self.cancelled(failed, newer))

    def test_a_deletion_is_released_and_not_cancelled(self):
        port = job("port:p", passes=("network:n",))
        deletion = job("network:n", action=api.LOGICAL_DELETE, version=2, after=(port.id,))
        own = job("port:p", action=api.LOGICAL_DELETE, version=2, after=(port.id,), passes=("network:n",))
        self.assertEqual([], self.cancelled(port, deletion, own))

    def test_a_deletion_goes_on_though_its_relative_failed(self):
        network = job("network:n", action=api.MODIFY, version=2)
        deletion = job("port:p", action=api.LOGICAL_DELETE, version=2, after=(network.id,), passes=("network:n",))
        self.assertEqual([], self.cancelled(network, deletion))
