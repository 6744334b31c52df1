"""All kill points of a world: every request of a run, both kinds, until there are no more requests."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Final
from unittest import mock

from ncclient.transport import session

from tests.chaos import forks
from tests.chaos import killpoints
from tests.chaos import plan as plans
from tests.chaos import world
from tests.functional import deployment

LANES: Final = 6
"""Deployments in which points are tried at the same time: most of what one does is to wait for leases to end."""

_PAUSE: Final = 0.1
"""Seconds between two looks at etcd: to look is not for nothing where many do."""

_TICK: Final = 0.02
"""Seconds."""

Make = Callable[[str], list[world.Resource]]
"""The resources of a tag."""


class Lane:
    """A deployment of its own for one point after the other; a new one after a violation, for what is broken stays
    broken and would be counted again and again.

    :param patience: seconds that everything may take to come to rest
    """

    def __init__(self, make: Make, patience: float) -> None:
        self._make = make
        self._patience = patience
        self._deployed: deployment.Deployment | None = None
        self._run: killpoints.Run | None = None

    def point(self, point: killpoints.Point) -> killpoints.Outcome:
        """Try one.

        :returns: what came of it; if even a run that was not cut violated something, that
        """
        if self._run is None:
            self._deployed = deployment.Deployment(world.routers(), killpoints.OPTIONS, start=forks.Fork).start()
            self._deployed.pause = _PAUSE
            self._run = killpoints.Run(self._deployed, self._make, self._patience)
            # From now on there is a world before the one that is created.
            first = self._run.point(dataclasses.replace(point, number=killpoints.UNCUT))
            if first.violations:
                self.close()
                return first
        outcome = self._run.point(point)
        if outcome.violations:
            self.close()
        return outcome

    def close(self) -> None:
        """End what was started."""
        if self._run is not None:
            self._run.close()
        if self._deployed is not None:
            self._deployed.close()
        self._run = self._deployed = None


class Sweep:
    """Tries all points of processes with certain roles, in several lanes.

    :param tell: called with what came of each point, in the lanes' threads
    """

    def __init__(
        self, make: Make, tell: Callable[[killpoints.Outcome], None], *, lanes: int = LANES, patience: float = 90.0
    ) -> None:
        self._tell = tell
        self._given_up = threading.Event()
        # ncclient, with which the stand-in for Heat configures routers, waits so long before it sends a request.
        self._quicker = mock.patch.object(session, "TICK", _TICK)
        self._quicker.start()
        self._lanes = [Lane(make, patience) for _ in range(lanes)]

    def close(self) -> None:
        """End what was started."""
        self._given_up.set()
        for each in self._lanes:
            each.close()
        self._quicker.stop()

    def all(self, roles: str, order: random.Random, deadline: float) -> plans.Swept:
        """Try all points.

        :param deadline: by the monotonic clock: none is begun after it
        """
        if time.monotonic() >= deadline:
            return plans.Swept(0, 0, (), True, ())
        with self._pool() as pool:
            uncut = killpoints.Point(roles, killpoints.UNCUT, killpoints.KINDS[0])
            plan = plans.Plan(list(pool.map(lambda lane: self._try(lane, uncut), self._lanes)), order)
            ends = pool.map(lambda lane: self._share(lane, plan, deadline), self._lanes)
            return plan.swept(over=any(list(ends)))

    @contextlib.contextmanager
    def _pool(self) -> Iterator[concurrent.futures.Executor]:
        """A thread for each lane.  Where one fails, or somebody presses Ctrl-C, the others begin no more points."""
        with concurrent.futures.ThreadPoolExecutor(len(self._lanes)) as pool:
            try:
                yield pool
            except BaseException:
                self._given_up.set()
                raise

    def _share(self, lane: Lane, plan: plans.Plan, deadline: float) -> bool:
        """:returns: whether the time was over before the points were."""
        while time.monotonic() < deadline and not self._given_up.is_set():
            point = plan.take()
            if point is None:
                return False
            outcome = self._try(lane, point)
            plan.tell(dataclasses.replace(outcome, point=point))
        return True

    def _try(self, lane: Lane, point: killpoints.Point) -> killpoints.Outcome:
        outcome = lane.point(point)
        self._tell(outcome)
        return outcome
