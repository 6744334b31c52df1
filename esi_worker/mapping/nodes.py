"""What a mapping says, in one form whatever it was written in: the nodes that the evaluation goes through."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from esi_worker.api import types


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A JSON value."""

    value: types.JSON


@dataclasses.dataclass(frozen=True, slots=True)
class RelationHop:
    """To the resource that a relation field refers to."""

    field: str


@dataclasses.dataclass(frozen=True, slots=True)
class TypedHop:
    """To the resource of a given type whose id is in a field; the field ``""`` is a scalar item itself."""

    resource_type: str
    id_field: str


@dataclasses.dataclass(frozen=True, slots=True)
class ComputedHop:
    """To the resource that a relation field refers to, the field's name being put together."""

    name: Concatenate


Hop = RelationHop | TypedHop | ComputedHop


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field, at the end of a path."""

    name: str
    path: tuple[Hop, ...] = ()
    ignore_missing: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class OutputKey:
    """An output of the stack of the resource at the end of a path."""

    key: str
    path: tuple[Hop, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """The resource's version."""


@dataclasses.dataclass(frozen=True, slots=True)
class Nested:
    """A field of a field."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Concatenate:
    """Operands, joined as strings."""

    operands: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class For:
    """A mapping for each item of a list."""

    items: Node
    mapping: Node


@dataclasses.dataclass(frozen=True, slots=True)
class If:
    """One of two mappings; ``relation`` is ``equal`` or ``regexp``."""

    relation: str
    left: Node
    right: Node
    then: Node
    otherwise: Node


@dataclasses.dataclass(frozen=True, slots=True)
class Resolve:
    """What a resolver plug-in says."""

    resolver: str
    arguments: Mapping[str, types.JSON]


Node = Constant | Field | OutputKey | Version | Nested | Concatenate | For | If | Resolve
