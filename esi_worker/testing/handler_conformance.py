"""What every handler must keep to, as tests: see :class:`HandlerConformance`."""

# ruff: noqa: D102  (the name of a test says what is promised)

from __future__ import annotations

import contextlib
import dataclasses
import unittest
from typing import TYPE_CHECKING

from esi_worker import api
from esi_worker import plugin_checks
from esi_worker.testing import context as contexts
from esi_worker.testing import handler_trials
from esi_worker.testing import kit

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class HandlerConformance(_Base):
    """Mix it in before ``unittest.TestCase``; ``setUp`` makes the outside world anew for each test.

    To be filled in: :meth:`make_handler`, :meth:`make_job`, and :meth:`observe` for what is outside of etcd.
    Worth filling in: :meth:`silence` and :meth:`make_modified`; without them their tests are skipped.

    :cvar calls: so many calls a job may take
    :cvar has_effect: False for a handler that brings nothing about, neither outside nor in its record
    """

    calls = 50
    has_effect = True

    def make_handler(self) -> api.Handler:
        """A new handler: as in a process that has just started."""
        raise NotImplementedError("define make_handler(): return MyHandler(context.settings(MyHandler, 'my_name'))")

    def make_job(self, number: int = 0) -> api.Job:
        """A create job; another number gives the job of another resource."""
        raise NotImplementedError("define make_job(number): return conformance.job('my_name', api.Ref(...), {...})")

    def make_context(self, job: api.Job, record: api.JSON) -> contexts.StandInContext:
        """The context of a job: a handler with templates needs a ``document`` in it."""
        params = {param.param: param.value for param in job.params}
        return contexts.StandInContext(params=params, record=record)

    def make_modified(self, job: api.Job) -> api.Job | None:
        """A modify job of the same resource, with other values; None where the handler never gets one."""
        return None

    def observe(self) -> api.JSON:
        """A picture of the outside world that two can be compared by; without ids and times that always differ."""
        return None

    def silence(self) -> contextlib.AbstractContextManager[object]:
        """While it lasts, the other side does not answer."""
        raise unittest.SkipTest("define silence() to test what happens while the other side does not answer")

    def pass_time(self, seconds: float) -> None:
        """The handler wants to be called again after so long: let a world with a clock of its own go on."""

    def make_removal(self, job: api.Job) -> api.Job:
        """The job that takes down what a job brought about."""
        action = api.DELETE if self.make_handler().torn_down_before_modify else api.LOGICAL_DELETE
        job_id = ":".join([action, *job.id.split(":")[1:]])
        return dataclasses.replace(job, id=job_id, action=action, version=job.version + 1)

    # -- the promises --------------------------------------------------------------------------------------------

    def test_shape(self) -> None:
        trial = self._trial()
        handler = trial.new_handler()
        if reason := kit.shape(plugin_checks.HANDLERS, handler.settings.name, type(handler)):
            self.fail(reason)
        lane: object = handler.lane(self.make_job())
        if not isinstance(lane, str):
            self.fail(kit.advice(f"lane() returned {lane!r}", "name the outside system with a text; '' for none"))

    def test_apply_ends(self) -> None:
        trial = self._trial()
        before = trial.picture()
        trial.run(self.make_job())
        if self.has_effect and trial.picture() == before:
            self.fail(
                kit.advice(
                    "after apply observe() gives the same picture as before, and there is no record",
                    "let observe() show what the handler brings about, or the other tests prove nothing; for a "
                    "handler without any effect set has_effect = False",
                )
            )

    def test_applying_twice_changes_nothing(self) -> None:
        trial, job = self._trial(), self.make_job()
        # The first time as by a worker that died before it could write down that the job is done.
        lost = trial.run(job, written=False)
        first = self.observe()
        for _ in range(2):
            again = trial.run(job)
            self._same(
                self.observe(),
                first,
                "a second apply of the same job changed the world",
                "look first; do what is missing",
            )
            self._same(
                again.result,
                lost.result,
                "a second apply of the same job gave another result",
                "after a crash only the second one is written: tell what is there, not what was done",
            )

    def test_restart_between_any_two_calls_does_no_harm(self) -> None:
        trial, job = self._trial(), self.make_job()
        expected = trial.run(job)
        picture = trial.picture()
        trial.remove(job)
        change = "what a call needs to know it must find in the outside world or in context.record, not on self"
        again = trial.run(job, restarts=True)
        self._same(trial.picture(), picture, "with a new handler before each call the world became another", change)
        self._same(again.result, expected.result, "with a new handler before each call the result was another", change)
        trial.remove(job, restarts=True)

    def test_a_lost_job_changes_nothing(self) -> None:
        trial, job = self._trial(), self.make_job()
        change = "call context.confirm() right before each change: others may have done the job, and undone it"
        for each, verb in ((job, "apply"), (self.make_removal(job), "remove")):
            before = self.observe()
            trial.run_unclaimed(each)
            self._same(self.observe(), before, f"{verb} changed the world though the job was somebody else's", change)
            trial.run(job)

    def test_remove_undoes_apply(self) -> None:
        trial, job, before = self._trial(), self.make_job(), self.observe()
        trial.run(job)
        for time in ("", " a second time"):
            trial.remove(job)
            seen = f"after remove{time} the world is not as it was before apply"
            self._same(self.observe(), before, seen, "take down all that apply brings about, and nothing else")

    def test_remove_of_nothing_is_done(self) -> None:
        trial, before = self._trial(), self.observe()
        try:
            trial.remove(self.make_job())
        except AssertionError as error:
            self.fail(kit.advice(f"of nothing, {error}", "what is not there is done: return api.Done()"))
        self._same(self.observe(), before, "remove of nothing changed the world", "look first")

    def test_remove_undoes_what_is_half_done(self) -> None:
        trial, job, before = self._trial(), self.make_job(), self.observe()
        for calls in trial.points(job):
            trial.begin(job, calls)
            trial.remove(job)
            seen = f"after {calls} calls of apply and then remove the world is not as it was before"
            change = "a resource may be deleted before it is finished: let remove look for each part of it"
            self._same(self.observe(), before, seen, change)

    def test_modify_leads_where_a_create_would(self) -> None:
        trial, created = self._trial(), self.make_job()
        modified = self.make_modified(created)
        if modified is None:
            self.skipTest("define make_modified() to test a modify")
        trial.run(modified)
        expected = self.observe()
        trial.remove(modified)
        trial.run(created)
        trial.run(modified)
        change = "bring about what the job says whatever is there: nothing, the old, or a part of the new"
        self._same(self.observe(), expected, "create and modify lead elsewhere than modify alone", change)
        trial.remove(modified)

    def test_silence_is_temporary(self) -> None:
        trial, job = self._trial(), self.make_job()
        for calls in trial.points(job):
            trial.begin(job, calls)
            with self.silence():
                trial.expect_temporary(job)
            trial.run(job)
            with self.silence():
                trial.expect_temporary(self.make_removal(job))
            trial.remove(job)

    def test_nothing_about_a_job_is_kept(self) -> None:
        trial, jobs = self._trial(), [self.make_job(0), self.make_job(1)]
        if jobs[0].ref == jobs[1].ref:
            self.fail(kit.advice("make_job(0) and make_job(1) are of one resource", "put the number into the id"))
        expected = [trial.run(job).result for job in jobs]
        picture = trial.picture()
        for job in jobs:
            trial.remove(job)
        answers = [each.result for each in trial.run_in_turns(jobs)]
        change = "one handler serves all threads: keep what belongs to a job in local variables"
        self._same(answers, expected, "two jobs done in turns gave other results than one after the other", change)
        self._same(trial.picture(), picture, "two jobs done in turns left another world", change)

    def test_no_secret_shows(self) -> None:
        trial, secret = self._trial(), kit.canary()
        job = handler_trials.with_secret(self.make_job(), secret)
        trial.expect_no_secret(job, secret)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.silence())
            except unittest.SkipTest:
                return
            trial.expect_no_secret(job, secret)

    def _trial(self) -> handler_trials.Trial:
        """Where the jobs of a test run; what it opens is closed with the test."""
        trial = handler_trials.Trial(self)
        self.addCleanup(trial.close)
        return trial

    def _same(self, found: api.JSON, wanted: api.JSON, seen: str, change: str) -> None:
        if found != wanted:
            self.fail(kit.advice(f"{seen}\n  before: {wanted!r}\n  now:    {found!r}", change))
