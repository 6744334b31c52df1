"""From resource to resource: what a mapping is evaluated on, and how a path leads on from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

from esi_worker import api
from esi_worker.mapping import grammar


class World(Protocol):
    """What an evaluation sees beside the resource itself."""

    def get(self, ref: api.Ref) -> api.Resource | None:
        """The resource; None where it isn't there (yet)."""

    def relation(self, resource_type: str, field: str) -> str | None:
        """The type that a field of a type refers to; None where the field is no relation."""


class MissingHop(api.Unresolved):
    """A parameter needs a resource that isn't there (yet).

    :ivar param: the parameter's name
    :ivar ref: the resource that is missing; None where the field that should name it is empty
    :ivar resource: the resource that the parameter is for
    """

    def __init__(self, param: str, ref: api.Ref | None, resource: api.Ref, hop: str) -> None:
        what = f"{ref}, which {hop} names, isn't there (yet)" if ref else f"{hop} names no resource (yet)"
        super().__init__(f"parameter {param!r} of {resource}: {what}")
        self.param = param
        self.ref = ref
        self.resource = resource


class MappingError(api.PermanentError):
    """A parameter's mapping can't be evaluated; waiting will not help.

    :ivar param: the parameter's name
    """

    def __init__(self, param: str, text: str, detail: str = "") -> None:
        super().__init__(f"parameter {param!r}: {text}", detail)
        self.param = param


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What fields are looked up in: a resource, or an item of a list.

    :ivar value: the resource's body, or the item
    :ivar ref: the resource; None for an item
    :ivar item_type: the type that a scalar item is an id of; None where nobody knows
    :ivar fallback: where a field that is absent here is looked up instead
    """

    value: api.JSON
    ref: api.Ref | None = None
    item_type: str | None = None
    fallback: Scope | None = None

    @classmethod
    def of(cls, resource: api.Resource) -> Scope:
        """The scope of a resource."""
        return cls(resource.body, resource.ref)

    def holder(self, name: str) -> Scope | None:
        """The scope that has this field: this one, its fallback, or None."""
        here = name in self.value if isinstance(self.value, Mapping) else name == ""
        if here:
            return self
        return self.fallback.holder(name) if self.fallback else None

    def field(self, name: str) -> api.JSON:
        """A field's value; None where it is absent.  A scalar item is its own field ``""``."""
        holder = self.holder(name)
        if holder is None:
            return None
        return holder.value[name] if isinstance(holder.value, Mapping) else holder.value

    def __str__(self) -> str:
        return str(self.ref) if self.ref else "the item"


class Walker:
    """Follows hops on behalf of one parameter.

    :param param: its name
    :param resource: the resource that it is for
    :param world: the other resources
    """

    def __init__(self, param: str, resource: api.Resource, world: World) -> None:
        self.param = param
        self.resource = resource
        self._world = world

    def relation(self, scope: Scope, field: str) -> str | None:
        """The type that a field refers to, seen from a scope."""
        if scope.ref is not None:
            return self._world.relation(scope.ref.resource_type, field)
        return scope.item_type if field == "" else None

    def follow(self, scope: Scope, field: str) -> api.Resource:
        """The resource that a relation field refers to.

        :raises MappingError: if the field is no relation
        :raises MissingHop: if the field is empty or the resource isn't there
        """
        target = self.relation(scope, field)
        if target is None:
            where = f"the type {scope.ref.resource_type}" if scope.ref else "the item, which has no type"
            raise self.error(f"the field {field!r} is no relation of {where}")
        return self.hop(scope, target, field)

    def hop(self, scope: Scope, resource_type: str, field: str) -> api.Resource:
        """The resource of a type whose id is in a field.

        :raises MappingError: if the field holds no id
        :raises MissingHop: if the field is empty or the resource isn't there
        """
        resource_id = scope.field(field)
        name = f"the field {field!r} of {scope}" if field else str(scope)
        if resource_id is None or resource_id == "":
            raise MissingHop(self.param, None, self.resource.ref, name)
        if not isinstance(resource_id, str):
            raise self.error(f"{name} is no id but {grammar.kind(resource_id)}")
        return self.get(api.Ref(resource_type, resource_id), name)

    def get(self, ref: api.Ref, hop: str) -> api.Resource:
        """A resource.

        :param hop: what names it, for the message
        :raises MissingHop: if it isn't there
        """
        resource = self._world.get(ref)
        if resource is None:
            raise MissingHop(self.param, ref, self.resource.ref, hop)
        return resource

    def error(self, text: str, detail: str = "") -> MappingError:
        """What is wrong with the mapping."""
        return MappingError(self.param, text, detail)


class Trail:
    """An :class:`~esi_worker.api.Lookup` for one resolver call: remembers what was read, in order."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self.passed: list[api.Resource] = []

    def resource(self, resource_type: str, resource_id: str) -> api.Resource:
        """:raises MissingHop: if there is no such resource (yet)."""
        found = self._walker.get(api.Ref(resource_type, resource_id), "the resolver")
        self.passed.append(found)
        return found

    def follow(self, resource: api.Resource, field: str) -> api.Resource:
        """:raises MissingHop: if the field is empty or the resource isn't there; MappingError: if it is no relation."""
        found = self._walker.follow(Scope.of(resource), field)
        self.passed.append(found)
        return found
