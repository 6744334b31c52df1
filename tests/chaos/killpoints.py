"""A process is killed before or after its n-th request to etcd, and started again; then the invariants are checked."""

from __future__ import annotations

import dataclasses
import signal
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
UNCUT: Final = 0
"""The number of a request that never comes."""

OPTIONS: Final = {
    "job_manager": {"lease_ttl": 2},
    "worker": {"lease_ttl": 2},
    "collector": {"lease_ttl": 2},
}
"""Of the daemons: what a killed one held is free soon."""

_AT_WORK: Final = 8
"""Requests after which a process knows what there is to do; each role sends more of them."""

_LEASES_END: Final = 15.0
"""Seconds in which etcd has ended the leases of a killed process; changes of leader make them live longer."""


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
    :ivar requests: how many it sent, and the one after it if it was killed
    :ivar recovery: seconds from the kill until everything was at rest; 0 if it was so before
    :ivar violations: as texts
    """

    point: Point
    reached: bool
    requests: int
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
        with proxy.Proxy(self._deployed.etcd.address) as between:
            life = _Life(self._deployed, point, between)
            try:
                self._live(life)
                violations = self._violations(life)
            except AssertionError as error:
                violations = [f"I6: {error}"]
                life.end()
            return Outcome(point, life.killed.is_set(), between.requests, life.recovery, violations)

    def _live(self, life: _Life) -> None:
        """:raises AssertionError: if something does not come to its end in time."""
        first, rest = self._turn()
        first()
        life.start()
        # The second half of the changes comes while the process is at work.
        self._wait(life.at_work, "the process at work")
        rest()
        self._gohan.settle(self._patience)
        self._wait(lambda: not invariants.unpublished(self._deployed.documents()), "what is watched to be published")
        life.rest()
        self._wait(life.ready_to_stop, "the process at work before it is stopped")

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        self._deployed.wait(condition, what, self._patience)

    def _run_others(self, roles: str) -> None:
        """The roles that the process to be killed does not have."""
        wanted = ",".join(each for each in ALL.split(",") if each not in roles.split(","))
        for each in [each for each in self._others if each != wanted]:
            self._others.pop(each).stop()
        if wanted and wanted not in self._others:
            self._others[wanted] = self._deployed.daemon("other", DEFAULT={"roles": wanted})

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

    def _violations(self, life: _Life) -> list[str]:
        """Everything is at rest: stop the process and look at all that happened."""
        status = life.stop()
        found = [f"I6: SIGTERM ended {life.point.roles} with status {status}"] if status else []
        stacks = [stack.name for stack in self._deployed.heat.stacks.all()]
        seen = self._checker.feed(self._deployed.history(self._checker.revision + 1))
        seen = seen + invariants.at_rest(self._checker.present, stacks)
        logs = "\n".join(each.log for each in (*life.daemons, *self._others.values()))
        found += [str(each) for each in seen + invariants.secrets(logs, world.CANARY)]
        return found + self._leases()

    def _leases(self) -> list[str]:
        """What the killed process held ends by itself, what the stopped one held has ended."""
        roles = sum(len(each.split(",")) for each in self._others)
        left: list[invariants.Violation] = []

        def ended() -> bool:
            left[:] = invariants.leases(self._deployed.leases(), roles)
            return not left

        try:
            self._deployed.wait(ended, "the leases' end", _LEASES_END)
        except AssertionError:
            return [str(each) for each in left]
        return []


class _Life:
    """A process that is killed at a request, and started again at that moment; not if it was being stopped anyway.

    :ivar killed: set when it is killed
    :ivar daemons: the process, and the one after it
    :ivar recovery: seconds
    """

    def __init__(self, deployed: deployment.Deployment, point: Point, between: proxy.Proxy) -> None:
        self.point = point
        self.killed = threading.Event()
        self.daemons: list[deployment.Daemon] = []
        self.recovery = 0.0
        self._deployed = deployed
        self._between = between
        self._lock = threading.Lock()
        self._stopping = False
        self._since = 0
        self._killed_at = 0.0

    def start(self) -> None:
        # Under the lock, since the first request may come before whoever started the process has noted that.
        with self._lock:
            if self.point.number != UNCUT:
                self._between.at(self.point.number, self.point.kind, self._kill)
            self._start()

    def at_work(self) -> bool:
        """Whether it has begun with what there is to do.

        :raises AssertionError: if it has ended by itself
        """
        with self._lock:
            return self._at_work()

    def rest(self) -> None:
        """Everything is at rest."""
        if self.killed.is_set():
            self.recovery = time.monotonic() - self._killed_at

    def ready_to_stop(self) -> bool:
        """Whether it is at work; then it is not started again any more."""
        with self._lock:
            self._stopping = self._at_work()
            return self._stopping

    def stop(self) -> int:
        """SIGTERM; :returns: the exit status; 0 also if it was killed while it stopped."""
        status = self.daemons[-1].stop()
        with self._lock:  # whoever killed it has noted that
            return 0 if status == -signal.SIGKILL and self.killed.is_set() and len(self.daemons) == 1 else status

    def end(self) -> None:
        """Have no process any more, whatever it was at."""
        with self._lock:
            self._stopping = True
        self.daemons[-1].kill()

    def _start(self) -> None:
        self._since = self._between.requests
        daemon = self._deployed.daemon("target", self._between.endpoint, DEFAULT={"roles": self.point.roles})
        self.daemons.append(daemon)

    def _at_work(self) -> bool:
        status = self.daemons[-1].process.poll()
        if status is not None:
            raise AssertionError(f"{self.point.roles} ended by itself: {status}\n{self.daemons[-1].log[-6000:]}")
        return self._between.requests - self._since > _AT_WORK

    def _kill(self) -> None:
        with self._lock:
            self.daemons[-1].process.kill()
            self.killed.set()
            self._killed_at = time.monotonic()
            if not self._stopping:
                self.daemons[-1].kill()
                self._start()
