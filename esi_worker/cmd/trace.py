"""``esictl trace``: the way of one resource through the seven points."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from cliff import lister

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import points
from esi_worker.cmd import queue
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.store import base
from esi_worker.store import keys

COLUMNS = ("point", "key", "written", "seconds", "says")


class Trace(lister.Lister):
    """Show the seven points of a resource: when each was written, how long it took, what it says.

    "seconds" is the time since the point before. A point that the wanted version has not reached has a dash, and
    what it is waiting for where that can be told. Jobs are removed as they are finished.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE")
        parser.add_argument("id", metavar="ID")
        parser.add_argument("--full", action="store_true", help="the documents too, with secrets masked")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        path = here.path(parsed_args.type, parsed_args.id)
        found = read(here, path)
        if not parsed_args.full:
            return COLUMNS, [row(each, path) for each in found]
        return (*COLUMNS, "document"), [(*row(each, path), display.Cell(each.document)) for each in found]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Documents don't fit into a table: for people they follow one another."""
        if parsed_args.formatter == "table":
            self.app.stdout.write(f"<P> is {session.of(self).path(parsed_args.type, parsed_args.id)}\n")
        if not parsed_args.full or parsed_args.formatter != "table":
            return super().produce_output(parsed_args, column_names, data)
        for number, key, written, _, says, document in data:
            head = f"({number}) {key.human_readable()}  {written.human_readable()}  {says.machine_readable()}".rstrip()
            self.app.stdout.write(f"\n{head}\n{_indented(document.human_readable())}\n")
        return 0


def read(here: session.Session, path: keys.Path) -> list[points.Point]:
    """The seven points of a resource as of now.

    :raises DocumentError: if nothing is known of it
    """
    wanted = list(points.wanted_keys(path).values())
    outcome = here.store.transact([], [base.Get(each) for each in wanted])
    values = {key: entry.value for key, entry in zip(wanted, outcome.entries, strict=True) if entry is not None}
    if not values:
        raise api.DocumentError(f"there is no {path.config}, and nothing is known of it")
    status = resources.status(here.catalog, path, values.get(path.config), values.get(path.state))
    return points.build(path, status, values.get, queue.read_of(here.store, status.ref, here.handlers))


def row(point: points.Point, path: keys.Path) -> tuple[Any, ...]:
    """A point as a row of :data:`COLUMNS`."""
    return (point.number, Key(point.key, path), Written(point.at), Took(point.took), Says(point.says))


class Key(display.Cell):
    """A key; for people without the part that all have in common."""

    def __init__(self, key: str, path: keys.Path) -> None:
        super().__init__(key)
        self._path = str(path)

    def human_readable(self) -> str:
        """:returns: the key with ``<P>`` in it."""
        return str(self._value).replace(self._path, "<P>")


class Says(display.Cell):
    """What a point says; for people in lines of readable length."""

    def human_readable(self) -> str:
        """:returns: lines."""
        return "\n".join(textwrap.fill(line, 48) for line in str(self._value).splitlines())

    def machine_readable(self) -> Any:
        """:returns: one line."""
        return str(self._value).replace("\n", ", ")


class Written(display.Cell):
    """A time: milliseconds since the epoch for programs, a time of day for people."""

    def human_readable(self) -> str:
        """:returns: the time of day."""
        return display.ABSENT if self._value is None else display.clock(self._value)


class Took(display.Cell):
    """A duration in seconds."""

    def human_readable(self) -> str:
        """:returns: with three places."""
        return display.ABSENT if self._value is None else f"{self._value / 1000:.3f}"

    def machine_readable(self) -> Any:
        """:returns: seconds, or None."""
        return None if self._value is None else self._value / 1000


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
