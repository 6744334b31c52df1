"""Networks, subnets and ports."""

from __future__ import annotations

from esi_worker import api

NETWORK = api.ResourceType(
    id="network",
    plural="networks",
    templates={
        "heat_worker": {"constant": "network"},
        "monitoring_worker": {"constant": "network_monitoring"},
    },
)

SUBNET = api.ResourceType(
    id="subnet",
    plural="subnets",
    relations={"network_id": "network"},
    templates={"heat_worker": {"constant": "subnet"}},
)


def _unless_internal(template_id: str) -> api.JSON:
    """The DHCP server's port and placeholders are the network's own: nothing is to be done for them."""
    return {
        "if_mapping": {"regexp": [{"field": "device_owner"}, "network:(dhcp|empty)"]},
        "then_mapping": {"constant": None},
        "else_mapping": {"constant": template_id},
    }


PORT = api.ResourceType(
    id="port",
    plural="ports",
    relations={"network_id": "network"},
    templates={
        "heat_worker": _unless_internal("port"),
        "monitoring_worker": _unless_internal("port_monitoring"),
    },
)
