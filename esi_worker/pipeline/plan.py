"""What planning goes by, what it is asked and what it answers: values without behaviour."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import documents
from esi_worker.pipeline import workflow


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What planning goes by: fixed for the life of a job manager.

    :ivar catalog: the resource types
    :ivar handlers: all installed handlers
    :ivar resolvers: all installed resolvers
    :ivar secrets: ``inline`` or ``reference``: how a secret stands in a job
    """

    catalog: catalogs.Catalog
    handlers: Mapping[str, workflow.Traits]
    resolvers: Mapping[str, api.Resolver]
    secrets: str = "inline"

    @property
    def followers(self) -> frozenset[str]:
        """The handlers that only follow what others bring about."""
        return frozenset(name for name, traits in self.handlers.items() if traits.torn_down_before_modify)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A change of a resource, as the reader hands it on.

    :ivar ref: the resource
    :ivar version: the version of its config document
    :ivar body: its body
    :ivar marked: whether it is to be taken down
    :ivar again: whether it is planned once more by a version that was planned before
    """

    ref: api.Ref
    version: int
    body: Mapping[str, api.JSON]
    marked: bool = False
    again: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a change asks for.

    :ivar action: create, modify or logical_delete
    :ivar recorded: what ``/esi-worker/config/<P>`` is to say
    :ivar jobs: the workflow; empty where the catalog names no template
    :ivar drops: jobs of older versions that this one makes needless
    """

    change: Change
    action: str
    recorded: documents.Recorded
    jobs: tuple[api.Job, ...]
    drops: tuple[api.Job, ...] = ()


class MissingTemplate(api.Unresolved):
    """The catalog names a template that isn't there (yet).

    :ivar template_id: its id
    """

    def __init__(self, ref: api.Ref, handler: str, template_id: str) -> None:
        super().__init__(
            f"{ref} waits for the template {template_id!r} of {handler}: it is neither in etcd nor among the files"
        )
        self.template_id = template_id
