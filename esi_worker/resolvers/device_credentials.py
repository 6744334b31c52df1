"""How to reach one of the two routers that a resource stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from esi_worker import api
from esi_worker.resolvers import arguments as checks

_FIELDS: Final[Mapping[str, str]] = {
    "ip": "ip",
    "port": "ssh_port",
    "username": "login",
    "login": "login",
    "password": "password",
}


class DeviceCredentials(api.Resolver):
    """``{"resolver": "device_credentials", "role": "primary", "attribute": "ip"}``.

    Walks ``downlink_interface_id``, ``ha_router_id``, ``<role>_router_id`` and gives a field of the router at the end.

    - ``role``: ``primary`` or ``secondary``
    - ``attribute``: ``ip``, ``port``, ``username`` (or ``login``) or ``password``
    """

    def resolve(self, arguments: Mapping[str, api.JSON], resource: api.Resource, lookup: api.Lookup) -> api.JSON:
        """:raises PermanentError: naming the argument that can't be used."""
        checks.only(arguments, "role", "attribute")
        role = checks.one_of(arguments, "role", ("primary", "secondary"))
        field = _FIELDS[checks.one_of(arguments, "attribute", tuple(_FIELDS))]
        interface = lookup.follow(resource, "downlink_interface_id")
        pair = lookup.follow(interface, "ha_router_id")
        return lookup.follow(pair, f"{role}_router_id").body.get(field)
