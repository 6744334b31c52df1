"""What follows from a router's configuration: VRRP groups and BGP peers, and how their states move."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import NamedTuple

from esi_worker.testing import junos_config

ESTABLISHED: Final = ("Idle", "Active", "Established")


class Vrrp(NamedTuple):
    """A VRRP group on a logical interface such as ``ae0.1025``."""

    interface: str
    group: int


class Bgp(NamedTuple):
    """A BGP peer; ``instance`` is ``master`` outside of routing instances."""

    instance: str
    peer: str


Session = Vrrp | Bgp


class Sessions:
    """The sessions that a committed configuration gives, and the state of each.

    :param role: what VRRP groups come to: ``master`` or ``backup``
    :param settle: seconds until a new session has come to its final state
    :param clock: seconds
    """

    def __init__(self, role: str, settle: float, clock: Callable[[], float]) -> None:
        self._steps = ("init", "transition", role)
        self._settle = settle
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[Session, float] = {}
        self._forced: dict[Session, str] = {}

    def committed(self, configuration: junos_config.Configuration) -> None:
        """Sessions that the configuration has no more go, new ones begin."""
        now = self._clock()
        with self._lock:
            wanted: list[Session] = [*vrrp_groups(configuration), *bgp_peers(configuration)]
            self._since = {each: self._since.get(each, now) for each in wanted}

    def force(self, session: Session, state: str | None) -> None:
        """Hold a session in a state, whether it is configured or not; None lets it go."""
        with self._lock:
            if state is None:
                self._forced.pop(session, None)
            else:
                self._forced[session] = state

    def states(self) -> dict[Session, str]:
        """Each session's state now."""
        now = self._clock()
        with self._lock:
            current = {each: self._state(each, now - since) for each, since in self._since.items()}
            return current | self._forced

    def _state(self, session: Session, age: float) -> str:
        steps = self._steps if isinstance(session, Vrrp) else ESTABLISHED
        last = len(steps) - 1
        return steps[last if age >= self._settle else int(last * age / self._settle)]


def vrrp_groups(configuration: junos_config.Configuration) -> Iterator[Vrrp]:
    """Those of each unit: its own, and those of the configuration groups that it, its interface or all apply."""
    interfaces = configuration.find("interfaces") or {}
    for name, interface in interfaces.items():
        for number, unit in interface.get("unit", {}).items():
            found = list(junos_config.below(unit, "vrrp-group"))
            for level in (unit, interface, interfaces):
                for group in level.get("apply-groups", {}):
                    inherited = configuration.find("groups", group) or {}
                    for part in junos_config.matching(inherited, ["interfaces", name, "unit", number]):
                        found += junos_config.below(part, "vrrp-group")
            for vrid in found:
                if vrid.isdecimal():
                    yield Vrrp(f"{name}.{number}", int(vrid))


def bgp_peers(configuration: junos_config.Configuration) -> Iterator[Bgp]:
    """Those of the router itself and those of its routing instances."""
    for peer in junos_config.below(configuration.find("protocols", "bgp") or {}, "neighbor"):
        yield Bgp("master", peer)
    for name, instance in (configuration.find("routing-instances") or {}).items():
        for peer in junos_config.below(instance.get("protocols", {}).get("bgp", {}), "neighbor"):
            yield Bgp(name, peer)


def base_configuration(groups: Mapping[str, Sequence[int]], role: str) -> str:
    """What an operator has on a router from the beginning: configuration groups that bring VRRP groups along.

    :param groups: name of the configuration group -> VRRP groups
    """
    priority = 200 if role == "master" else 100
    lines = []
    for name, vrids in groups.items():
        inner = " ".join(f"vrrp-group {vrid} {{ priority {priority}; accept-data; }}" for vrid in vrids)
        lines.append(
            f"{name} {{ interfaces {{ <*> {{ unit <*> {{ family inet {{ address <*> {{ {inner} }} }} }} }} }} }}"
        )
    return f"groups {{ {' '.join(lines)} }}" if lines else ""
