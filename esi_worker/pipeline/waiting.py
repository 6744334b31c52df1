"""Resources that wait for a relative or a template which may still arrive.  No I/O."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Hashable

from esi_worker import api
from esi_worker.mapping import evaluation
from esi_worker.pipeline import planner


@dataclasses.dataclass(frozen=True, slots=True)
class Waiter:
    """A change that could not be planned yet.

    :ivar missing: what has to arrive: a resource, a template's id
    :ivar reason: for operators
    :ivar until: ``time.monotonic()`` at which the waiting is over and the reason is published
    :ivar consulted: what else it was found from that this is missing: a change of it may end the waiting
    """

    change: planner.Change
    seen_at: int
    missing: tuple[Hashable, ...]
    reason: str
    until: float
    consulted: frozenset[Hashable] = frozenset()

    @property
    def wakers(self) -> frozenset[Hashable]:
        """Whatever may end the waiting; a change of the resource itself is planned anyway."""
        return self.consulted.union(self.missing) - {self.change.ref}


class WaitingRoom:
    """Who waits, found by what may end the waiting."""

    def __init__(self) -> None:
        self._waiters: dict[api.Ref, Waiter] = {}
        self._by_waker: dict[Hashable, dict[api.Ref, None]] = collections.defaultdict(dict)

    def __len__(self) -> int:
        return len(self._waiters)

    def get(self, ref: api.Ref) -> Waiter | None:
        """The waiter of a resource, or None."""
        return self._waiters.get(ref)

    def add(self, waiter: Waiter) -> None:
        """A resource waits; an older change of the same resource waits no more."""
        self.remove(waiter.change.ref)
        self._waiters[waiter.change.ref] = waiter
        for waker in waiter.wakers:
            self._by_waker[waker][waiter.change.ref] = None

    def remove(self, ref: api.Ref) -> Waiter | None:
        """A resource waits no more."""
        waiter = self._waiters.pop(ref, None)
        if waiter is not None:
            for waker in waiter.wakers:
                self._by_waker[waker].pop(ref, None)
                if not self._by_waker[waker]:
                    del self._by_waker[waker]
        return waiter

    def woken_by(self, changed: Hashable) -> list[Waiter]:
        """Those that what has changed now may have an end of waiting for, in the order they came."""
        return [self._waiters[ref] for ref in self._by_waker.get(changed, ())]

    def leads_to(self, start: api.Ref, goal: api.Ref) -> bool:
        """Whether a resource that waits does so, by way of others that wait, for another one."""
        seen: set[Hashable] = set()
        queue: list[Hashable] = [start]
        while queue:
            waiter = self._waiters.get(queue.pop())  # type: ignore[call-overload]
            new = set(waiter.missing) - seen if waiter else set()
            seen |= new
            queue += new
        return goal in seen

    def expired(self, now: float) -> list[Waiter]:
        """Those whose time is over."""
        return [waiter for waiter in self._waiters.values() if waiter.until <= now]


def missing(error: api.Unresolved) -> tuple[Hashable, ...]:
    """What has to arrive so that planning may succeed: a resource, one whose field is still empty, a template."""
    if isinstance(error, planner.MissingTemplate):
        return (error.template_id,)
    if isinstance(error, evaluation.MissingHop):
        return tuple(each for each in (error.ref, error.resource) if each is not None)
    return ()


def blocked_by(plan: planner.Plan, room: WaitingRoom) -> api.Ref | None:
    """A relative that itself waits to be planned: its jobs can't be depended on before they exist.

    One that waits for this very resource, be it by way of others, is no obstacle: they would wait for each other.
    """
    if plan.change.marked:
        return None
    for job in plan.jobs:
        for param in job.params:
            for ref in param.resources:
                if room.get(ref) and ref != plan.change.ref and not room.leads_to(ref, plan.change.ref):
                    return ref
    return None
