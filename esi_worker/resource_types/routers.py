"""Routers, in pairs, and the interfaces on which they face the switches."""

from __future__ import annotations

from esi_worker import api

EDGE_ROUTER = api.ResourceType(
    id="edge_router",
    plural="edge_routers",
    templates={"monitoring_worker": {"constant": "edge_router_monitoring"}},
)

ER_PHYSICAL_INTERFACE = api.ResourceType(
    id="er_physical_interface",
    plural="er_physical_interfaces",
    relations={"device_id": "edge_router", "connected_ese_port_id": "ese_physical_port"},
    templates={"monitoring_worker": {"constant": "er_physical_interface_monitoring"}},
)

HA_ROUTER = api.ResourceType(
    id="ha_router",
    plural="ha_routers",
    relations={"primary_router_id": "edge_router", "secondary_router_id": "edge_router"},
    templates={"monitoring_worker": {"constant": "ha_router_monitoring"}},
)

HA_INTERFACE = api.ResourceType(
    id="ha_interface",
    plural="ha_interfaces",
    relations={
        "ha_router_id": "ha_router",
        "primary_interface_id": "er_physical_interface",
        "secondary_interface_id": "er_physical_interface",
    },
    templates={"monitoring_worker": {"constant": "ha_interface_monitoring"}},
)
