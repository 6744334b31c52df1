"""The rule of heat_worker, without Heat."""

from __future__ import annotations

import unittest

from esi_worker import api
from esi_worker.clients import heat
from esi_worker.handlers import heat_mark
from esi_worker.handlers import heat_worker
from esi_worker.testing import context as stand_in

Step = heat_mark.Step


def job(version: int = 1, suffix: str = "abcde", **body: object) -> api.Job:
    job_id = f"create:heat_worker:port:p1:{version}:{suffix}"
    return api.Job(job_id, "heat_worker", "create", "port", "p1", version, resource_input=body)


def mark(version: int = 1, suffix: str = "abcde", template: str = "t", parameters: str = "p") -> heat_mark.Mark:
    return heat_mark.mark(job(version, suffix), "port_p1", template, parameters)


OWN = mark()
SAME_VERSION = mark(suffix="other")
OTHER_VERSION = mark(version=2)
OTHER_CONTENT = mark(version=2, template="u")


class MarkTest(unittest.TestCase):
    def test_it_comes_back_from_the_tags(self) -> None:
        self.assertEqual(OWN, heat_mark.find_mark(["mine", str(OWN)]))
        for tags in ([], ["esi-worker-1"], [f"{OWN}0"], [str(OWN).upper()]):
            self.assertIsNone(heat_mark.find_mark(tags))

    def test_heat_takes_it(self) -> None:
        longest = str(mark(version=10**15))
        self.assertLessEqual(len(longest), 80)
        self.assertNotIn(",", longest)

    def test_it_is_the_same_in_every_process(self) -> None:
        self.assertEqual("esi-worker-1-7a4dd0a3d079-43afe7d9d6d147d6a5e93acbeb84856f", str(OWN))
        self.assertEqual(OWN, mark())

    def test_what_it_stands_for(self) -> None:
        self.assertEqual(OWN.fingerprint, OTHER_VERSION.fingerprint)
        self.assertNotEqual(OWN.job, SAME_VERSION.job)
        for other in (mark(template="u"), mark(parameters="q"), mark(template="tp", parameters="")):
            self.assertNotEqual(OWN.fingerprint, other.fingerprint)
        elsewhere = heat_mark.mark(job(), "port_p2", "t", "p")
        self.assertNotEqual(OWN.fingerprint, elsewhere.fingerprint, "equal passwords must not show")


class RuleTest(unittest.TestCase):
    def check(self, expected: tuple[Step, Step], status: str, theirs: heat_mark.Mark | None) -> None:
        """:param expected: of a create and of a modify."""
        stack = heat.Stack("id", "port_p1", status, tags=(str(theirs),) if theirs else ())
        found = tuple(heat_mark.next_step(stack, OWN, modify=modify) for modify in (False, True))
        self.assertEqual(expected, found, f"{status} {theirs}")

    def test_absent(self) -> None:
        for modify in (False, True):
            self.assertIs(Step.CREATE, heat_mark.next_step(None, OWN, modify=modify))

    def test_in_progress(self) -> None:
        for action in ("CREATE", "UPDATE", "DELETE", "ROLLBACK", "CHECK"):
            for theirs in (None, OWN, OTHER_CONTENT):
                self.check((Step.WAIT, Step.WAIT), f"{action}_IN_PROGRESS", theirs)

    def test_failed(self) -> None:
        for status in ("CREATE_FAILED", "UPDATE_FAILED", "ROLLBACK_FAILED"):
            self.check((Step.FAIL, Step.FAIL), status, OWN)
            for theirs in (None, SAME_VERSION, OTHER_VERSION, OTHER_CONTENT):
                self.check((Step.DELETE, Step.RECOVER), status, theirs)
        for theirs in (None, OWN, OTHER_CONTENT):
            self.check((Step.DELETE_AGAIN, Step.DELETE_AGAIN), "DELETE_FAILED", theirs)
        self.check((Step.DELETE, Step.RECOVER), "CHECK_FAILED", OWN)

    def test_complete(self) -> None:
        for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "CHECK_COMPLETE", "RESUME_COMPLETE"):
            self.check((Step.DONE, Step.DONE), status, OWN)
            self.check((Step.DONE, Step.DONE), status, SAME_VERSION)
            self.check((Step.DONE, Step.UPDATE), status, OTHER_VERSION)
            self.check((Step.UPDATE, Step.UPDATE), status, OTHER_CONTENT)
            self.check((Step.UPDATE, Step.UPDATE), status, None)
        self.check((Step.UPDATE, Step.UPDATE), "SUSPEND_COMPLETE", OWN)


class ParametersTest(unittest.TestCase):
    def test_which_params_are_parameters_of_the_stack(self) -> None:
        params = {"name": "", "flag": False, "none": None, "list": [], "heat_timeout": 5, "jinja_a": 1, "xjinja_": 2}
        self.assertEqual({"name": "", "flag": False, "list": [], "xjinja_": 2}, heat_mark.fields(params))

    def test_two_timeouts_fit_into_the_limit(self) -> None:
        self.assertGreater(heat_mark.limit(10), 2 * 600)


class HandlerTest(unittest.TestCase):
    def test_what_it_declares(self) -> None:
        self.assertEqual((100, "heat_stacks"), (heat_worker.HeatWorker.order, heat_worker.HeatWorker.record_kind))
        secret = {option.name for option in heat_worker.HeatWorker.options if option.secret}
        self.assertEqual({"password", "token"}, secret)

    def test_the_lane_is_the_project(self) -> None:
        worker = heat_worker.HeatWorker(stand_in.settings(heat_worker.HeatWorker, "heat_worker"))
        self.addCleanup(worker.close)
        self.assertEqual("abc", worker.lane(job(tenant_id="abc")))
        self.assertEqual("", worker.lane(job()))
        self.assertEqual("", worker.lane(job(tenant_id=None)))

    def test_no_certificate_checked_is_a_warning(self) -> None:
        settings = stand_in.settings(heat_worker.HeatWorker, "heat_worker", insecure=True)
        with self.assertLogs("esi_worker.clients.heat_session", "WARNING"):
            heat_worker.HeatWorker(settings).close()
