"""How values are shown: short for people, masked for everybody."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

import yaml
from cliff import columns
from cliff.formatters import base as formatters

from esi_worker import api
from esi_worker import redaction
from esi_worker.store import codec

ABSENT: Final = "-"


def masked(value: api.JSON, *others: api.JSON) -> api.JSON:
    """A copy to show: what has a secret's name is masked, and whatever holds such a secret's text.

    JSON that stands in a document as text, as Gohan writes bodies, is shown as what it says: a secret in it has a
    name too.

    :param others: documents whose secrets must not show in this one either
    """
    shown = opened(value)
    documents = (shown, *map(opened, others))
    secrets = frozenset(each for document in documents for each in redaction.secret_values(document))
    return _without(redaction.mask(shown), secrets)


def opened(value: api.JSON) -> api.JSON:
    """A copy with objects and lists instead of texts that are their JSON."""
    if isinstance(value, Mapping):
        return {name: opened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [opened(member) for member in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return opened(codec.decode(value))
        except api.DocumentError:
            return value
    return value


def _without(value: api.JSON, secrets: Iterable[str]) -> api.JSON:
    if isinstance(value, str):
        return redaction.mask_text(value, secrets)
    if isinstance(value, Mapping):
        return {name: _without(member, secrets) for name, member in value.items()}
    if isinstance(value, list):
        return [_without(member, secrets) for member in value]
    return value


def text(value: api.JSON) -> str:
    """A document for people: YAML, without an end of line at its end."""
    if isinstance(value, str):
        return value
    dumped: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1000)
    return dumped.removesuffix("...\n").rstrip("\n")


class Cell(columns.FormattableColumn[Any]):
    """A value in a table: itself for programs; for people YAML, or a dash where there is nothing."""

    def human_readable(self) -> str:
        """:returns: the text of the cell."""
        if self._value is None or self._value == "" or self._value == []:
            return ABSENT
        if isinstance(self._value, list) and all(isinstance(each, str) for each in self._value):
            return "\n".join(self._value)
        return text(self._value) if isinstance(self._value, (dict, list)) else str(self._value)

    def machine_readable(self) -> Any:
        """:returns: the value."""
        return self._value


def one(command: Any, parsed_args: argparse.Namespace, names: Sequence[str], values: Sequence[Any]) -> int:
    """Write one object with a lister's formatter.

    :raises ConfigError: if the format is for lists only
    """
    if not isinstance(command.formatter, formatters.SingleFormatter):
        raise api.ConfigError(f"the format {parsed_args.formatter} is for lists only")
    command.formatter.emit_one(names, values, command.app.stdout, parsed_args)
    return 0


def clock(milliseconds: int) -> str:
    """A time of day in the local time zone.

    :param milliseconds: since the epoch
    """
    return datetime.datetime.fromtimestamp(milliseconds / 1000).strftime("%H:%M:%S.%f")[:-3]
