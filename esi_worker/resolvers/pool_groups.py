"""What the routers' configuration groups are called in a resource's common function pool."""

from __future__ import annotations

from collections.abc import Mapping

from esi_worker import api
from esi_worker.resolvers import arguments as checks


class PoolGroups(api.Resolver):
    """``{"resolver": "pool_groups", "attribute": "snapt_group_name"}``.

    - ``attribute``: a field of the pool that ``common_function_pool_id`` refers to
    """

    def resolve(self, arguments: Mapping[str, api.JSON], resource: api.Resource, lookup: api.Lookup) -> api.JSON:
        """:raises PermanentError: naming the argument that can't be used."""
        checks.only(arguments, "attribute")
        attribute = checks.name(arguments, "attribute")
        return lookup.follow(resource, "common_function_pool_id").body.get(attribute)
