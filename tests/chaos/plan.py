"""Which kill points are tried, in which order, and when there are no more of them.  Pure.

Runs differ in how many requests they take and in their order.  So a point counts as reached when some run was cut
there; one that a run did not come to is tried again as long as other runs came further, and a series of points ends
when several beyond the last one that was reached were tried in vain.
"""

from __future__ import annotations

import collections
import dataclasses
import random
import threading
from collections.abc import Sequence
from typing import Final

from tests.chaos import killpoints

_BEYOND: Final = 3
_TRIES: Final = 4


class Series:
    """The points of one kind, in a seeded order.

    :param known: how many requests a run took that was not cut
    """

    def __init__(self, roles: str, kind: str, known: int, order: random.Random) -> None:
        self._roles = roles
        self._kind = kind
        self._next = known + 1
        self._waiting = list(range(1, self._next))
        order.shuffle(self._waiting)
        self._reached: set[int] = set()
        self._at_work: set[int] = set()
        self._tries: collections.Counter[int] = collections.Counter()

    @property
    def last(self) -> int:
        """The last request at which a run was cut: so many points there are."""
        return max(self._reached, default=0)

    @property
    def reached(self) -> int:
        """At how many of them."""
        return len(self._reached)

    @property
    def missed(self) -> list[str]:
        """Those that were tried in vain, though another run came further."""
        vain = [each for each in range(1, self.last) if self._tries[each] and each not in self._reached]
        return [f"{self._kind} {each}" for each in vain]

    def take(self) -> killpoints.Point | None:
        """The next point to try; None if there is none, or none before what is tried now has an end."""
        number = self._choose()
        if number is None:
            return None
        self._at_work.add(number)
        self._tries[number] += 1
        return killpoints.Point(self._roles, number, self._kind)

    def tell(self, number: int, *, reached: bool) -> None:
        """What came of a point that was taken."""
        self._at_work.discard(number)
        if reached:
            self._reached.add(number)

    def _choose(self) -> int | None:
        if self._waiting:
            return self._waiting.pop()
        missed = [each for each in range(self.last, 0, -1) if self._may_try_again(each)]
        if missed:
            return missed[0]
        if self._next <= self.last + _BEYOND:
            self._next += 1
            return self._next - 1
        return None

    def _may_try_again(self, number: int) -> bool:
        return number not in self._reached | self._at_work and self._tries[number] < _TRIES


@dataclasses.dataclass(frozen=True, slots=True)
class Swept:
    """What came of all points of processes with certain roles.

    :ivar tried: points at which a process was killed
    :ivar points: that there are, as far as is known
    :ivar missed: those to which no run came, again and again, though one came further
    :ivar over: whether the time was over before the end
    """

    tried: int
    points: int
    missed: Sequence[str]
    over: bool
    outcomes: Sequence[killpoints.Outcome]

    def __str__(self) -> str:
        if not self.points:
            return "the time was over before"
        if self.tried == self.points:
            return f"all {self.points} points" + (" known when the time was over" if self.over else "")
        why = "the time was over" if self.over else f"no run came to {', '.join(self.missed)}"
        return f"{self.tried} of {self.points} points, {why}"


class Plan:
    """The points that several lanes share out among them.  Both kinds take turns.

    :param uncut: what came of runs that were not cut
    """

    def __init__(self, uncut: Sequence[killpoints.Outcome], order: random.Random) -> None:
        self._known = max(each.requests for each in uncut)
        roles = uncut[0].point.roles
        self._series = {kind: Series(roles, kind, self._known, order) for kind in killpoints.KINDS}
        self._turns = 0
        self._lock = threading.Lock()
        self._outcomes = list(uncut)

    def take(self) -> killpoints.Point | None:
        """The next point for a lane that has nothing to do."""
        with self._lock:
            self._turns += 1
            turn = self._turns % len(self._series)
            ordered = [*self._series.values()][turn:] + [*self._series.values()][:turn]
            return next(filter(None, (each.take() for each in ordered)), None)

    def tell(self, outcome: killpoints.Outcome) -> None:
        """What came of a point."""
        with self._lock:
            self._series[outcome.point.kind].tell(outcome.point.number, reached=outcome.reached)
            self._outcomes.append(outcome)

    def swept(self, *, over: bool) -> Swept:
        """What came of all of them."""
        tried = sum(each.reached for each in self._series.values())
        known = self._known if over else 0
        points = sum(max(each.last, known) for each in self._series.values())
        missed = [point for each in self._series.values() for point in each.missed]
        return Swept(tried, points, missed, over, self._outcomes)
