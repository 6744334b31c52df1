"""What others stand on and nothing is to be done for: it is read, and published as READ_COMPLETE."""

from __future__ import annotations

from esi_worker import api

TENANT = api.ResourceType(id="tenant", plural="tenants", prefix="common/v1.0")

QUOTA = api.ResourceType(id="quota", plural="quotas")

RESERVE_ADDRESS = api.ResourceType(id="reserve_address", plural="reserve_addresses")

LOCATION = api.ResourceType(id="location", plural="locations")
