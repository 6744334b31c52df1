"""Calls a handler as a worker does, only without waiting: for the conformance tests of handlers."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from esi_worker import api
from esi_worker.store import codec
from esi_worker.testing import context as contexts
from esi_worker.testing import handler_checks
from esi_worker.testing import kit


class Case(Protocol):
    """What a trial needs of a test: see :class:`~esi_worker.testing.conformance.HandlerConformance`."""

    calls: int

    def make_handler(self) -> api.Handler:
        """A new handler."""

    def make_context(self, job: api.Job, record: api.JSON) -> contexts.StandInContext:
        """The context of a job."""

    def make_removal(self, job: api.Job) -> api.Job:
        """The job that takes down what a job brought about."""

    def observe(self) -> api.JSON:
        """A picture of the outside world."""

    def pass_time(self, seconds: float) -> None:
        """Let a world with a clock of its own go on."""


_POINTS = 10
"""So many points of a long job are tried where each call could be the last one."""


class Trial:
    """The jobs of one test, and the records that they leave.

    :param case: the test
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.records: dict[api.Ref, api.JSON] = {}
        self._handlers: list[api.Handler] = []

    def new_handler(self) -> api.Handler:
        """A new handler, closed at the end of the trial."""
        handler = self.case.make_handler()
        self._handlers.append(handler)
        return handler

    def close(self) -> None:
        """Close all handlers."""
        for handler in self._handlers:
            handler.close()

    def picture(self) -> api.JSON:
        """The outside world, and the records."""
        return {"world": self.case.observe(), "records": {str(ref): value for ref, value in self.records.items()}}

    def run(self, job: api.Job, *, restarts: bool = False, written: bool = True) -> api.Done:
        """Run a job to its end.

        :param restarts: whether a new handler makes each call
        :param written: whether its end is written down
        """
        return Run(self, job, None if restarts else self.new_handler(), written).finish()

    def remove(self, job: api.Job, *, restarts: bool = False) -> None:
        """Take down what a job brought about; its record goes with the resource."""
        self.run(self.case.make_removal(job), restarts=restarts)
        self.records.pop(job.ref, None)

    def run_in_turns(self, jobs: Sequence[api.Job]) -> list[api.Done]:
        """Run several jobs on one handler, a call of each in turn."""
        handler = self.new_handler()
        runs = {place: Run(self, job, handler) for place, job in enumerate(jobs)}
        done: dict[int, api.Done] = {}
        while len(done) < len(runs):
            for place in runs.keys() - done.keys():
                answer = runs[place].step()
                if isinstance(answer, api.Done):
                    done[place] = answer
        return [done[place] for place in runs]

    def points(self, job: api.Job) -> Sequence[int]:
        """After how many calls a job may be cut off: 0 and each number up to its last call but one."""
        run = Run(self, job, self.new_handler())
        run.finish()
        self.remove(job)
        return range(min(run.calls, _POINTS))

    def begin(self, job: api.Job, calls: int) -> None:
        """Make the first calls of a job."""
        run = Run(self, job, self.new_handler(), written=False)
        for _ in range(calls):
            run.step()

    def expect_temporary(self, job: api.Job) -> None:
        """The other side does not answer: the job must say so, and may be tried again.

        :raises Broken: if it doesn't
        """
        run = Run(self, job, self.new_handler())
        while run.calls < self.case.calls:
            try:
                answer = run.call()
            except api.TemporaryError:
                return
            except api.JobError as error:
                raise handler_checks.Broken(
                    kit.advice(
                        f"{run.verb} raised {type(error).__name__} while the other side was silent: {error.message}",
                        "silence passes: raise api.Unreachable(message), and the job is tried again",
                    )
                ) from error
            if isinstance(answer, api.Done):
                raise handler_checks.Broken(
                    kit.advice(
                        f"{run.verb} came to api.Done while the other side was silent",
                        "what was not answered is not known: raise api.Unreachable(message)",
                    )
                )
        raise handler_checks.Broken(
            kit.advice(
                f"{run.verb} says api.Again for ever while the other side is silent ({run.calls} calls)",
                "raise api.Unreachable(message): attempts are counted, and the operator learns what is wrong",
            )
        )

    def expect_no_secret(self, job: api.Job, secret: str) -> None:
        """Whatever comes of a job with a secret, the secret does not show.

        :raises Broken: if it does, with the place
        """
        for each in (job, self.case.make_removal(job)):
            run = Run(self, each, self.new_handler(), secrets={secret, *_own_secrets(self.new_handler())})
            with contextlib.suppress(api.JobError):
                while run.calls < self.case.calls and not isinstance(run.call(), api.Done):
                    pass


def with_secret(job: api.Job, secret: str) -> api.Job:
    """A copy of a job where each text under a secret name is another secret."""
    params = tuple(
        dataclasses.replace(param, value=kit.planted({param.param: param.value}, secret)[param.param])
        for param in job.params
    )
    return dataclasses.replace(job, params=params, resource_input=kit.planted(job.resource_input, secret))


def _own_secrets(handler: api.Handler) -> set[str]:
    """The values of the handler's own secret options."""
    values = [handler.settings.options[each.dest] for each in handler.options if each.secret]
    return {str(value) for value in values if value}


@dataclasses.dataclass
class Run:
    """One job, from its first call to Done.

    :ivar trial: holds the records, which stay when a worker dies
    :ivar handler: the handler to call; None makes a new one before each call, as a restart does
    :ivar written: whether the record is kept at the end; if not, the worker died before its transaction
    :ivar elapsed: seconds that the job seems to take: the sum of the delays, nobody waits for them
    :ivar secrets: texts that must show nowhere
    :ivar calls: how many calls were made
    """

    trial: Trial
    job: api.Job
    handler: api.Handler | None = None
    written: bool = True
    secrets: Collection[str] = ()
    elapsed: float = 0.0
    calls: int = 0

    @property
    def verb(self) -> str:
        """The method that is called."""
        return "remove" if self.job.removes else "apply"

    def finish(self) -> api.Done:
        """Call until Done.

        :raises Broken: if it does not come to Done, or with anything that a handler must not do
        """
        while True:
            answer = self.step()
            if isinstance(answer, api.Done):
                return answer

    def step(self) -> api.Done | api.Again:
        """Call once more, while all is well.

        :raises Broken: if that was one call too many, or with anything that a handler must not do
        """
        if self.calls >= self.trial.case.calls:
            raise handler_checks.Broken(
                kit.advice(
                    f"{self.verb} has not come to api.Done after {self.calls} calls "
                    f"({self.elapsed:g} s by its own delays)",
                    "look what is there at each call and return api.Done when nothing is missing; give up by "
                    "context.elapsed if that may never be; raise the test's 'calls' if it does need more",
                )
            )
        try:
            return self.call()
        except api.JobError as error:
            raise handler_checks.Broken(
                kit.advice(
                    f"call {self.calls} of {self.verb} raised {type(error).__name__}: {error.message}",
                    "while all is well it must come to api.Done; 'not yet' is api.Again(delay), not an error",
                )
            ) from error

    def call(self) -> api.Done | api.Again:
        """Call once, and check what comes back.

        :raises JobError: what the handler raised
        :raises Broken: if it did what no handler must do
        """
        handler = self.handler or self.trial.new_handler()
        context = self._context()
        before = copy.deepcopy(self.job.to_document())
        self.calls += 1
        with kit.sleeps(type(handler)) as slept, self._logged() as logged:
            try:
                answer = handler_checks.guarded(getattr(handler, self.verb), self.verb, self.job, context)
            except api.JobError as error:
                self._check_shown({"message": error.message, "detail": error.detail, "log": logged})
                raise
        self._check_shown({"log": logged, "answer": answer})
        if slept:
            raise handler_checks.Broken(
                kit.advice(
                    f"{self.verb} slept for {sum(slept):g} s",
                    f"return api.Again({slept[0]:g}) instead: it is called again, and no thread is held meanwhile",
                )
            )
        if self.job.to_document() != before:
            raise handler_checks.Broken(
                kit.advice(f"{self.verb} changed the job that it was given", "copy what you want to change: dict(...)")
            )
        handler_checks.check_nothing_kept(handler, self.job, context)
        return self._taken(answer)

    def _logged(self) -> contextlib.AbstractContextManager[list[str]]:
        return kit.log_lines() if self.secrets else contextlib.nullcontext([])

    def _context(self) -> api.Context:
        made = self.trial.case.make_context(self.job, self.trial.records.get(self.job.ref))
        origin = {**self.job.ref.to_document(), "field": "secret"}
        references = {**dict.fromkeys(self.secrets, origin), **made.references}
        return dataclasses.replace(made, elapsed=self.elapsed, references=references)

    def _check_shown(self, texts: Mapping[str, object]) -> None:
        if where := kit.shown(self.secrets, texts):
            raise handler_checks.Broken(
                kit.advice(
                    f"{self.verb} shows a secret in its {where}",
                    "message and detail are published and logged, result and record are kept in etcd: name the "
                    "parameter, not its value; in a record keep context.reference(value) in its place",
                )
            )

    def _taken(self, answer: object) -> api.Done | api.Again:
        if isinstance(answer, api.Again):
            delay: Any = answer.delay
            if isinstance(delay, bool) or not isinstance(delay, (int, float)) or not 0 <= delay < math.inf:
                raise handler_checks.Broken(
                    kit.advice(f"{self.verb} returned {answer}", "api.Again takes a number of seconds, 0 up")
                )
            self.elapsed += delay
            self.trial.case.pass_time(delay)
            return answer
        if not isinstance(answer, api.Done):
            raise handler_checks.Broken(
                kit.advice(
                    f"{self.verb} returned {type(answer).__name__}: {answer!r:.80}",
                    "return api.Done(result) when it is done, api.Again(delay) when it isn't yet",
                )
            )
        handler_checks.check_json(answer, self.verb)
        if self.written and answer.record is not api.KEEP:
            self.trial.records[self.job.ref] = answer.record and codec.decode(codec.encode(answer.record))
        return answer
