"""Calls of handlers, and what becomes of a job with each answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import committer as committers
from esi_worker.pipeline import execution
from esi_worker.pipeline import outcome
from esi_worker.pipeline import slots as slot_threads

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the configuration says.

    :ivar slots: threads that call handlers
    :ivar slots_per_system: how many of them one outside system may take; 0: half
    :ivar max_attempts: attempts of a job before it fails
    :ivar retry_delay: seconds before the second attempt; doubled for each further one
    :ivar retry_delay_max: seconds
    :ivar job_timeout: seconds that a job may take in all, its waiting included
    :ivar call_timeout: seconds that one call of a handler may take
    :ivar drain_timeout: seconds that a stop waits for calls under way
    """

    slots: int = 8
    slots_per_system: int = 0
    lease_ttl: int = 15
    max_attempts: int = 10
    retry_delay: float = 1.0
    retry_delay_max: float = 60.0
    job_timeout: float = 21600.0
    call_timeout: float = 600.0
    drain_timeout: float = 30.0
    relist_interval: float = 300.0


@dataclasses.dataclass(eq=False)
class Running:
    """A claimed job, from its claim to its end.

    :ivar over: set when this worker has no more say in it
    """

    claim: outcome.Claim
    context: execution.Context
    lane: str
    over: bool = False


class Calls:
    """Runs claimed jobs: one call after another, until each is done, has failed or is somebody else's.

    :param handlers: name -> the handler
    :param later: ``later(running, delay)`` brings a job back after so many seconds
    :param forget: ``forget(running)``: this worker has no more to do with the job
    """

    def __init__(
        self,
        handlers: Mapping[str, api.Handler],
        slots: slot_threads.Slots,
        committer: committers.Committer,
        options: Options,
        later: Callable[[Running, float], None],
        forget: Callable[[Running], None],
    ) -> None:
        self._handlers = handlers
        self._slots = slots
        self._committer = committer
        self._options = options
        self._later = later
        self._forget = forget
        self._calls: dict[slot_threads.Call, Running] = {}

    def submit(self, running: Running) -> None:
        """Call the job's handler in a slot; one must be free for its lane."""
        call = slot_threads.Call(running.lane, lambda: self._call(running, call))
        self._calls[call] = running
        self._slots.submit(call)

    def _call(self, running: Running, call: slot_threads.Call) -> None:
        answer = execution.call(self._handlers[running.claim.job.handler], running.context)
        if self._calls.pop(call, None) is None or running.over:
            return  # it took too long, or the lease was lost: somebody else decides
        self._slots.trouble(running.lane, troubled=isinstance(answer, api.Unreachable))
        if isinstance(answer, api.Again) and running.context.elapsed < self._options.job_timeout:
            self._later(running, answer.delay)
        elif isinstance(answer, api.Again):
            self._fail(running, api.PermanentError(f"not done within {self._options.job_timeout:g} s"))
        elif isinstance(answer, api.Done):
            self._done(running, answer)
        elif isinstance(answer, api.TemporaryError):
            self._retry(running, answer)
        else:
            self._fail(running, answer)

    def _done(self, running: Running, answer: api.Done) -> None:
        try:
            finish = outcome.done(running.claim, answer)
        except api.DocumentError as error:
            LOG.error("the result of %s can't be stored: %s", running.claim.job.id, error)
            self._fail(running, api.PermanentError(f"internal error in {running.claim.job.handler}", str(error)))
            return
        LOG.info("finished %s", running.claim.job.id)
        self._finish(running, finish)

    def _retry(self, running: Running, error: api.TemporaryError, *, release: bool = False) -> None:
        attempts = running.claim.attempts + 1
        job_id = running.claim.job.id
        if attempts >= self._options.max_attempts:
            self._fail(running, error)
            return
        delay = error.delay
        if delay is None:
            delay = min(self._options.retry_delay * 2 ** (attempts - 1), self._options.retry_delay_max)
        LOG.warning("%s, attempt %d: %s; again in %.1f s", job_id, attempts, _text(error), delay)
        finish = outcome.retried(running.claim, release=release)

        def accepted(taken: bool) -> None:
            if not taken or release:
                self._forget(running)
                return
            running.claim = dataclasses.replace(running.claim, attempts=attempts)
            running.context = dataclasses.replace(running.context, claim=running.claim)
            self._later(running, delay)

        self._committer.submit(committers.Commit(running.claim, finish, accepted, lambda _: self._forget(running)))

    def _fail(self, running: Running, error: api.JobError) -> None:
        LOG.error("%s failed: %s", running.claim.job.id, _text(error))
        self._finish(running, outcome.failed(running.claim, error.message), last=True)

    def _finish(self, running: Running, finish: outcome.Finish, *, last: bool = False) -> None:
        def accepted(taken: bool) -> None:
            if not taken:
                LOG.warning("%s is finished by somebody else: this worker's claim is gone", running.claim.job.id)
            self._forget(running)

        def refused(message: str) -> None:
            if last:
                self._forget(running)
                return
            error = api.PermanentError(f"what {running.claim.job.handler} gave can't be stored in etcd", message)
            self._fail(running, error)

        self._committer.submit(committers.Commit(running.claim, finish, accepted, refused))

    def give_up_overdue(self) -> None:
        """Give up the calls that take too long, and their claims: anyone may make the next attempt."""
        for call in self._slots.overdue(self._options.call_timeout):
            running = self._calls.pop(call, None)
            if running is not None and not running.over:
                error = api.TemporaryError(
                    f"{running.claim.job.handler} did not come back within {self._options.call_timeout:g} s"
                )
                self._retry(running, error, release=True)


def _text(error: api.JobError) -> str:
    return f"{error.message} ({error.detail})" if error.detail else error.message
