"""The values that pass between esi-worker and its plug-ins: frozen, and JSON at heart.

A job and its params are the documents of point (2): ``/jobs/all/<job id>``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import Final

JSON = Any
"""A JSON value: None, bool, int, float, str, list or dict of them."""

CREATE: Final = "create"
MODIFY: Final = "modify"
DELETE: Final = "delete"
LOGICAL_DELETE: Final = "logical_delete"

VALUE: Final = "value"
OUTPUT_KEY: Final = "output_key"
LIST: Final = "list"
SECRET: Final = "secret"

FAIL: Final = "fail"
IGNORE: Final = "ignore"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names a resource: its type and its id."""

    resource_type: str
    resource_id: str

    def __str__(self) -> str:
        return f"{self.resource_type}:{self.resource_id}"

    def to_document(self) -> dict[str, str]:
        """:returns: the form a param's ``resources`` have."""
        return {"resource_type": self.resource_type, "resource_id": self.resource_id}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Ref:
        """:raises KeyError: if a member is missing."""
        return cls(document["resource_type"], document["resource_id"])


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it is described: what a config document says of it.

    :ivar ref: its type and id
    :ivar body: the body of the config document
    :ivar version: the version of the config document
    """

    ref: Ref
    body: Mapping[str, Any]
    version: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a job.

    :ivar param: its name
    :ivar type: ``value``, ``output_key``, ``list`` or ``secret``
    :ivar value: JSON; for ``output_key`` ``{output_key, resource_type, resource_id}``; for ``list`` a list of
        documents of params; for ``secret`` ``{resource_type, resource_id, field}``
    :ivar resources: the resources that were passed on the way to the value, in order
    """

    param: str
    type: str
    value: JSON
    resources: tuple[Ref, ...] = ()

    def to_document(self) -> dict[str, JSON]:
        """:returns: the form a job document has it in."""
        resources = [ref.to_document() for ref in self.resources]
        return {"param": self.param, "type": self.type, "value": self.value, "resources": resources}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Param:
        """:raises KeyError: if a member is missing."""
        resources = tuple(Ref.from_document(each) for each in document.get("resources", ()))
        return cls(document["param"], document["type"], document["value"], resources)


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One job: what one handler has to do for one change of one resource.

    The fields are those of the job document; each job of a workflow has the workflow's ``job_name``.
    """

    id: str
    handler: str
    action: str
    resource_type: str
    resource_id: str
    version: int
    dependency: tuple[str, ...] = ()
    is_first: bool = True
    is_last: bool = True
    on_failure: str = FAIL
    params: tuple[Param, ...] = ()
    resource_input: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        """The resource that the job is for."""
        return Ref(self.resource_type, self.resource_id)

    @property
    def job_name(self) -> str:
        """The workflow that the job belongs to."""
        return f"{self.resource_type}:{self.resource_id}:{self.version}"

    @property
    def removes(self) -> bool:
        """Whether the job takes something down."""
        return self.action in (DELETE, LOGICAL_DELETE)

    def to_document(self) -> dict[str, JSON]:
        """:returns: the job document, with exactly its thirteen fields."""
        return {
            "id": self.id,
            "handler": self.handler,
            "action": self.action,
            "resource_type": self.resource_type,
            "resource_id": self.resource_id,
            "version": self.version,
            "job_name": self.job_name,
            "dependency": list(self.dependency),
            "is_first": self.is_first,
            "is_last": self.is_last,
            "on_failure": self.on_failure,
            "params": [param.to_document() for param in self.params],
            "resource_input": dict(self.resource_input),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Job:
        """:raises KeyError: if a member is missing."""
        return cls(
            id=document["id"],
            handler=document["handler"],
            action=document["action"],
            resource_type=document["resource_type"],
            resource_id=document["resource_id"],
            version=document["version"],
            dependency=tuple(document["dependency"]),
            is_first=document["is_first"],
            is_last=document["is_last"],
            on_failure=document["on_failure"],
            params=tuple(Param.from_document(each) for each in document["params"]),
            resource_input=document["resource_input"],
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """A template, from a file or from ``/config/v2.0/heat_templates/<id>``.

    :ivar id: its id, which the catalog's template choice evaluates to
    :ivar handler: the handler that it is for
    :ivar text: the jinja2 source
    :ivar parameter_mappings: parameter name -> mapping (the mapping language)
    """

    id: str
    handler: str
    text: str
    parameter_mappings: Mapping[str, JSON] = dataclasses.field(default_factory=dict)


class _Unset:
    """What a result says of a record that it leaves as it is."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = _Unset()
"""``Done(record=KEEP)``: the handler's record stays as it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """The job is done.

    :ivar result: JSON members merged into ``job_state``, and so published in ``/state``
    :ivar record: the handler's own record of the resource from now on, written in the finishing transaction;
        None removes it, :data:`KEEP` leaves it
    """

    result: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    record: Mapping[str, JSON] | _Unset | None = KEEP


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """Not yet: call again.  The claim stays, no thread is held meanwhile.

    :ivar delay: seconds
    """

    delay: float
