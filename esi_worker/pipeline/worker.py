"""The worker: claims ready jobs of the handlers it has, runs them in slots, finishes each in one transaction.

One thread chooses (:meth:`Worker.run`), N slots call handlers, one thread commits.  A job that waits holds no
thread: it sits in a heap until its next call is due, and its claim stays.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import agenda
from esi_worker.pipeline import calls
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import claiming
from esi_worker.pipeline import committer as committers
from esi_worker.pipeline import follower
from esi_worker.pipeline import jobqueue
from esi_worker.pipeline import lease as leases
from esi_worker.pipeline import relatives
from esi_worker.pipeline import slots
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_IDLE = 0.5
_SHORTEST = 0.005
_LANE_FULL = 0.1
_CLAIM_GROUP = 8


Options = calls.Options
Running = calls.Running


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
        self._go_by(catalog, file_templates)
        self._changed = threading.Condition()
        self._queue = jobqueue.JobQueue(handlers, self._lane_of)
        self._slots = slots.Slots(options.slots, options.slots_per_system or max(1, options.slots // 2))
        self._committer = committers.Committer(store)
        self._calls = calls.Calls(handlers, self._slots, self._committer, options, self._later, self._forget)
        self._aside: list[str] = []
        self._doubtful: list[jobqueue.Pending] = []
        self._running: dict[str, Running] = {}
        self._agenda: agenda.Agenda[Running] = agenda.Agenda()
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

    def adopt(self, catalog: catalogs.Catalog, file_templates: Mapping[str, api.Template]) -> None:
        """Claim by another catalog and other templates from now on; any thread may call it.

        Jobs that are claimed already keep what they were claimed by.
        """
        with self._changed:
            self._go_by(catalog, file_templates)
            for job_id in self._aside:
                self._queue.give_back(job_id)
            self._aside.clear()
            self._changed.notify()

    def _go_by(self, catalog: catalogs.Catalog, file_templates: Mapping[str, api.Template]) -> None:
        kinds = {handler: each.record_kind or handler for handler, each in self._handlers.items()}
        self._claimer = claiming.Claimer(self._store, catalog, kinds, file_templates, self._name)
        self._relatives = relatives.Relatives(self._store, catalog)

    # -- choosing ----------------------------------------------------------------------------------------------

    def _step(self, stop: threading.Event) -> None:
        lease = self._ensure_lease(stop)
        if lease is None:
            return
        self._start_due()
        if self._doubtful:
            self._look_again(lease)
            return
        chosen = self._choose()
        if chosen:
            self._claim(chosen, lease)
        self._calls.give_up_overdue()
        with self._changed:
            if not chosen and not stop.is_set():
                self._changed.wait(self._agenda.pause(_SHORTEST, _IDLE))

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
                if not self._claimer.knows(pending.job.ref):
                    # Not offered before the next listing, or another catalog.
                    LOG.error("%s is left aside: the catalog has no such resource type", pending.job_id)
                    self._aside.append(pending.job_id)
                    continue
                chosen.append(pending)
                lanes[pending.lane] += 1
        return chosen

    def _claim(self, chosen: list[jobqueue.Pending], lease: leases.Lease) -> None:
        try:
            answer = self._claimer.claim(chosen, lease.id)
        except api.StoreError as error:
            LOG.warning("no job can be claimed: %s", error)
            answer = claiming.Answer()
            lease.verify()
            self._stopping.wait(0.2)
        self._take(chosen, answer)

    def _look_again(self, lease: leases.Lease) -> None:
        """Some claims were perhaps made: find out, before anything else is claimed."""
        asked = self._doubtful
        answer = self._claimer.look(asked, lease.id)
        self._take(asked, answer)
        if self._doubtful:
            LOG.warning("etcd does not tell whether %d jobs are claimed: looking again", len(self._doubtful))
            self._stopping.wait(0.2)

    def _take(self, asked: list[jobqueue.Pending], answer: claiming.Answer) -> None:
        """Begin with what is claimed, and give back what is not."""
        self._doubtful = answer.doubtful
        kept = {each.claim.job.id for each in answer.claimed} | {each.job_id for each in answer.doubtful}
        with self._changed:
            for pending in asked:
                if pending.job_id not in kept:
                    self._queue.give_back(pending.job_id)
        lanes = {pending.job_id: pending.lane for pending in asked}
        for each in answer.claimed:
            self._begin(each, lanes[each.claim.job.id])

    def _begin(self, claimed: claiming.Claimed, lane: str) -> None:
        lease = self._lease
        context = claimed.context(
            self._relatives.fetch, self._monitor, self._stopping, lambda: lease is not None and lease.alive
        )
        running = Running(claimed.claim, context, lane)
        self._running[claimed.claim.job.id] = running
        self._calls.submit(running)

    def _start_due(self) -> None:
        now = time.monotonic()
        while self._slots.room("") > 0 and (running := self._agenda.take(now)) is not None:
            if running.over:
                continue
            if self._slots.room(running.lane) > 0:
                self._calls.submit(running)
            else:
                self._agenda.add(running, _LANE_FULL)

    def _later(self, running: Running, delay: float) -> None:
        self._agenda.add(running, delay)
        self._notify()

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
        self._take(self._doubtful, claiming.Answer())

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
