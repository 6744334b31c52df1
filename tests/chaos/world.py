"""Resources that belong together, as Gohan writes them: what the tests of the invariants bring about."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker.store import keys

PRIMARY: Final = "192.0.2.1"
SECONDARY: Final = "192.0.2.2"
USERNAME: Final = "netops"
CANARY: Final = "canary-4f1d8c-password"
"""The routers' password: it must be in no log."""

VRRP_GROUP: Final = "GW-VRRP"
VRIDS: Final = (41, 42)

_UNWATCHED: Final = ("edge_router", "er_physical_interface", "ha_router", "ha_interface")


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A resource: where it stands and what it should be."""

    path: str
    body: Mapping[str, Any]

    @property
    def plural(self) -> str:
        """Such as ``ports``."""
        return self.path.split("/")[-2]


def routers() -> dict[str, dict[str, Any]]:
    """The two routers that the gateway stands on, for a deployment."""
    common = {"username": USERNAME, "password": CANARY, "groups": {VRRP_GROUP: list(VRIDS)}}
    return {PRIMARY: {**common, "role": "master"}, SECONDARY: {**common, "role": "backup"}}


def templates() -> dict[str, dict[str, Any]]:
    """Templates that stand in etcd for the sake of the tests: routers answer NETCONF here, not SNMP.

    :returns: path under ``/config/`` -> body
    """
    ids = [f"{each}_monitoring" for each in _UNWATCHED]
    prefix = keys.HEAT_TEMPLATES.removeprefix(keys.CONFIG)
    return {
        prefix + each: {
            "id": each,
            "handler": "monitoring_worker",
            "watch": [],
            "template_file": "",
            "parameter_mappings": {},
        }
        for each in ids
    }


def small(tag: str, tenant: str = "") -> list[Resource]:
    """A network, a subnet and two ports.

    :param tag: makes the ids this world's own
    """
    tenant = tenant or f"tenant-{tag}"
    return [
        _resource("network", f"net-{tag}", tenant, admin_state_up=True, name="net"),
        _subnet(tag, tenant),
        _port(f"port-a-{tag}", tag, tenant),
        _port(f"port-b-{tag}", tag, tenant),
    ]


def gateway(tag: str) -> list[Resource]:
    """A common function gateway and all that it stands on.

    :param tag: makes the ids this world's own
    """
    tenant = f"tenant-{tag}"
    return [
        Resource(f"common/v1.0/tenants/{tenant}", {"id": tenant, "name": "a tenant"}),
        *(
            _resource(
                "edge_router",
                f"er-{role}-{tag}",
                tenant,
                name=f"router-{role}",
                ip=address,
                ssh_port=830,
                login=USERNAME,
                password=CANARY,
            )
            for role, address in (("p", PRIMARY), ("s", SECONDARY))
        ),
        *(
            _resource("er_physical_interface", f"if-{role}-{tag}", tenant, name="ae0", device_id=f"er-{role}-{tag}")
            for role in "ps"
        ),
        _resource("ha_router", f"ha-{tag}", tenant, primary_router_id=f"er-p-{tag}", secondary_router_id=f"er-s-{tag}"),
        _resource(
            "ha_interface",
            f"hi-{tag}",
            tenant,
            ha_router_id=f"ha-{tag}",
            primary_interface_id=f"if-p-{tag}",
            secondary_interface_id=f"if-s-{tag}",
        ),
        _pool(tag, tenant),
        *(
            _resource(
                "common_function",
                f"cf-{number}-{tag}",
                tenant,
                common_function_number=number,
                common_function_pool_id=f"pool-{tag}",
                ha_router_id=f"ha-{tag}",
            )
            for number in (1, 2)
        ),
        *small(tag, tenant),
        _gateway(tag, tenant),
        _port(f"port-gw-{tag}", tag, tenant, device_owner="network:common_function_gateway", device_id=f"gw-{tag}"),
    ]


def plural(resource_type: str) -> str:
    """The plural of a type."""
    return f"{resource_type}s"


def stack_name(path: str) -> str:
    """How the stack of a resource is called."""
    _, plural_, resource_id = path.rsplit("/", 2)
    return f"{plural_.removesuffix('s')}_{resource_id}"


def _resource(resource_type: str, resource_id: str, tenant: str, **fields: Any) -> Resource:
    return Resource(f"v2.0/{plural(resource_type)}/{resource_id}", {"id": resource_id, "tenant_id": tenant, **fields})


def _subnet(tag: str, tenant: str) -> Resource:
    return _resource(
        "subnet",
        f"sub-{tag}",
        tenant,
        network_id=f"net-{tag}",
        cidr="198.51.100.0/24",
        gateway_ip="198.51.100.1",
        enable_dhcp=True,
        dhcp_server_address="198.51.100.2",
        allocation_pools=[],
        dns_nameservers=[],
        ntp_servers=[],
        host_routes=[],
    )


def _port(port_id: str, tag: str, tenant: str, *, device_owner: str = "", device_id: str = "") -> Resource:
    return _resource(
        "port",
        port_id,
        tenant,
        network_id=f"net-{tag}",
        admin_state_up=True,
        device_owner=device_owner,
        device_id=device_id,
        mac_address="fa:16:3e:00:00:01",
        allowed_address_pairs=[],
        fixed_ips=[{"subnet_id": f"sub-{tag}", "ip_address": "198.51.100.10"}],
        attached=False,
    )


def _pool(tag: str, tenant: str) -> Resource:
    return _resource(
        "common_function_pool",
        f"pool-{tag}",
        tenant,
        service_vrf_name="SERVICES",
        service_interface_name="ms-0/2/0",
        logical_tunnel_interface_name="lt-0/0/0",
        vrrp_group_name=VRRP_GROUP,
        snapt_group_name="GW-SNAPT",
        snapt_pool_group_name="GW-SNAPT-POOL",
        dnat_group_name="GW-DNAT",
        dnat_pool_group_name="GW-DNAT-POOL",
        vrrp_config=[{"vrid": vrid} for vrid in VRIDS],
    )


def _gateway(tag: str, tenant: str) -> Resource:
    # All gateways stand on the same two routers: each has a VLAN of its own there.
    vlan = 1000 + zlib.crc32(tag.encode()) % 3000
    return _resource(
        "common_function_gateway",
        f"gw-{tag}",
        tenant,
        name="a gateway",
        description="",
        common_function_pool_id=f"pool-{tag}",
        common_functions=[{"common_function_id": f"cf-{number}-{tag}"} for number in (1, 2)],
        downlink_interface_id=f"hi-{tag}",
        logical_tunnel_unit_user=f"{vlan}",
        logical_tunnel_unit_service=f"1{vlan}",
        nat_ip="203.0.113.10",
        network_id=f"net-{tag}",
        subnet_id=f"sub-{tag}",
        primary_logical_interface_name=f"ae0.{vlan}",
        secondary_logical_interface_name=f"ae0.{vlan}",
        vlan_id=f"{vlan}",
        vrf_name=f"vrf_{tag}",
    )
