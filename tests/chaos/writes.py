"""The writes of a daemon that may come too late: how each is told from others, and how to have a daemon send it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any
from typing import Final

import yaml

from esi_worker.store import keys
from tests.chaos import gohan
from tests.chaos import wire
from tests.chaos import world
from tests.functional import deployment

SESSION: Final = "v2.0/sessions/stale"
_CATALOG: Final = {
    "types": [{"id": "session", "plural": "sessions", "prefix": "v2.0", "templates": {"monitoring_worker": "Csession"}}]
}
_TEMPLATE: Final = {
    "id": "session",
    "handler": "monitoring_worker",
    "parameter_mappings": {"host": "Phost", "password": "Ppassword"},
    "template_file": (
        "vrrp:\n  type: vrrp_session\n  host: {{ host }}\n  login: " + world.USERNAME + "\n  interface: ae0.1\n"
        "  password: {{ password }}\n  vrid: 41\n"
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A write to be caught.

    :ivar wanted: tells it from others
    :ivar provoke: has a daemon send it; given the number of the turn
    :ivar prepare: what has to be there before
    :ivar rejoins: whether it is sent by a daemon that comes back
    """

    name: str
    wanted: Callable[[wire.Write], bool]
    provoke: Callable[[str], object]
    prepare: Callable[[str], object] = lambda _: None
    rejoins: bool = False


class Writes:
    """Brings them about.

    :param deployed: a started deployment with the routers of the tests' worlds
    :ivar kinds: all of them
    :ivar gohan: who writes ``/config``
    """

    def __init__(self, deployed: deployment.Deployment) -> None:
        self._deployed = deployed
        self.gohan = gohan.Gohan(deployed)
        self.kinds = self._all_kinds()

    def watched(self) -> pathlib.Path:
        """Create a resource that a collector has to look after; :returns: a catalog that has its type."""
        catalog = self._deployed.folder / "sessions.yaml"
        catalog.write_text(yaml.safe_dump(_CATALOG))
        self._deployed.put("v2.0/heat_templates/session", _TEMPLATE)
        self.flip("master")
        body = {"id": "stale", "host": world.PRIMARY, "password": world.CANARY}
        self.gohan.create(world.Resource(SESSION, body))
        return catalog

    def more(self, tag: str, status: str) -> None:
        """Things to do for a manager and, perhaps, for a collector."""
        self.gohan.create(world.Resource(f"v2.0/quotas/quota-{tag}", {"id": f"quota-{tag}"}))
        self.flip(status)

    def take_down(self) -> None:
        """Release what is held, and ask for everything but the watched resource to be taken down."""
        for path in [path for path in self.gohan.versions if "networks" in path]:
            self._deployed.heat.stacks.release(world.stack_name(path))
        order = ("quotas", "ports", "subnets", "networks")
        mine = [path for path in self.gohan.versions if path != SESSION and path not in self.gohan.marked]
        self.gohan.mark(*sorted(mine, key=lambda path: order.index(path.split("/")[1])))

    def flip(self, status: str) -> None:
        """What the router says of the watched resource from now on."""
        self._deployed.routers[world.PRIMARY].engine.force_vrrp("ae0.1", 41, status)

    def name(self, write: wire.Write) -> str:
        """How a write is called."""
        if write.path == wire.RENEWAL:
            return "renewal"
        return next((kind.name for kind in self.kinds if kind.wanted(write)), f"other: {write}")

    def _all_kinds(self) -> list[Kind]:
        puts, deletes = wire.Write.puts_under, wire.Write.deletes_under
        return [
            Kind("candidacy", lambda w: puts(w, keys.LEADER), lambda _: None, rejoins=True),
            Kind("announcement", lambda w: puts(w, keys.COLLECTORS), lambda _: None, rejoins=True),
            Kind("publication", lambda w: puts(w, keys.MONITORING), lambda _: self._other_status()),
            Kind("claim", lambda w: puts(w, keys.CLAIMS), self._create),
            Kind("failure", lambda w: puts(w, keys.FAILED), self._create, lambda tag: self._fail(tag)),
            Kind("finish", lambda w: deletes(w, keys.CLAIMS), self._create),
            Kind("retry", lambda w: puts(w, keys.ALL_JOBS) and not puts(w, keys.RECORDED), self._create, self._trouble),
            Kind("cancelling", lambda w: deletes(w, keys.FAILED), self._create, lambda tag: self._fail(tag)),
            Kind("replacing", lambda w: puts(w, keys.RECORDED) and deletes(w, keys.ALL_JOBS), self._modify, self._hold),
            Kind("scheduling", lambda w: puts(w, keys.RECORDED) and puts(w, keys.ALL_JOBS), self._create),
            Kind("nothing to do", lambda w: puts(w, keys.RECORDED), self._quota),
            Kind("forgetting", lambda w: deletes(w, keys.RECORDED), self._mark, self._created),
        ]

    def _create(self, tag: str) -> None:
        self.gohan.create(*world.small(tag))

    def _created(self, tag: str) -> None:
        self._create(tag)
        self.gohan.settle()

    def _fail(self, tag: str) -> None:
        self._deployed.heat.stacks.fail(world.stack_name(f"v2.0/networks/net-{tag}"), "the quota is used up")

    def _trouble(self, _: str) -> None:
        self._deployed.heat.faults.add(503, times=2)

    def _hold(self, tag: str) -> None:
        self._deployed.heat.stacks.hold(world.stack_name(f"v2.0/networks/net-{tag}"))
        self._create(tag)
        claimed = f"{keys.CLAIMS}create:heat_worker:network:net-{tag}"
        planned = f"{keys.RECORDED}v2.0/ports/port-b-{tag}"
        self._deployed.wait(lambda: self._deployed.store.list(claimed).entries, "the claim")
        self._deployed.wait(lambda: self._deployed.get(planned), "the plan")

    def _modify(self, tag: str) -> None:
        self.gohan.modify(f"v2.0/ports/port-b-{tag}", name="replaced")

    def _mark(self, tag: str) -> None:
        self.gohan.mark(*(each.path for each in reversed(world.small(tag))))

    def _quota(self, tag: str) -> None:
        self.gohan.create(world.Resource(f"v2.0/quotas/nothing-{tag}", {"id": f"nothing-{tag}"}))

    def _other_status(self) -> None:
        published: Any = self._deployed.get(keys.MONITORING + SESSION)
        self.flip("backup" if published["vrrp"] == "MASTER" else "master")
