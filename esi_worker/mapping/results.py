"""What the evaluation of a node gives."""

from __future__ import annotations

import dataclasses

from esi_worker import api
from esi_worker import redaction
from esi_worker.mapping import walk


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What a node came to.

    :ivar type: as that of a param
    :ivar value: as that of a param
    :ivar resources: what was passed, in order
    :ivar source: the one field that the value comes from: ``{resource_type, resource_id, field}``
    """

    type: str
    value: api.JSON
    resources: tuple[api.Ref, ...] = ()
    source: dict[str, str] | None = None


def refs(passed: list[api.Resource]) -> tuple[api.Ref, ...]:
    """The names of resources that were passed."""
    return tuple(resource.ref for resource in passed)


def source_of(scope: walk.Scope, field: str) -> dict[str, str] | None:
    """The field of a resource that a value is read from; None for an item's."""
    holder = scope.holder(field)
    return {**holder.ref.to_document(), "field": field} if holder and holder.ref else None


def secret_source(passed: list[api.Resource], value: api.JSON) -> dict[str, str] | None:
    """The field of the resource read last that a resolver took a secret from."""
    if passed and isinstance(value, str):
        for field, held in passed[-1].body.items():
            if held == value and redaction.is_secret_name(field):
                return {**passed[-1].ref.to_document(), "field": field}
    return None
