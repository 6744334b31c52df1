"""The resources of the demo, and which devices they speak of."""

from __future__ import annotations

import dataclasses
import io
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.cmd import documents

GATEWAY: Final = "common_function_gateway"

_SNMP_PORT: Final = 161
_COMMUNITIES: Final = {
    "edge_router": ("EDGE_ROUTER_COMMUNITY", "ip"),
    "ese_device": ("ESE_NODE_COMMUNITY", "management_ip_address"),
}
"""Type of a device -> the community that its monitoring template names, and the field with its address."""


@dataclasses.dataclass(frozen=True, slots=True)
class Router:
    """A router that a stand-in has to play.

    :ivar address: ``<ip>:<port>``, as its document has it
    :ivar role: what its VRRP groups come to: ``master`` or ``backup``
    :ivar groups: configuration groups that it has from the beginning: name -> VRRP groups
    """

    name: str
    address: str
    username: str
    password: str = dataclasses.field(repr=False)
    role: str
    groups: Mapping[str, Sequence[int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Agent:
    """The SNMP agent of a device, which a stand-in has to play.

    :ivar address: ``<ip>:<port>``
    :ivar community: whom it answers
    :ivar interfaces: the interfaces that it has; all are up
    """

    name: str
    address: str
    community: str = dataclasses.field(repr=False)
    interfaces: Sequence[str]


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """The documents, in the order in which they are applied."""

    documents: tuple[documents.Document, ...]

    @property
    def gateway(self) -> api.Ref:
        """The gateway whose way is shown at the end."""
        return next(each.ref for each in self.documents if each.ref.resource_type == GATEWAY)

    def routers(self) -> list[Router]:
        """The primary and the secondary router of each pair."""
        bodies = {each.ref: each.body for each in self.documents}
        groups = _groups(self.documents)
        return [
            _router(bodies[api.Ref("edge_router", body[f"{place}_router_id"])], role, groups)
            for ref, body in bodies.items()
            if ref.resource_type == "ha_router"
            for place, role in (("primary", "master"), ("secondary", "backup"))
        ]

    def agents(self) -> list[Agent]:
        """The SNMP agents of routers and switches."""
        found = []
        for each in self.documents:
            if each.ref.resource_type in _COMMUNITIES:
                community, field = _COMMUNITIES[each.ref.resource_type]
                address = f"{each.body[field]}:{_SNMP_PORT}"
                found.append(Agent(str(each.body["name"]), address, community, self._interfaces(each.ref)))
        return found

    def _interfaces(self, device: api.Ref) -> list[str]:
        """The interfaces of a device: its ports, and what is made of them."""
        ports = [each for each in self.documents if _refers(each, device, "device_id", "ese_device_id")]
        units = [each for port in ports for each in self.documents if _refers(each, port.ref, "ese_physical_port_id")]
        return [str(each.body["name"]) for each in (*ports, *units)]


def read(folder: pathlib.Path) -> World:
    """Read the documents of a folder.

    :raises ConfigError: if one of them can't be used, or there is no gateway among them
    """
    found = list(documents.read([str(folder)], io.StringIO()))
    good = tuple(each for each in found if isinstance(each, documents.Document))
    bad = [each for each in found if isinstance(each, documents.Bad)]
    if bad:
        raise api.ConfigError(str(bad[0]))
    if not any(each.ref.resource_type == GATEWAY for each in good):
        raise api.ConfigError(f"{folder}: there is no {GATEWAY} among these documents")
    return World(good)


def _groups(found: Iterable[documents.Document]) -> dict[str, list[int]]:
    """What an operator has set up on the routers beforehand: one configuration group per pool."""
    pools = [each.body for each in found if each.ref.resource_type == "common_function_pool"]
    return {body["vrrp_group_name"]: [each["vrid"] for each in body["vrrp_config"]] for body in pools}


def _router(body: Mapping[str, Any], role: str, groups: Mapping[str, Sequence[int]]) -> Router:
    address = f"{body['ip']}:{body['ssh_port']}"
    return Router(str(body["name"]), address, body["login"], body["password"], role, groups)


def _refers(document: documents.Document, ref: api.Ref, *fields: str) -> bool:
    """Whether a document refers to another in one of these fields.  Ports of tenants have a ``device_id`` too."""
    return document.ref.resource_type != "port" and any(document.body.get(each) == ref.resource_id for each in fields)
