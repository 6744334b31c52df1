"""JSON as esi-worker writes and reads it: sorted keys, UTF-8; any order and white space when reading."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Final

from esi_worker.api import errors
from esi_worker.api import types

MAX_DEPTH: Final = 200
"""Levels of a document."""

_CONTAINERS: Final = (dict, list, tuple)


def encode(value: types.JSON) -> bytes:
    """:raises DocumentError: if it is not JSON."""
    # Half of a surrogate pair, which JSON can spell and UTF-8 can't, is written as JSON spells it.
    return text(value).encode(errors="backslashreplace")


def text(value: types.JSON) -> str:
    """The same as text, as members of ``/state`` hold it.

    :raises DocumentError: if it is not JSON
    """
    try:
        written = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        _shallow(value, written)
        return written
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.DocumentError(f"not JSON: {error}") from error


def decode(data: bytes | str) -> types.JSON:
    """:raises DocumentError: if it is not UTF-8, not JSON, or nested too deeply."""
    try:
        written = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
        return _shallow(_DECODER.decode(written), written)
    except RecursionError:
        raise errors.DocumentError("not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise errors.DocumentError(f"not JSON: {error}") from error


def _shallow(value: types.JSON, written: str) -> types.JSON:
    """How deep Python can read and write depends on who calls; what one stage writes the next one must read.

    :param written: the value as text, which tells at once that most values are shallow
    :returns: the value
    :raises RecursionError: if it has more levels than any document needs
    """
    if written.count("[") + written.count("{") > MAX_DEPTH:
        level: list[types.JSON] = [value]
        for _ in range(MAX_DEPTH):
            level = [member for each in level if isinstance(each, _CONTAINERS) for member in _members(each)]
        if any(isinstance(each, _CONTAINERS) for each in level):
            raise RecursionError(f"more than {MAX_DEPTH} levels")
    return value


def _members(value: types.JSON) -> Iterable[types.JSON]:
    return value.values() if isinstance(value, dict) else value


def _finite(text: str) -> float:
    """Python reads ``1e999`` and ``NaN``, and can't write what it read: such a document would come back as an error."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:32]} is no number that JSON has")
    return number


_DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
