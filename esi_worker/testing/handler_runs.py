"""Calls a handler as a worker does, only without waiting, and checks each call."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any
from typing import Protocol

from esi_worker import api
from esi_worker.store import codec
from esi_worker.testing import context as contexts
from esi_worker.testing import handler_checks
from esi_worker.testing import kit


class Case(Protocol):
    """What a run needs of a test: see :class:`~esi_worker.testing.conformance.HandlerConformance`."""

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


class Stage:
    """Where the runs of one test take place.

    :ivar case: the test
    :ivar records: what handlers recorded; it stays when a worker dies
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.records: dict[api.Ref, api.JSON] = {}
        self._handlers: list[api.Handler] = []

    def new_handler(self) -> api.Handler:
        """A new handler, closed at the end of the test."""
        handler = self.case.make_handler()
        self._handlers.append(handler)
        return handler

    def close(self) -> None:
        """Close all handlers."""
        for handler in self._handlers:
            handler.close()


@dataclasses.dataclass
class Run:
    """One job, from its first call to Done.

    :ivar stage: where it takes place
    :ivar handler: the handler to call; None makes a new one before each call, as a restart does
    :ivar written: whether the record is kept at the end; if not, the worker died before its transaction
    :ivar claimed: whether the job is still this worker's
    :ivar elapsed: seconds that the job seems to take: the sum of the delays, nobody waits for them
    :ivar secrets: texts that must show nowhere
    :ivar calls: how many calls were made
    """

    stage: Stage
    job: api.Job
    handler: api.Handler | None = None
    written: bool = True
    secrets: Collection[str] = ()
    claimed: bool = True
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
        if self.calls >= self.stage.case.calls:
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
        handler = self.handler or self.stage.new_handler()
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
        made = self.stage.case.make_context(self.job, self.stage.records.get(self.job.ref))
        origin = {**self.job.ref.to_document(), "field": "secret"}
        references = {**dict.fromkeys(self.secrets, origin), **made.references}
        return dataclasses.replace(made, elapsed=self.elapsed, references=references, claimed=self.claimed)

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
            self.stage.case.pass_time(delay)
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
            self.stage.records[self.job.ref] = answer.record and codec.decode(codec.encode(answer.record))
        return answer
