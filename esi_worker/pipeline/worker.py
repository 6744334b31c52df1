"""The worker: claims ready jobs of the handlers it has, runs them in slots, finishes each in one transaction.

One thread chooses (:meth:`Worker.run`), N slots call handlers, one thread commits.  A job that waits holds no
thread: it sits in a heap until its next call is due, and its claim stays.
"""

from __future__ import annotations

import collections
import dataclasses
import heapq
import itertools
import threading
import time
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import claiming
from esi_worker.pipeline import committer as committers
from esi_worker.pipeline import execution
from esi_worker.pipeline import follower
from esi_worker.pipeline import jobqueue
from esi_worker.pipeline import lease as leases
from esi_worker.pipeline import outcome
from esi_worker.pipeline import slots
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_IDLE = 0.5
_CLAIM_GROUP = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the configuration says.

    :ivar slots: threads that call handlers
    :ivar slots_per_system: how many of them one outside system may take; 0: half
    :ivar max_attempts: attempts of a job before it fails
    :ivar retry_delay: seconds before the second attempt; doubled for each further one
    :ivar retry_delay_max: seconds
    :ivar call_timeout: seconds that one call of a handler may take
    :ivar drain_timeout: seconds that a stop waits for calls under way
    """

    slots: int = 8
    slots_per_system: int = 0
    lease_ttl: int = 15
    max_attempts: int = 10
    retry_delay: float = 1.0
    retry_delay_max: float = 60.0
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


class Worker:
    """Runs jobs.

    :param handlers: name -> the handler, one instance for all threads
    :param monitor: what handlers read targets through
    :param name: of this process, for people who look into etcd
    """

    def __init__(
        self,
        store: base.Store,
        catalog: catalogs.Catalog,
        handlers: Mapping[str, api.Handler],
        file_templates: Mapping[str, api.Template],
        monitor: api.Monitor,
        options: Options,
        name: str,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._monitor = monitor
        self._options = options
        self._name = name
        kinds = {handler: each.record_kind or handler for handler, each in handlers.items()}
        self._claimer = claiming.Claimer(store, catalog, kinds, file_templates, name)
        self._changed = threading.Condition()
        self._queue = jobqueue.JobQueue(handlers, self._lane_of)
        self._slots = slots.Slots(options.slots, options.slots_per_system or max(1, options.slots // 2))
        self._committer = committers.Committer(store)
        self._running: dict[str, Running] = {}
        self._due: list[tuple[float, int, Running]] = []
        self._order = itertools.count()
        self._calls: dict[slots.Call, Running] = {}
        self._lease: leases.Lease | None = None
        self._stopping = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until stop is set, then drain."""
        following = threading.Event()
        follow = follower.Follower(
            self._store,
            keys.JOBS,
            self._listed,
            self._jobs_changed,
            following,
            relist_interval=self._options.relist_interval,
        )
        follow.start()
        try:
            while not stop.is_set():
                self._step(stop)
        finally:
            self._drain()
            following.set()

    # -- choosing ----------------------------------------------------------------------------------------------

    def _step(self, stop: threading.Event) -> None:
        lease = self._ensure_lease(stop)
        if lease is None:
            return
        self._start_due()
        chosen = self._choose()
        if chosen:
            self._claim(chosen, lease)
        self._give_up_overdue()
        with self._changed:
            if not chosen and not stop.is_set():
                self._changed.wait(self._pause())

    def _ensure_lease(self, stop: threading.Event) -> leases.Lease | None:
        if self._lease is not None and self._lease.alive:
            return self._lease
        self._drop_all()
        try:
            self._lease = leases.Lease(self._store, self._options.lease_ttl, "worker", self._notify)
        except api.StoreError as error:
            LOG.warning("the worker waits for etcd: %s", error)
            stop.wait(1.0)
            return None
        return self._lease

    def _choose(self) -> list[jobqueue.Pending]:
        chosen: list[jobqueue.Pending] = []
        lanes: collections.Counter[str] = collections.Counter()
        free = min(_CLAIM_GROUP, self._slots.room(""))

        def allowed(lane: str) -> bool:
            return len(chosen) < free and lanes[lane] < self._slots.room(lane)

        with self._changed:
            for pending in self._queue.ready(allowed):
                chosen.append(pending)
                lanes[pending.lane] += 1
        return chosen

    def _claim(self, chosen: list[jobqueue.Pending], lease: leases.Lease) -> None:
        try:
            claimed = self._claimer.claim(chosen, lease.id)
        except api.StoreError as error:
            LOG.warning("no job can be claimed: %s", error)
            claimed = []
            lease.verify()
            self._stopping.wait(0.2)
        won = {each.claim.job.id for each in claimed}
        with self._changed:
            for pending in chosen:
                if pending.job_id not in won:
                    self._queue.give_back(pending.job_id)
        lanes = {pending.job_id: pending.lane for pending in chosen}
        for each in claimed:
            context = execution.Context(
                each.claim,
                each.template,
                each.template_id,
                self._claimer.fetch,
                self._monitor,
                self._stopping,
                time.monotonic(),
            )
            running = Running(each.claim, context, lanes[each.claim.job.id])
            self._running[each.claim.job.id] = running
            self._submit(running)

    def _start_due(self) -> None:
        now = time.monotonic()
        held: list[tuple[float, int, Running]] = []
        while self._due and self._due[0][0] <= now and self._slots.room("") > 0:
            item = heapq.heappop(self._due)
            if item[2].over:
                continue
            if self._slots.room(item[2].lane) > 0:
                self._submit(item[2])
            else:
                held.append((now + 0.1, item[1], item[2]))
        for item in held:
            heapq.heappush(self._due, item)

    def _pause(self) -> float:
        if not self._due:
            return _IDLE
        return min(_IDLE, max(0.005, self._due[0][0] - time.monotonic()))

    # -- calling -----------------------------------------------------------------------------------------------

    def _submit(self, running: Running) -> None:
        call = slots.Call(running.lane, lambda: self._call(running, call))
        self._calls[call] = running
        self._slots.submit(call)

    def _call(self, running: Running, call: slots.Call) -> None:
        answer = execution.call(self._handlers[running.claim.job.handler], running.context)
        if self._calls.pop(call, None) is None or running.over:
            return  # it took too long, or the lease was lost: somebody else decides
        self._slots.trouble(running.lane, troubled=isinstance(answer, api.Unreachable))
        if isinstance(answer, api.Again):
            self._later(running, answer.delay)
        elif isinstance(answer, api.Done):
            self._done(running, answer)
        elif isinstance(answer, api.TemporaryError):
            self._retry(running, answer)
        else:
            self._fail(running, answer)

    def _later(self, running: Running, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + max(0.0, delay), next(self._order), running))
            self._changed.notify()

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

    def _give_up_overdue(self) -> None:
        for call in self._slots.overdue(self._options.call_timeout):
            running = self._calls.pop(call, None)
            if running is not None and not running.over:
                error = api.TemporaryError(
                    f"{running.claim.job.handler} did not come back within {self._options.call_timeout:g} s"
                )
                self._retry(running, error, release=True)

    # -- leases, events, the end ---------------------------------------------------------------------------------

    def _lane_of(self, job: api.Job) -> str:
        try:
            return f"{job.handler}/{lane}" if (lane := self._handlers[job.handler].lane(job)) else ""
        except Exception:
            LOG.exception("%s can't tell the lane of %s", job.handler, job.id)
            return job.handler

    def _listed(self, snapshot: base.Snapshot) -> None:
        with self._changed:
            self._queue.listed(snapshot)
            self._changed.notify()

    def _jobs_changed(self, batch: base.Batch) -> None:
        with self._changed:
            self._queue.changed(batch)
            self._changed.notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify()

    def _forget(self, running: Running) -> None:
        running.over = True
        with self._changed:
            self._running.pop(running.claim.job.id, None)
            self._changed.notify()

    def _drop_all(self) -> None:
        """The lease is lost, and every claim with it: others may have them already."""
        if self._running:
            LOG.warning("the worker's lease was lost: %d claims are given up", len(self._running))
        for running in list(self._running.values()):
            self._forget(running)

    def _drain(self) -> None:
        """Let calls under way end and write what they gave; the rest goes back to the queue with the lease."""
        self._stopping.set()
        deadline = time.monotonic() + self._options.drain_timeout
        LOG.info("the worker drains: %d jobs", len(self._running))
        if not self._slots.wait_idle(self._options.drain_timeout):
            LOG.warning("some handlers did not come back within %g s", self._options.drain_timeout)
        self._slots.close()
        self._committer.close(max(1.0, deadline - time.monotonic()))
        if self._lease is not None:
            self._lease.close()
        for handler in self._handlers.values():
            handler.close()


def _text(error: api.JobError) -> str:
    return f"{error.message} ({error.detail})" if error.detail else error.message
