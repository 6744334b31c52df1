"""Each violation of an invariant is seen, in histories made by hand."""

from __future__ import annotations

import unittest

from esi_worker.store import keys
from tests.chaos import invariants
from tests.functional.deployment import Change

PORT = "v2.0/ports/p"
JOB = "create:heat_worker:port:p:1:aaaaa"
AGAIN = "create:heat_worker:port:p:1:bbbbb"
SECOND = "create:monitoring_worker:port:p:1:ccccc"


def config(version=1):
    return (keys.CONFIG + PORT, {"body": "{}", "version": version, "marked_for_deletion": False})


def state(version=1, name="CREATE_COMPLETED"):
    return (keys.STATE + PORT, {"state": {"worker_state": name}, "version": version, "error": ""})


def job(job_id=JOB, *dependency):
    return (keys.job(job_id), ["heat_worker", {"id": job_id, "dependency": list(dependency)}, 0])


def claim(job_id=JOB):
    return (keys.claim(job_id), {"worker": "w"})


def recorded():
    return (f"{keys.RECORDED}{PORT}", {"version": 1})


def done(job_id=JOB, *more):
    return [(keys.job(job_id), None), (keys.claim(job_id), None), (f"{keys.JOB_STATE}{PORT}", {"a": 1}), *more]


LEADER = (keys.LEADER, {"name": "m"})
PLANNED = [[LEADER], [config()], [recorded(), job()]]
STARTED = [*PLANNED, [claim(), (f"{keys.JOB_STATE}{PORT}", {})]]
FINISHED = [*STARTED, done(JOB, state())]


def history(*steps):
    """Each step is a revision: pairs of key and value, or one such pair."""
    return [
        Change(revision, key, value)
        for revision, step in enumerate(steps, 1)
        for key, value in (step if isinstance(step, list) else [step])
    ]


def violations(*steps):
    return [each.invariant for each in invariants.Checker().feed(history(*steps))]


class HistoryTest(unittest.TestCase):
    """What must never happen on the way."""

    def test_a_whole_life_violates_nothing(self):
        self.assertEqual([], violations(*FINISHED))

    def test_what_is_fed_in_pieces_is_one_history(self):
        checker = invariants.Checker()
        changes = history(*FINISHED, state(1))
        self.assertEqual([], checker.feed(changes[:4]))
        self.assertEqual([], checker.feed(changes[4:-1]))
        self.assertEqual(["I2"], [each.invariant for each in checker.feed(changes[-1:])])

    def test_i2_a_job_that_comes_back(self):
        self.assertEqual(["I2"], violations(*FINISHED, job()))

    def test_i2_one_action_completed_by_two_jobs(self):
        self.assertEqual(["I2"], violations(*FINISHED, [recorded(), job(AGAIN)], claim(AGAIN), done(AGAIN)))

    def test_i2_an_action_may_be_completed_again_when_an_operator_asks(self):
        asked = (f"{keys.RETRY}{PORT}", {})
        again = [asked, [recorded(), job(AGAIN)], claim(AGAIN), done(AGAIN, state())]
        self.assertEqual([], violations(*FINISHED, *again))

    def test_i2_a_state_written_twice(self):
        self.assertEqual(["I2"], violations(*FINISHED, state()))

    def test_i2_a_job_claimed_by_two(self):
        self.assertEqual(["I2"], violations(*STARTED, claim()))

    def test_i3_a_state_that_falls(self):
        after = [config(2), state(2, "MODIFY_COMPLETED"), state(1, "DELETE_FAILED")]
        self.assertEqual(["I3"], violations(*FINISHED, *after))

    def test_i3_a_state_ahead_of_the_config(self):
        self.assertEqual(["I3"], violations(LEADER, config(), state(2)))

    def test_i4_a_job_before_what_it_depends_on(self):
        self.assertEqual(["I4"], violations(LEADER, config(), [recorded(), job(), job(SECOND, JOB)], claim(SECOND)))

    def test_i5_a_job_finished_after_its_claim_was_lost(self):
        stale = [(keys.job(JOB), None), (f"{keys.JOB_STATE}{PORT}", {"a": 1})]
        self.assertEqual(["I5", "I5"], violations(*STARTED, (keys.claim(JOB), None), stale))

    def test_i5_a_job_removed_under_its_claim(self):
        self.assertEqual(["I5"], violations(*STARTED, (keys.job(JOB), None)))

    def test_i5_a_failure_told_without_the_claim(self):
        self.assertEqual(["I5"], violations(*PLANNED, (keys.failed(JOB), {"message": "m"})))

    def test_i5_an_attempt_counted_without_the_claim(self):
        self.assertEqual(["I5"], violations(*PLANNED, job()))

    def test_i5_a_workflow_written_by_nobody_who_leads(self):
        self.assertEqual(["I5", "I5"], violations(config(), [recorded(), job()]))

    def test_i5_something_published_by_nobody_who_may(self):
        self.assertEqual(["I5"], violations(config(), state()))

    def test_i5_a_record_written_by_nobody_who_runs_a_job(self):
        self.assertEqual(["I5"], violations(*PLANNED, (f"/esi-worker/heat_stacks/{PORT}", {})))

    def test_i5_monitoring_of_what_is_not_watched(self):
        self.assertEqual(["I5"], violations((keys.MONITORING + PORT, {"version": 1})))

    def test_i5_a_claim_of_a_job_that_is_gone(self):
        self.assertEqual(["I5"], violations(*FINISHED, claim()))


class RestTest(unittest.TestCase):
    """What must hold when nothing is left to do."""

    def rest(self, *steps, stacks=()):
        checker = invariants.Checker()
        checker.feed(history(*steps))
        return [each.invariant for each in invariants.at_rest(checker.present, stacks)]

    def test_nothing_is_wrong_after_a_whole_life(self):
        self.assertEqual([], self.rest(*FINISHED, stacks=["port_p"]))

    def test_i1_a_version_without_a_state(self):
        self.assertEqual(["I1"], self.rest(*FINISHED, config(2)))

    def test_i1_a_template_needs_no_state(self):
        self.assertEqual([], self.rest((keys.heat_template("network"), {"body": {}, "version": 1})))

    def test_i7_jobs_claims_and_failures_that_are_left(self):
        left = [job(), claim(), (keys.failed(JOB), {})]
        self.assertEqual(["I7"] * 3, self.rest(LEADER, config(), state(), left))

    def test_i7_keys_of_a_resource_that_is_gone(self):
        self.assertEqual(["I7"] * 3, self.rest(*FINISHED, (keys.CONFIG + PORT, None)))

    def test_i7_a_stack_that_is_nobodys(self):
        self.assertEqual(["I7"], self.rest(*FINISHED, stacks=["port_q"]))

    def test_i1_targets_that_nobody_publishes(self):
        present = {keys.TARGETS + PORT: {"version": 2, "targets": {"a": {"type": "x"}}}}
        self.assertEqual(["I1"], [each.invariant for each in invariants.unpublished(present)])
        present[keys.MONITORING + PORT] = {"a": "UP", "version": 1}
        self.assertEqual(["I1"], [each.invariant for each in invariants.unpublished(present)])
        present[keys.MONITORING + PORT] = {"a": "UP", "version": 2}
        self.assertEqual([], invariants.unpublished(present))

    def test_i7_leases_beyond_those_of_the_living(self):
        self.assertEqual([], invariants.leases(3, 3))
        self.assertEqual(["I7"], [each.invariant for each in invariants.leases(4, 3)])

    def test_i8_a_secret_in_a_log_is_seen_and_not_repeated(self):
        found = invariants.secrets("fine\nlogin with s3cret-canary\n", "s3cret-canary")
        self.assertEqual(["I8"], [each.invariant for each in found])
        self.assertNotIn("s3cret-canary", str(found[0]))
