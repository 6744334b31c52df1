"""Switches and their ports.

Whether a device, or a port, is new or was there before is told by its field ``existing``, and decides the template.
"""

from __future__ import annotations

from esi_worker import api

ESE_DEVICE = api.ResourceType(
    id="ese_device",
    plural="ese_devices",
    relations={"location": "location"},
    templates={
        "heat_worker": {"concatenate": ["ese_device_", {"field": "existing"}]},
        "monitoring_worker": {"constant": "ese_device_monitoring"},
    },
)

ESE_PHYSICAL_PORT = api.ResourceType(
    id="ese_physical_port",
    plural="ese_physical_ports",
    relations={"ese_device_id": "ese_device"},
    templates={
        "heat_worker": {"concatenate": ["ese_physical_port_", {"field": "existing"}]},
        "monitoring_worker": {"constant": "ese_physical_port_monitoring"},
    },
)

ESE_LOGICAL_PORT = api.ResourceType(
    id="ese_logical_port",
    plural="ese_logical_ports",
    relations={"ese_physical_port_id": "ese_physical_port", "network_id": "network"},
    templates={
        "heat_worker": {"constant": "ese_logical_port"},
        "monitoring_worker": {"constant": "ese_logical_port_monitoring"},
    },
)
