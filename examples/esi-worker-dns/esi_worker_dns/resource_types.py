"""What a zone and a name are."""

from esi_worker import api

DNS_ZONE = api.ResourceType("dns_zone", "dns_zones")
"""``{name, server, port, key_name, key_secret, tenant_id}``; it needs no job: its names refer to it."""

DNS_NAME = api.ResourceType(
    "dns_name",
    "dns_names",
    relations={"zone_id": "dns_zone"},
    templates={"dns_record": "Cdns_name", "monitoring_worker": "Cdns_name_monitoring"},
)
"""``{name, zone_id, addresses, ttl, tenant_id}``: a name in a zone, and the addresses that it shall have."""
