"""``make chaos``: every fault, long enough to believe it.  Prints its seed and a table."""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from tests.chaos import durability
from tests.chaos import footprint
from tests.chaos import isolation
from tests.chaos import killpoints
from tests.chaos import members
from tests.chaos import mix
from tests.chaos import mutants
from tests.chaos import stale
from tests.chaos import sweep
from tests.chaos import world

_ROLES: Final = tuple(killpoints.ALL.split(","))
_FIGURES: Final = ("stale_writes", "etcd_restarts", "three_members", "gateway_footprint")
_SUITES: Final = (
    "tests.functional.test_chaos_quick",
    "tests.functional.test_lives",
    "tests.functional.test_poison",
)


@dataclasses.dataclass
class Row:
    """A line of the table.

    :ivar recoveries: seconds each
    :ivar remark: further figures
    """

    name: str
    tried: int = 0
    violations: list[str] = dataclasses.field(default_factory=list)
    recoveries: list[float] = dataclasses.field(default_factory=list)
    remark: str = ""

    def __str__(self) -> str:
        shown = "      -      -      -"
        if self.recoveries:
            ordered = sorted(self.recoveries)
            chosen = (ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)], ordered[-1])
            shown = " ".join(f"{each:6.1f}" for each in chosen)
        return f"{self.name:44} {self.tried:6} {len(self.violations):10} {shown}  {self.remark}".rstrip()


class Chaos:
    """All parts, one after another.

    :param minutes: for the parts that could go on for ever, together
    :param figures: seconds for each of the smaller parts that could
    :param lanes: how many kill points are tried at the same time
    """

    def __init__(self, seed: int, minutes: float, figures: float, lanes: int) -> None:
        self.rows: list[Row] = []
        self._seed = seed
        self._seconds = minutes * 60
        self._kill_seconds = self._seconds * 0.8
        self._figures = figures
        self._lanes = lanes

    def gateway_kill_points(self) -> None:
        """A process with all roles at every request of a whole gateway."""
        self._kill("gateway", world.gateway, [killpoints.ALL])

    def kill_points(self) -> None:
        """The same with a small world; and each role as a process of its own, in both worlds."""
        self._kill("small world", world.small, self._shuffled([killpoints.ALL, *_ROLES]))
        self._kill("gateway", world.gateway, self._shuffled(_ROLES))

    def mixed(self) -> None:
        """A seeded mix of everything."""
        row = self._row("rounds of mixed faults")
        deadline = time.monotonic() + self._seconds * 0.2
        deployed, mixed = mix.start(self._seed)
        try:
            while time.monotonic() < deadline:
                outcome = mixed.round()
                row.tried += len(outcome.faults)
                row.recoveries.append(outcome.recovery)
                row.violations += self._tell(f"{', '.join(outcome.faults)}", outcome.violations)
                if outcome.violations:
                    break  # what is broken stays broken, and would be counted again and again
        finally:
            mixed.close()
            deployed.close()

    def suites(self) -> None:
        """The functional tests of faults, and those among them that take too long for every day."""
        for suite in _SUITES:
            row = self._row(suite)
            command = [sys.executable, "-m", "unittest", suite]
            done = subprocess.run(command, env={**os.environ, "ESI_WORKER_CHAOS": "1"}, capture_output=True, text=True)
            row.tried += 1
            if done.returncode:
                row.violations += self._tell(suite, [done.stderr[-6000:]])

    def stale_writes(self) -> None:
        """What processes write that stood still past their leases."""
        row = self._row("stale writes")
        deadline = time.monotonic() + self._figures
        accepted, kinds = 0, collections.Counter[str]()
        with contextlib.closing(stale.Stale(self._seed)) as turns:
            turns.start()
            while time.monotonic() < deadline and not row.violations:
                turn = turns.turn()
                kinds.update(turn.tried)
                accepted += len(turn.accepted)
                row.violations += self._tell(turn.name, [*turn.accepted, *turn.violations])
        row.tried = kinds.total()
        row.remark = f"{accepted} accepted; tried: {_counts(kinds)}"

    def etcd_restarts(self) -> None:
        """etcd killed under writers."""
        row = self._row("etcd killed under writers")
        figures = durability.Durability(self._seed).run(self._figures)
        row.tried, row.remark = figures.restarts, str(figures)
        row.violations += self._tell(row.name, figures.violations)

    def three_members(self) -> None:
        """Members of etcd in trouble one after another."""
        row = self._row("three members, one always in trouble")
        with contextlib.closing(members.Members(self._seed)) as trouble:
            figures = trouble.run(self._figures)
        row.tried, longest = len(figures.faults), figures.longest
        row.recoveries += [gap.seconds for gap in figures.gaps]
        row.violations += self._tell(row.name, figures.violations)
        row.remark = f"longest gap {longest.seconds:.1f} s ({longest.fault}); {figures.worlds} worlds"

    def gateway_footprint(self) -> None:
        """The keys before a gateway's life, and after it."""
        row = self._row("a gateway's life leaves nothing")
        found = footprint.measure()
        row.tried, row.remark = 1, str(found)
        row.violations += self._tell(row.name, found.violations)

    def isolated(self) -> None:
        """200 resources, a hung project and a dead router among them."""
        row = self._row("isolation of 200 resources")
        outcome = isolation.measure(200)
        row.tried = 1
        _say(str(outcome))

    def mutated(self) -> None:
        """The tests are tested."""
        row = self._row("mutants (a violation is a survivor)")
        row.tried = len(mutants.MUTANTS)
        row.violations += mutants.run()

    def _kill(self, name: str, make: sweep.Make, roles: Sequence[str]) -> None:
        """All kill points of processes with these roles, one after another, until the time is over."""
        with contextlib.closing(sweep.Sweep(make, self._tell_point, lanes=self._lanes)) as sweeping:
            for each in roles:
                row = self._row(f"kill -9, {name}, {'all roles' if each == killpoints.ALL else each}")
                began = time.monotonic()
                swept = sweeping.all(each, random.Random(self._seed), began + self._kill_seconds)
                self._kill_seconds -= time.monotonic() - began
                row.tried, row.remark = swept.tried, str(swept)
                row.recoveries += [outcome.recovery for outcome in swept.outcomes if outcome.recovery]
                row.violations += [text for outcome in swept.outcomes for text in outcome.violations]

    def _shuffled(self, roles: Sequence[str]) -> list[str]:
        return random.Random(self._seed).sample(roles, len(roles))

    def _tell_point(self, outcome: killpoints.Outcome) -> None:
        self._tell(str(outcome.point), outcome.violations)

    def _row(self, name: str) -> Row:
        _say(f"--- {name} ...")
        self.rows.append(Row(name))
        return self.rows[-1]

    def _tell(self, where: str, violations: Sequence[str]) -> Sequence[str]:
        for each in violations:
            _say(f"VIOLATION ({where}): {each}")
        return violations


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(number: int, _: object) -> None:
    """End all that was started, as for Ctrl-C."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: 0 if no invariant was violated."""
    parts = ("suites", "isolated", *_FIGURES, "mutated", "gateway_kill_points", "kill_points", "mixed")
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=25.0, help="for kill points and mixed faults, at most (25)")
    parser.add_argument("--figures", type=float, default=60.0, help="seconds for each of the smaller parts (60)")
    parser.add_argument("--lanes", type=int, default=sweep.LANES, help=f"kill points at a time ({sweep.LANES})")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    _say(f"seed {given.seed}")
    chaos = Chaos(given.seed, given.minutes, given.figures, given.lanes)
    began = time.monotonic()
    for part in given.parts:
        getattr(chaos, part)()
    _say(f"\nseed {given.seed}, {(time.monotonic() - began) / 60:.1f} minutes")
    _say(f"{'':44} {'tried':>6} {'violations':>10} {'p50':>6} {'p95':>6} {'max':>6}  seconds to recover")
    for row in chaos.rows:
        _say(str(row))
    return int(any(row.violations for row in chaos.rows))


if __name__ == "__main__":
    sys.exit(main())
