"""Which jobs a change of a resource needs, as a chain.  No I/O.

======================  =====================================================================
create                  create, handler by handler in their order
modify                  what is torn down before a modify (monitoring) is deleted, failures ignored; then, in order,
                        modify for the others and create for what was torn down
logical_delete          in reverse order: delete for what is torn down before a modify, logical_delete for the others
======================  =====================================================================

A handler that the new body needs no more (its template choice gives null now) is torn down by a modify.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from collections.abc import Mapping

from esi_worker import api


@dataclasses.dataclass(frozen=True, slots=True)
class Traits:
    """What the pipeline knows of a handler: see :class:`esi_worker.api.Handler`."""

    name: str
    order: int
    torn_down_before_modify: bool
    record_kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One job of the chain.

    :ivar previous: whether its values come from the previous body: what was set up by it must go
    """

    action: str
    handler: str
    on_failure: str = api.FAIL
    previous: bool = False


def steps(
    action: str, now: Collection[str], before: Collection[str], handlers: Mapping[str, Traits]
) -> tuple[Step, ...]:
    """The chain of a change.

    :param action: create, modify or logical_delete
    :param now: the handlers that the new body has a template for
    :param before: those that the previous body had one for; none for a create
    :param handlers: all installed handlers by name
    """
    order = sorted({*now, *before}, key=lambda name: (handlers[name].order, name))
    if action == api.CREATE:
        return tuple(Step(api.CREATE, name) for name in order if name in now)
    if action == api.LOGICAL_DELETE:
        chain = [_teardown(handlers[name], previous=name not in now) for name in reversed(order)]
    else:
        chain = [
            _teardown(handlers[name], previous=True)
            for name in reversed(order)
            if handlers[name].torn_down_before_modify or name not in now
        ]
        chain += [_rebuild(handlers[name]) for name in order if name in now]
    # A deletion that nothing follows decides the resource's fate: its failure must not be ignored.
    last = dataclasses.replace(chain[-1], on_failure=api.FAIL) if chain else None
    return (*chain[:-1], last) if last else ()


def _teardown(handler: Traits, *, previous: bool) -> Step:
    if handler.torn_down_before_modify:
        return Step(api.DELETE, handler.name, api.IGNORE, previous)
    return Step(api.LOGICAL_DELETE, handler.name, api.FAIL, previous)


def _rebuild(handler: Traits) -> Step:
    return Step(api.CREATE if handler.torn_down_before_modify else api.MODIFY, handler.name)
