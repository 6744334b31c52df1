"""What a resource type is.  Entry point group ``esi_worker.resource_types``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from esi_worker.api import types


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceType:
    """Describes one type of resource; an entry point gives one object of this class.

    :ivar id: its name, such as ``common_function_gateway``
    :ivar plural: its name in keys, such as ``common_function_gateways``
    :ivar prefix: what stands before the plural in keys
    :ivar relations: field of the resource -> the type that it refers to
    :ivar templates: handler -> mapping whose value is a template's id; a null value means no job of that handler
    :ivar two_step_deletion: whether Gohan marks a resource and waits before it removes its document
    """

    id: str
    plural: str
    prefix: str = "v2.0"
    relations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    templates: Mapping[str, types.JSON] = dataclasses.field(default_factory=dict)
    two_step_deletion: bool = True
