"""What a process still writes that stood still past its leases: tried, counted, and never accepted.

Two daemons with all roles take turns.  The one at work is caught with a certain write on its way, and with whatever
else it sends then; it is stopped, its leases end, perhaps the other one takes over; then its writes reach etcd.  Next
time it is the one that stands by.
"""

from __future__ import annotations

import collections
import dataclasses
import random
import signal
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from esi_worker.store import keys
from tests.chaos import invariants
from tests.chaos import killpoints
from tests.chaos import wire
from tests.chaos import world
from tests.chaos import writes
from tests.functional import deployment

_LEASES_OF_A_DAEMON: Final = 3
_NOBODY: Final = "nobody took over"
_AT_WORK: Final = "another one is at work"
_DONE: Final = "another one is done"


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn.

    :ivar name: what was caught and how it went on
    :ivar tried: how often each kind of write reached etcd too late
    :ivar accepted: those that etcd accepted nevertheless
    """

    name: str
    tried: Mapping[str, int]
    accepted: Sequence[str]
    violations: Sequence[str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Side:
    """A daemon and what stands between it and etcd."""

    daemon: deployment.Daemon
    witness: wire.Witness

    def stop(self) -> None:
        self.daemon.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.daemon.process.send_signal(signal.SIGCONT)


class Stale:
    """Turns in a deployment of its own."""

    def __init__(self, seed: int, patience: float = 60.0) -> None:
        self._random = random.Random(seed)
        self._patience = patience
        self._deployed = deployment.Deployment(world.routers(), killpoints.OPTIONS)
        self._count = 0
        self._order: list[writes.Kind] = []
        self._sides: list[_Side] = []

    def start(self) -> Stale:
        """Two daemons: one works, the other stands still."""
        deployed = self._deployed.start()
        self._writes = writes.Writes(deployed)
        self._gohan = self._writes.gohan
        self._checker = invariants.Checker()
        catalog = self._writes.watched()
        for _ in range(2):
            witness = wire.Witness(deployed.etcd.address)
            daemon = deployed.daemon("stale", witness.endpoint, catalog={"files": catalog})
            self._sides.append(_Side(daemon, witness))
            self._gohan.settle(self._patience)
            deployed.wait(lambda: deployed.get(keys.MONITORING + writes.SESSION), "a collector at work", self._patience)
            if len(self._sides) == 1:
                self._sides[0].stop()
                self._leases_end(by_time=False)
        self._sides.reverse()
        return self

    def close(self) -> None:
        """End everything."""
        if self._sides:
            self._gohan.close()
        for side in self._sides:
            side.daemon.kill()
            side.witness.close()
        self._deployed.close()

    def turn(self) -> Turn:
        """Catch a write, let it come too late, check."""
        self._count += 1
        kind, by_time = self._next_kind(), self._random.random() < 0.5
        meanwhile = self._random.choice((_NOBODY, _AT_WORK, _DONE))
        stale, other = self._sides if not kind.rejoins else self._exchange()
        answers: list[tuple[wire.Write, bytes]] = []
        try:
            self._catch(kind, stale, f"s{self._count}")
            stale.stop()
            self._leases_end(by_time=by_time)
            self._meanwhile(meanwhile, other)
            answers += [(each.write, stale.witness.let_go(each)) for each in stale.witness.held]
            self._deployed.heat.faults.clear()
            if meanwhile != _DONE:
                self._take_over(other)
            violations = self._violations()
        except AssertionError as error:
            violations = [f"I6: {error}"]
        finally:
            stale.witness.disarm()
        self._sides = [other, stale]
        ended = "its leases ran out" if by_time else "its leases were revoked"
        tried = collections.Counter(self._writes.name(write) for write, _ in answers)
        accepted = [f"{self._writes.name(write)}: {write}" for write, answer in answers if write.accepted(answer)]
        return Turn(f"{kind.name}: {ended}, {meanwhile}", tried, accepted, violations)

    # -- one turn ------------------------------------------------------------------------------------------------

    def _exchange(self) -> list[_Side]:
        """Have the one at work stand still, so that the other one comes back."""
        self._sides[0].stop()
        self._leases_end(by_time=False)
        return [self._sides[1], self._sides[0]]

    def _next_kind(self) -> writes.Kind:
        """All kinds once, in any order, before one comes again."""
        if not self._order:
            self._order = self._random.sample(self._writes.kinds, len(self._writes.kinds))
        return self._order.pop()

    def _catch(self, kind: writes.Kind, stale: _Side, tag: str) -> None:
        kind.prepare(tag)
        stale.witness.arm(kind.wanted)
        if kind.rejoins:
            stale.go_on()
        kind.provoke(tag)
        if not stale.witness.caught.wait(self._patience):
            raise AssertionError(f"the write did not come: {kind.name}\n{stale.daemon.log[-4000:]}")
        # What else it has to write by then comes too late as well: its other stages don't stand by.
        self._writes.more(tag, self._random.choice(("master", "backup")))
        stale.witness.wait_held(_renewals_of_all, 1.2)

    def _leases_end(self, *, by_time: bool) -> None:
        """No lease is left: all belong to daemons that stand still."""
        admin = self._deployed.etcd.admin
        for each in [] if by_time else admin.post("lease/leases", {}).get("leases", []):
            admin.post("lease/revoke", {"ID": each["ID"]})
        self._deployed.wait(lambda: not admin.post("lease/leases", {}).get("leases"), "no leases", self._patience)

    def _meanwhile(self, what: str, other: _Side) -> None:
        """What happens between the end of the leases and the writes that come too late."""
        if what == _AT_WORK:
            self._begin(other)
        elif what == _DONE:
            self._take_over(other)

    def _begin(self, other: _Side) -> None:
        """The other one holds what the stale one held, and gets no further: Heat is in trouble."""
        self._deployed.heat.faults.add(503, times=1000)
        other.go_on()
        store = self._deployed.store

        def begun() -> bool:
            at_work = store.list(keys.CLAIMS).entries or not store.list(keys.ALL_JOBS).entries
            return bool(store.get(keys.LEADER) and store.list(keys.COLLECTORS).entries and at_work)

        self._deployed.wait(begun, "the other one at work", self._patience)

    def _take_over(self, other: _Side) -> None:
        """The other one brings everything to an end, and takes down what this turn has made."""
        other.go_on()
        self._writes.take_down()
        self._gohan.settle(self._patience)

    def _violations(self) -> list[str]:
        stacks = [stack.name for stack in self._deployed.heat.stacks.all()]
        found = self._checker.feed(self._deployed.history(self._checker.revision + 1))
        found = found + invariants.at_rest(self._checker.present, stacks)
        found = found + invariants.secrets(self._deployed.logs(), world.CANARY)
        ended = [
            f"a daemon ended: {side.daemon.log[-2000:]}"
            for side in self._sides
            if side.daemon.process.poll() is not None
        ]
        return [str(each) for each in found] + ended


def _renewals_of_all(held: list[wire.Held]) -> bool:
    return sum(each.write.path == wire.RENEWAL for each in held) >= _LEASES_OF_A_DAEMON
