"""A process is killed before or after its n-th request to etcd, and started again; then the invariants are checked."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Final

from esi_worker.testing import proxy
from tests.chaos import gohan
from tests.chaos import invariants
from tests.chaos import world
from tests.functional import deployment

ALL: Final = "job_manager,worker,collector"
KINDS: Final = (proxy.BEFORE, proxy.AFTER)
OPTIONS: Final = {
    "job_manager": {"lease_ttl": 2},
    "worker": {"lease_ttl": 2},
    "collector": {"lease_ttl": 2},
}
"""Of the daemons: what a killed one held is free soon."""


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """Where a process is killed.

    :ivar roles: of the process
    :ivar number: of the request, 1 for the first one after its start
    :ivar kind: before it reaches etcd, or after etcd did it and before the process learns of it
    """

    roles: str
    number: int
    kind: str

    def __str__(self) -> str:
        return f"{self.roles} killed {self.kind} request {self.number}"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    :ivar reached: whether the process sent so many requests at all
    :ivar recovery: seconds from the kill until everything was at rest
    :ivar violations: as texts
    """

    point: Point
    reached: bool
    recovery: float
    violations: Sequence[str]


class Run:
    """Kills at one point after another in one deployment; each time a world of its own is created while the one
    before is modified and taken down.

    :param deployed: a started deployment, without daemons
    :param make: the resources of a tag
    :param patience: seconds that everything may take to come to rest
    """

    def __init__(
        self,
        deployed: deployment.Deployment,
        make: Callable[[str], list[world.Resource]] = world.small,
        patience: float = 60.0,
    ) -> None:
        self._deployed = deployed
        self._make = make
        self._patience = patience
        self._gohan = gohan.Gohan(deployed)
        self._gohan.templates()
        self._checker = invariants.Checker()
        self._others: dict[str, deployment.Daemon] = {}
        self._count = 0
        self._previous: list[world.Resource] = []

    def close(self) -> None:
        """End what this run started."""
        self._gohan.close()
        for each in self._others.values():
            each.stop()

    def point(self, point: Point) -> Outcome:
        """Kill at one point, start again, wait, check."""
        self._run_others(point.roles)
        killed = threading.Event()
        with proxy.Proxy(self._deployed.etcd.address) as between:
            first, rest = self._turn()
            first()
            victims: list[deployment.Daemon] = []

            def kill() -> None:
                victims[0].process.kill()
                killed.set()

            between.at(point.number, point.kind, kill)
            target = self._start(point.roles, between)
            victims.append(target)
            self._wait_up(between, killed)
            rest()
            self._deployed.wait(lambda: killed.is_set() or self._gohan.settled(), "the kill or the end", self._patience)
            began = time.monotonic()
            reached = killed.is_set()
            if reached:
                target.kill()
                target = self._start(point.roles, between)
            violations = self._settle()
            recovery = time.monotonic() - began
            target.stop()
        return Outcome(point, reached, recovery, violations)

    def _start(self, roles: str, between: proxy.Proxy) -> deployment.Daemon:
        return self._deployed.daemon("target", between.endpoint, DEFAULT={"roles": roles})

    def _run_others(self, roles: str) -> None:
        """The roles that the process to be killed does not have."""
        wanted = ",".join(each for each in ALL.split(",") if each not in roles.split(","))
        for each in [each for each in self._others if each != wanted]:
            self._others.pop(each).stop()
        if wanted and wanted not in self._others:
            self._others[wanted] = self._deployed.daemon("other", DEFAULT={"roles": wanted})

    def _wait_up(self, between: proxy.Proxy, killed: threading.Event) -> None:
        """The second half of the changes comes while the process is at work."""
        self._deployed.wait(lambda: killed.is_set() or between.requests > 8, "the process at work", self._patience)

    def _turn(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """The changes of the next turn, in two halves."""
        self._count += 1
        new, old = self._make(f"k{self._count}"), self._previous
        self._previous = new
        middle = len(new) // 2

        def first() -> None:
            self._gohan.create(*new[:middle])
            if old:
                self._gohan.modify(old[-1].path, name="changed")

        def rest() -> None:
            self._gohan.create(*new[middle:])
            self._gohan.mark(*(each.path for each in reversed(old)))

        return first, rest

    def _settle(self) -> list[str]:
        try:
            self._gohan.settle(self._patience)
        except AssertionError as error:
            return [f"I6: {error}"]
        stacks = [stack.name for stack in self._deployed.heat.stacks.all()]
        found = self._checker.feed(self._deployed.history(self._checker.revision + 1))
        found = found + invariants.at_rest(self._checker.present, stacks)
        return [str(each) for each in found + invariants.secrets(self._deployed.logs(), world.CANARY)]
