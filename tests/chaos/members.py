"""Three members of etcd, one of which is always in trouble, under a daemon that always has something to do.

Measured is the longest time without a step while there was something to do: nothing planned, claimed or finished, as
far as any member shows it.
"""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import http.client
import itertools
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from esi_worker import api
from esi_worker.store import keys
from esi_worker.testing import etcd
from esi_worker.testing import etcd_admin
from esi_worker.testing import etcd_cluster
from tests.chaos import gohan
from tests.chaos import invariants
from tests.chaos import killpoints
from tests.chaos import world
from tests.functional import deployment

_AT_ONCE: Final = 3
"""Worlds that are under way at any time."""

_LONGER: Final = 16.0
"""Seconds: a member may stand still for longer than a daemon waits for an answer from it."""

_LOOK: Final = 0.05
"""Seconds between two looks at a member's revision: gaps are known as well as this."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """A time without a step.

    :ivar seconds: how long
    :ivar fault: the last one that had begun before it ended
    """

    seconds: float
    fault: str


@dataclasses.dataclass
class Figures:
    """What came of it.

    :ivar gaps: the longest one after each fault
    """

    faults: list[str] = dataclasses.field(default_factory=list)
    worlds: int = 0
    gaps: list[Gap] = dataclasses.field(default_factory=list)
    violations: list[str] = dataclasses.field(default_factory=list)

    @property
    def longest(self) -> Gap:
        """The longest gap of all."""
        return max(self.gaps, key=lambda gap: gap.seconds, default=Gap(0.0, "none"))


class Clock:
    """When each revision was first seen, by whichever member showed it first.

    :ivar seen: revision and ``time.monotonic()``, both rising
    """

    def __init__(self, members: Sequence[etcd.EtcdServer]) -> None:
        self.seen: list[tuple[int, float]] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # A thread for each: one that stands still keeps its thread waiting, and no other.
        self._threads = [threading.Thread(target=self._look, args=(each,), daemon=True) for each in members]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def _look(self, member: etcd.EtcdServer) -> None:
        while not self._stop.wait(_LOOK):
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError, etcd_admin.Refused):
                revision = int(member.admin.post("maintenance/status", {})["header"]["revision"])
                with self._lock:
                    if not self.seen or revision > self.seen[-1][0]:
                        self.seen.append((revision, time.monotonic()))


class Members:
    """A deployment of its own.

    :param seed: chooses members, faults and times
    """

    def __init__(self, seed: int, patience: float = 90.0) -> None:
        self._random = random.Random(seed)
        self._patience = patience
        self._cluster = etcd_cluster.EtcdCluster(fsync=True)
        self._deployed = deployment.Deployment(options=killpoints.OPTIONS, cluster=self._cluster)
        self._over = threading.Event()
        self._figures = Figures()
        self._begun: list[tuple[float, str]] = []
        self._faults: dict[str, Callable[[etcd.EtcdServer], None]] = {
            "killed": lambda each: self._away(each.kill, each.start, 6.0),
            "ended": lambda each: self._away(each.stop, each.start, 6.0),
            "stopped": lambda each: self._away(each.pause, each.resume, _LONGER),
        }

    def close(self) -> None:
        """End everything."""
        self._over.set()
        self._deployed.close()

    def run(self, seconds: float) -> Figures:
        """One fault after another until the time is over; then everything has to come to rest."""
        deployed = self._deployed.start()
        with (
            contextlib.closing(gohan.Gohan(deployed)) as writer,
            contextlib.closing(Clock(self._cluster.members)) as clock,
        ):
            deployed.daemon()
            deployed.wait(lambda: deployed.get(keys.LEADER), "a leader", self._patience)
            feeder = threading.Thread(target=self._feed, args=(writer,), daemon=True)
            began = time.monotonic()
            feeder.start()
            deployed.wait(lambda: self._figures.worlds > _AT_ONCE, "the first world", self._patience)
            while time.monotonic() - began < seconds:
                self._fault()
            ended = time.monotonic()
            self._over.set()
            feeder.join(self._patience)
            self._figures.violations += self._violations(writer)
        self._figures.gaps = self._gaps(clock, ended)
        return self._figures

    def _feed(self, writer: gohan.Gohan) -> None:
        """Keep some worlds under way; take down what is done."""
        under_way: list[list[world.Resource]] = []
        while not self._over.wait(0.1):
            with contextlib.suppress(api.StoreError):
                for each in [each for each in under_way if self._done(each)]:
                    under_way.remove(each)
                    writer.mark(*(resource.path for resource in reversed(each)))
                while len(under_way) < _AT_ONCE and not self._over.is_set():
                    self._figures.worlds += 1
                    under_way.append(world.small(f"m{self._figures.worlds}"))
                    writer.create(*under_way[-1])

    def _done(self, resources: Sequence[world.Resource]) -> bool:
        return all(self._deployed.state(each.path) for each in resources)

    def _fault(self) -> None:
        """One member, for a while; then all are well again for a moment."""
        leads = self._random.random() < 0.5
        name = self._random.choice(sorted(self._faults))
        leader = self._cluster.leader()
        others = [each for each in self._cluster.members if each is not leader]
        member = leader if leads else self._random.choice(others)
        told = f"{'the leader' if leads else 'a follower'} {name}"
        self._begun.append((time.monotonic(), told))
        self._figures.faults.append(told)
        self._faults[name](member)
        for each in self._cluster.members:
            each.wait_ready()
        self._over.wait(self._random.uniform(0.5, 1.5))

    def _away(self, end: Callable[[], None], begin: Callable[[], object], most: float) -> None:
        """A member is away, for so many seconds at most."""
        end()
        self._over.wait(self._random.uniform(1.0, most))
        begin()

    def _violations(self, writer: gohan.Gohan) -> list[str]:
        try:
            writer.settle(self._patience)
        except AssertionError as error:
            return [f"I6: {error}"]
        checker = invariants.Checker()
        found = checker.feed(self._deployed.history())
        stacks = [stack.name for stack in self._deployed.heat.stacks.all()]
        found = found + invariants.at_rest(checker.present, stacks)
        return [str(each) for each in found + invariants.secrets(self._deployed.logs(), world.CANARY)]

    def _gaps(self, clock: Clock, ended: float) -> list[Gap]:
        """The longest gap after each fault."""
        longest: dict[tuple[float, str], Gap] = {}
        for since, until in waits(self._deployed.history(), clock.seen):
            fault = max((each for each in self._begun if each[0] <= until), default=(0.0, "before the first fault"))
            if since < ended and until - since > longest.get(fault, Gap(0.0, "")).seconds:
                longest[fault] = Gap(until - since, fault[1])
        return list(longest.values())


def waits(history: Iterable[deployment.Change], seen: Sequence[tuple[int, float]]) -> Iterator[tuple[float, float]]:
    """The times between one step of a daemon and its next one, as long as there was something to do.

    :param seen: revisions, and when each was first seen
    """
    open_: dict[str, int] = {}
    told: dict[str, int] = {}
    revisions = [revision for revision, _ in seen]
    since: float | None = None
    for revision, group in itertools.groupby(history, key=lambda change: change.revision):
        changes = list(group)
        place = bisect.bisect_left(revisions, revision)
        if place == len(seen):
            return
        for change in changes:
            _account(change, open_, told)
        if any(map(_is_step, changes)):
            if since is not None:
                yield since, seen[place][1]
            since = None
        if not any(version > told.get(path, 0) for path, version in open_.items()):
            since = None
        elif since is None:
            since = seen[place][1]


def _account(change: deployment.Change, open_: dict[str, int], told: dict[str, int]) -> None:
    """Keep what versions there are, and what versions were told."""
    for prefix, versions in ((keys.CONFIG, open_), (keys.STATE, told)):
        if change.key.startswith(prefix):
            path = change.key.removeprefix(prefix)
            versions.pop(path, None)
            if change.value is not None:
                versions[path] = change.value["version"]


def _is_step(change: deployment.Change) -> bool:
    """Whether a daemon did this, and it brings a resource on: a claim that only runs out does not."""
    if change.key.startswith((keys.CLAIMS, keys.STATE)):
        return change.value is not None
    return change.key.startswith((keys.ALL_JOBS, keys.RECORDED))
