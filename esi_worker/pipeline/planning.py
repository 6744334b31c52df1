"""From a change to its workflow in etcd, or to what it waits for, or to the error that its ``/state`` tells."""

from __future__ import annotations

import collections
import time

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import places
from esi_worker.pipeline import planner as planners
from esi_worker.pipeline import refusals
from esi_worker.pipeline import scheduling
from esi_worker.pipeline import waiting
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_RACES = 5


class Planning:
    """Plans one change after another.

    :param ledger: the state of the term
    :param refused: publishes what can't be planned
    :param patience: seconds that a resource waits for a missing relative or template
    :ivar room: what waits
    """

    def __init__(self, ledger: ledgers.Ledger, refused: refusals.Refusals, *, patience: float) -> None:
        self.room = waiting.WaitingRoom()
        self._ledger = ledger
        self._refusals = refused
        self._patience = patience

    def retry(self, ref: api.Ref) -> None:
        """Plan a resource once more by the version it has."""
        entry = self._ledger.store.get(self._ledger.path(ref).config)
        if entry is None or self._ledger.planner.unfinished.of(ref):
            LOG.info("%s is not planned again: it is not there, or at work", ref)
            return
        try:
            envelope = documents.parse_config(entry.value)
        except api.DocumentError as error:
            LOG.error("%s can't be planned again: %s", ref, error)
            return
        if envelope.body is None:
            LOG.error("%s can't be planned again: %s", ref, envelope.error)
            return
        self.attempt(planners.Change(ref, envelope.version, envelope.body, envelope.marked, again=True), ledgers.now())

    def expire(self) -> None:
        """Publish the error of what has waited long enough."""
        for waiter in self.room.expired(time.monotonic()):
            self.room.remove(waiter.change.ref)
            self._refusals.change(waiter.change, waiter.reason)

    def attempt(self, change: planners.Change, seen_at: int) -> None:
        """Plan a change and write what is to be done.

        :param seen_at: milliseconds since the epoch when its document was seen
        :raises StoreError: if etcd did not take it, or perhaps did
        """
        if self._ledger.planner.action(change) is None:
            return
        self._refusals.forget(change.ref)
        try:
            plan = self._ledger.planner.plan(change, self._ledger.taken())
            if plan is None:
                return
            blocker = waiting.blocked_by(plan, self.room)
        except api.Unresolved as error:
            self._wait(change, seen_at, waiting.missing(error), error.message)
            return
        except api.JobError as error:
            self.room.remove(change.ref)
            self._refusals.change(change, error.message)
            return
        except Exception:
            # A resolver of a third party may raise anything; that harms only this document.
            LOG.exception("%s: planning failed", change.ref)
            self.room.remove(change.ref)
            self._refusals.change(change, f"internal error while planning {change.ref}")
            return
        if blocker is not None:
            reason = f"{change.ref} waits for {blocker}, which itself waits: {self._reason(blocker)}"
            self._wait(change, seen_at, (blocker,), reason)
            return
        self._schedule(plan, seen_at)

    def _schedule(self, plan: planners.Plan, seen_at: int) -> None:
        ref = plan.change.ref
        try:
            write = self._written(plan, seen_at)
        except api.DocumentError as error:
            # A body at the limit of nesting, or a resolver's value that is no JSON.
            self._refusals.change(plan.change, f"what is planned for {ref} can't be stored: {error}")
            return
        if write.size > base.MAX_BYTES or len(write.operations) > base.MAX_OPERATIONS:
            self._refusals.change(
                plan.change,
                f"{ref} is too large: its workflow takes {write.size} bytes in one transaction, "
                f"etcd takes {base.MAX_BYTES}",
            )
            return
        if not plan.drops:
            self._ledger.submit(write)
            self._ledger.planner.adopt(plan)
        else:
            self._replace(plan, write, seen_at)
        known = self._ledger.state_of(ref)
        if known is not None:
            self._ledger.published[str(self._ledger.path(ref))] = documents.Published(known.version, False)
        for job in plan.jobs:
            LOG.info("scheduled %s after %s", job.id, list(job.dependency) or "nothing")

    def _written(self, plan: planners.Plan, seen_at: int) -> scheduling.Write:
        ref = plan.change.ref
        path = self._ledger.path(ref)
        place = places.to_write(self._ledger.rules.catalog, ref, path)
        return scheduling.schedule(plan, path, place, seen_at=seen_at, now=ledgers.now())

    def _replace(self, plan: planners.Plan, write: scheduling.Write, seen_at: int) -> None:
        """Write a workflow that drops jobs: a worker may claim one at the same moment, then it is planned anew."""
        self._ledger.flush()
        for _ in range(_RACES):
            if self._ledger.commit(write):
                self._ledger.planner.adopt(plan)
                return
            self._look_at_claims(plan.drops)
            again = self._ledger.planner.plan(plan.change, self._ledger.taken())
            if again is None:
                return
            plan = again
            write = self._written(plan, seen_at)
        raise api.Conflict(f"the workflow of {plan.change.ref} could not be written: its jobs are claimed too fast")

    def _look_at_claims(self, jobs: tuple[api.Job, ...]) -> None:
        for job in jobs:
            if self._ledger.store.get(keys.job(job.id)) is None:
                self._ledger.planner.unfinished.remove(job.id)
            elif self._ledger.store.get(keys.claim(job.id)) is not None:
                self._ledger.claimed.add(job.id)

    def _wait(self, change: planners.Change, seen_at: int, missing: tuple[object, ...], reason: str) -> None:
        earlier = self.room.get(change.ref)
        until = earlier.until if earlier and earlier.change == change else time.monotonic() + self._patience
        LOG.info("%s waits: %s", change.ref, reason)
        consulted = frozenset(self._ledger.planner.consulted)
        self.room.add(waiting.Waiter(change, seen_at, missing, reason, until, consulted))

    def wake(self, changed: object) -> None:
        """Try again what may have waited for this, and then what waited for that in turn."""
        queue = collections.deque([changed])
        while queue:
            for waiter in self.room.woken_by(queue.popleft()):
                if self.room.get(waiter.change.ref) is not waiter:
                    continue
                self.attempt(waiter.change, waiter.seen_at)
                if self._ledger.planner.action(waiter.change) is None:
                    self.room.remove(waiter.change.ref)
                if self.room.get(waiter.change.ref) is None:
                    queue.append(waiter.change.ref)

    def _reason(self, ref: api.Ref) -> str:
        """What a waiting resource waits for in the end; not the whole chain, which may be long."""
        waiter = self.room.get(ref)
        return waiter.reason.rpartition("which itself waits: ")[2] if waiter else ""
