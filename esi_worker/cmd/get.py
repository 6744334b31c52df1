"""``esictl get``: resources, and what came of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.pipeline import documents
from esi_worker.store import base
from esi_worker.store import codec

_NAME_WIDTH = 24
_COLUMNS = ("type", "id", "name", "version", "state", "state_version", "error")


class Get(listing.Lister):
    """List resources, those of one type, or show one.

    With an id, the whole of it: what is wanted and what came of it; secrets are masked.
    """

    nothing = "no such resource"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE", nargs="?", help="a resource type, or its plural")
        parser.add_argument("id", metavar="ID", nargs="?")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        if parsed_args.id:
            return self._one(here, parsed_args)
        found = list(_all(here, parsed_args.type))
        if parsed_args.formatter == "table" and not parsed_args.columns:
            return _in_short(found)
        return _COLUMNS, [_row(each) for each in found]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """A list of resources is a table; one resource is an object."""
        if not parsed_args.id:
            return super().produce_output(parsed_args, column_names, data)
        return display.one(self, parsed_args, column_names, next(iter(data)))

    def _one(self, here: session.Session, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        path = here.path(parsed_args.type, parsed_args.id)
        outcome = here.store.transact([], [base.Get(path.config), base.Get(path.state), base.Get(path.monitoring)])
        config, state, monitoring = (entry.value if entry else None for entry in outcome.entries)
        if config is None and state is None:
            raise api.DocumentError(f"there is no {path.config}")
        status = resources.status(here.catalog, path, config, state)
        body = _body(config)
        details = {
            "body": display.masked(body),
            "outcome": display.masked(_outcome(state), body),
            "monitoring": display.masked(_decoded(monitoring), body),
        }
        columns = (*_COLUMNS, "marked_for_deletion", *details)
        return columns, [(*_row(status), status.marked, *map(display.Cell, details.values()))]


def _all(here: session.Session, resource_type: str | None) -> Iterable[resources.Status]:
    if not resource_type:
        return resources.read_all(here.store, here.catalog)
    described = here.resource_type(resource_type)
    # What the catalog puts under no prefix may be under any.
    within = f"{described.prefix}/{described.plural}/" if here.catalog.tells(described.id) else ""
    listed = resources.read_all(here.store, here.catalog, within)
    return (each for each in listed if each.resource_type == described.id)


def _in_short(found: Sequence[resources.Status]) -> tuple[Sequence[str], Iterable[Any]]:
    """The same for people, as narrow as can be: what goes without saying is left out."""
    errors = any(each.error for each in found)
    rows = []
    for each in found:
        name = each.name if len(each.name) <= _NAME_WIDTH else each.name[: _NAME_WIDTH - 1] + "…"
        state = each.state if each.settled or not each.state else f"{each.state} (version {each.state_version})"
        marked = f"{each.version}, marked for deletion" if each.marked else each.version
        row = (each.resource_type, each.path.id, *map(display.Cell, (name, marked, state)))
        rows.append((*row, display.Cell(each.error)) if errors else row)
    return ("type", "id", "name", "version", "state", "error")[: 6 if errors else 5], rows


def _row(status: resources.Status) -> tuple[Any, ...]:
    state = display.Cell(status.state), display.Cell(status.state_version), display.Cell(status.error)
    return (status.resource_type, status.path.id, display.Cell(status.name), display.Cell(status.version), *state)


def _body(config: bytes | None) -> Any:
    try:
        return documents.parse_config(config).body if config else None
    except api.DocumentError:
        return None


def _decoded(data: bytes | None) -> Any:
    try:
        return codec.decode(data) if data else None
    except api.DocumentError:
        return None


def _outcome(state: bytes | None) -> dict[str, Any] | None:
    """What ``/state`` says beside ``worker_state``."""
    document = resources.state_document(state)
    if document is None:
        return None
    return {name: value for name, value in document["state"].items() if name != "worker_state"}
