"""The virtual router ids of a resource's common function pool."""

from __future__ import annotations

from collections.abc import Mapping

from esi_worker import api
from esi_worker.resolvers import arguments as checks


class Vrids(api.Resolver):
    """``{"resolver": "vrids"}``: the ``vrid`` of each entry of the pool's ``vrrp_config``, in order."""

    def resolve(self, arguments: Mapping[str, api.JSON], resource: api.Resource, lookup: api.Lookup) -> api.JSON:
        """:raises PermanentError: if there are arguments, or the pool's field is no list."""
        checks.only(arguments)
        pool = lookup.follow(resource, "common_function_pool_id")
        entries = pool.body.get("vrrp_config")
        if entries is None or entries == "":
            return []
        if not isinstance(entries, list):
            raise api.PermanentError(f"'vrrp_config' of {pool.ref} is no list")
        return [entry.get("vrid") if isinstance(entry, Mapping) else None for entry in entries]
