"""The resources of the demo, and which routers they speak of."""

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
