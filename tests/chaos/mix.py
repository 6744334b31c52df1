"""A seeded mix of all that can go wrong, round after round; after each the invariants are checked."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import signal
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Final

from esi_worker.testing import proxy
from tests.chaos import gohan
from tests.chaos import invariants
from tests.chaos import killpoints
from tests.chaos import world
from tests.functional import deployment

_DAEMONS: Final = 2
_FAULTS_A_ROUND: Final = 4
_STOPPED: Final = 4.0
"""Seconds that a process stands still: longer than its leases live."""

_HEAT: Final = (503, 500, 401, "reset", "lose", "html", "deep")


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """What came of one round.

    :ivar faults: in their order
    :ivar recovery: seconds from the last fault until everything was at rest
    """

    faults: tuple[str, ...]
    recovery: float
    violations: Sequence[str]


class Mix:
    """Two daemons, each behind a proxy of its own, and somebody who breaks things.

    :param deployed: a started deployment, without daemons
    """

    def __init__(self, deployed: deployment.Deployment, seed: int, patience: float = 120.0) -> None:
        self._deployed = deployed
        self._random = random.Random(seed)
        self._patience = patience
        self._gohan = gohan.Gohan(deployed)
        self._checker = invariants.Checker()
        self._between = [proxy.Proxy(deployed.etcd.address) for _ in range(_DAEMONS)]
        self._daemons = [self._start(place) for place in range(_DAEMONS)]
        self._count = 0
        self._faults: dict[str, Callable[[], None]] = {
            "kill": self._kill,
            "stop and continue": self._stand_still,
            "terminate": self._terminate,
            "cut": lambda: self._random.choice(self._between).cut() and None,
            "lose an answer": self._lose,
            "lose a request": self._swallow,
            "restart etcd": self._restart_etcd,
            "heat": self._heat,
            "stack fails": self._stack_fails,
            "stack vanishes": self._stack_vanishes,
        }

    def close(self) -> None:
        """End what this mix started."""
        self._gohan.close()
        for each in self._daemons:
            each.kill()
        for between in self._between:
            between.close()

    def round(self) -> Round:
        """Change things, break things, wait, check."""
        faults = []
        for _ in range(_FAULTS_A_ROUND):
            self._change()
            name = self._random.choice(sorted(self._faults))
            faults.append(name)
            self._faults[name]()
        began = time.monotonic()
        try:
            self._deployed.heat.faults.clear()
            self._gohan.settle(self._patience)
        except AssertionError as error:
            return Round(tuple(faults), time.monotonic() - began, [f"I6: {error}"])
        return Round(tuple(faults), time.monotonic() - began, self._violations())

    def _violations(self) -> list[str]:
        stacks = [stack.name for stack in self._deployed.heat.stacks.all()]
        found = self._checker.feed(self._deployed.history(self._checker.revision + 1))
        found = found + invariants.at_rest(self._checker.present, stacks)
        return [str(each) for each in found + invariants.secrets(self._deployed.logs(), world.CANARY)]

    def _start(self, place: int) -> deployment.Daemon:
        return self._deployed.daemon(f"mix-{place}", self._between[place].endpoint)

    # -- changes -------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        existing = sorted(path for path in self._gohan.versions if path not in self._gohan.marked)
        chosen = self._random.random()
        if chosen < 0.4 or len(existing) < 4:
            self._count += 1
            self._gohan.create(*world.small(f"m{self._count}"))
        elif chosen < 0.7:
            for path in self._random.sample(existing, 3):
                self._gohan.modify(path, name=f"name-{self._random.randrange(10**6)}")
        else:
            # A whole world: what is left of one would keep failing for want of a network.
            tag = self._random.choice(existing).rpartition("-")[2]
            whole = [path for path in existing if path.endswith(f"-{tag}")]
            self._gohan.mark(
                *sorted(whole, key=lambda path: ("ports", "subnets", "networks").index(path.split("/")[1]))
            )

    # -- faults --------------------------------------------------------------------------------------------------

    def _place(self) -> int:
        return self._random.randrange(_DAEMONS)

    def _kill(self) -> None:
        place = self._place()
        self._daemons[place].kill()
        self._daemons[place] = self._start(place)

    def _terminate(self) -> None:
        place = self._place()
        self._daemons[place].stop()
        self._daemons[place] = self._start(place)

    def _stand_still(self) -> None:
        process = self._daemons[self._place()].process
        process.send_signal(signal.SIGSTOP)
        threading.Event().wait(_STOPPED)
        process.send_signal(signal.SIGCONT)

    def _lose(self) -> None:
        self._between[self._place()].at(self._random.randrange(1, 6), proxy.AFTER)

    def _swallow(self) -> None:
        self._between[self._place()].at(self._random.randrange(1, 6), proxy.BEFORE)

    def _restart_etcd(self) -> None:
        self._deployed.etcd.kill()
        self._deployed.etcd.start()

    def _heat(self) -> None:
        self._deployed.heat.faults.add(self._random.choice(_HEAT), times=self._random.randrange(1, 4))

    def _stack_fails(self) -> None:
        path = self._random.choice(sorted(self._gohan.versions))
        action = self._random.choice(["CREATE", "UPDATE", "DELETE"])
        self._deployed.heat.stacks.fail(world.stack_name(path), "the quota is used up", action)

    def _stack_vanishes(self) -> None:
        path = self._random.choice(sorted(self._gohan.versions))
        with contextlib.suppress(KeyError):
            self._deployed.heat.stacks.vanish(self._gohan.bodies[path]["tenant_id"], world.stack_name(path))


def start(seed: int) -> tuple[deployment.Deployment, Mix]:
    """A deployment of its own and a mix in it; the caller closes both."""
    deployed = deployment.Deployment(options=killpoints.OPTIONS).start()
    return deployed, Mix(deployed, seed)
