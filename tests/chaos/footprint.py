"""What the life of a whole gateway costs etcd, and what is left of it: nothing."""

from __future__ import annotations

import contextlib
import dataclasses

from esi_worker.store import keys
from tests.chaos import gohan
from tests.chaos import invariants
from tests.chaos import world
from tests.functional import deployment

_GATEWAY = "v2.0/common_function_gateways/gw-f"


@dataclasses.dataclass(frozen=True, slots=True)
class Footprint:
    """Keys and leases that etcd had, and revisions that it took.

    :ivar before: keys, once a daemon ran and had nothing to do
    :ivar alive: keys, all resources being complete
    :ivar after: keys, all resources being gone
    :ivar jobs: that were written, all in all
    :ivar leases: before any daemon, while one ran, after it had ended
    """

    before: int
    alive: int
    after: int
    revisions: int
    jobs: int
    leases: tuple[int, int, int]
    violations: tuple[str, ...]

    def __str__(self) -> str:
        first, during, last = self.leases
        return (
            f"keys {self.before} before, {self.alive} while it lived, {self.after} after; "
            f"{self.revisions} revisions (Gohan's too) for {self.jobs} jobs; "
            f"leases {first} before, {during} while a daemon ran, {last} after"
        )


def measure() -> Footprint:
    """A create, two modifies and a deletion of a gateway and all that it stands on, each brought to its end."""
    with contextlib.closing(deployment.Deployment(world.routers(), fsync=True)) as deployed:
        deployed.start()
        with contextlib.closing(gohan.Gohan(deployed)) as writer:
            return _measure(deployed, writer)


def _measure(deployed: deployment.Deployment, writer: gohan.Gohan) -> Footprint:
    writer.templates()
    first = _leases(deployed)
    daemon = deployed.daemon()
    deployed.wait(lambda: deployed.get(keys.LEADER), "a leader")
    deployed.wait(lambda: deployed.store.list(keys.COLLECTORS).entries, "a collector")
    before, begun = deployed.keys(), deployed.store.list("/no-such-prefix").revision
    resources = world.gateway("f")
    writer.create(*resources)
    writer.settle()
    deployed.wait(lambda: deployed.get(keys.MONITORING + _GATEWAY), "point 7")
    alive, during = deployed.keys(), _leases(deployed)
    for description in ("second", "third"):
        deployed.wait_state(_GATEWAY, writer.modify(_GATEWAY, description=description))
        writer.settle()
    writer.mark(*(each.path for each in reversed(resources)))
    writer.settle()
    after = deployed.keys()
    history = deployed.history()
    daemon.stop()
    found = [f"I7: {key} was there before and is gone" for key in sorted({*before} - {*after})]
    found += [f"I7: {key} is left" for key in sorted({*after} - {*before})]
    found += [f"I7: {count} leases are left" for count in [_leases(deployed)] if count]
    checker = invariants.Checker()
    stacks = [stack.name for stack in deployed.heat.stacks.all()]
    found += [str(each) for each in checker.feed(history) + invariants.at_rest(checker.present, stacks)]
    written = {each.key for each in history if each.key.startswith(keys.ALL_JOBS)}
    revisions = history[-1].revision - begun
    leases = (first, during, _leases(deployed))
    return Footprint(len(before), len(alive), len(after), revisions, len(written), leases, tuple(found))


def _leases(deployed: deployment.Deployment) -> int:
    return len(deployed.etcd.admin.post("lease/leases", {}).get("leases", []))
