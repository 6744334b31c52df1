"""The common function gateway, and the pool that it takes its services from."""

from __future__ import annotations

from esi_worker import api

COMMON_FUNCTION_GATEWAY = api.ResourceType(
    id="common_function_gateway",
    plural="common_function_gateways",
    relations={
        "common_function_pool_id": "common_function_pool",
        "downlink_interface_id": "ha_interface",
    },
    templates={
        "heat_worker": {"constant": "common_function_gateway"},
        "monitoring_worker": {"constant": "common_function_gateway_monitoring"},
    },
)

COMMON_FUNCTION_POOL = api.ResourceType(id="common_function_pool", plural="common_function_pools")

COMMON_FUNCTION = api.ResourceType(
    id="common_function",
    plural="common_functions",
    relations={"common_function_pool_id": "common_function_pool", "ha_router_id": "ha_router"},
)

NAT_IP_POOL = api.ResourceType(
    id="nat_ip_pool",
    plural="nat_ip_pools",
    relations={"common_function_pool_id": "common_function_pool", "ha_router_id": "ha_router"},
)
