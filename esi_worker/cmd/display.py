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

ABSENT: Final = "-"


def masked(value: api.JSON, *others: api.JSON) -> api.JSON:
    """A copy to show: what has a secret's name is masked, and whatever holds such a secret's text.

    :param others: documents whose secrets must not show in this one either
    """
    secrets = frozenset(each for document in (value, *others) for each in redaction.secret_values(document))
    return _without(redaction.mask(value), secrets)


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
        if self._value is None or self._value == "":
            return ABSENT
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


def seconds(milliseconds: float) -> str:
    """A duration.

    :param milliseconds: how long it took
    """
    return f"{milliseconds / 1000:.3f}"


def shortened(value: str, width: int) -> str:
    """A text of one line, cut to a width."""
    line = " ".join(value.split())
    return line if len(line) <= width else line[: width - 1] + "…"
