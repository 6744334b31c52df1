"""What a resolver is: the plug-in that gives a parameter its value.  Entry point group ``esi_worker.resolvers``."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Protocol

from esi_worker.api import types


class Lookup(Protocol):
    """Finds other resources, and remembers what was read: that becomes the param's ``resources``."""

    def resource(self, resource_type: str, resource_id: str) -> types.Resource:
        """:raises Unresolved: if there is no such resource (yet)."""

    def follow(self, resource: types.Resource, field: str) -> types.Resource:
        """The resource that a relation field refers to.

        :raises Unresolved: if the field is empty or the resource isn't there (yet)
        :raises PermanentError: if the field is no relation of the resource's type
        """


class Resolver(abc.ABC):
    """Gives a parameter its value: ``{"resolver": <entry point name>, ...arguments}`` in a template."""

    @abc.abstractmethod
    def resolve(self, arguments: Mapping[str, types.JSON], resource: types.Resource, lookup: Lookup) -> types.JSON:
        """Work out the value; no I/O, no memory.

        :param arguments: the other members of the mapping
        :param resource: the resource that the job is for
        :returns: a JSON value
        :raises PermanentError: naming the argument that can't be used
        """
