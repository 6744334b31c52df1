"""JSON as esi-worker writes and reads it: sorted keys, UTF-8; any order and white space when reading."""

from __future__ import annotations

import json

from esi_worker.api import errors
from esi_worker.api import types


def encode(value: types.JSON) -> bytes:
    """:raises DocumentError: if it is not JSON."""
    # Half of a surrogate pair, which JSON can spell and UTF-8 can't, is written as JSON spells it.
    return text(value).encode(errors="backslashreplace")


def text(value: types.JSON) -> str:
    """The same as text, as members of ``/state`` hold it.

    :raises DocumentError: if it is not JSON
    """
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.DocumentError(f"not JSON: {error}") from error


def decode(data: bytes | str) -> types.JSON:
    """:raises DocumentError: if it is not UTF-8, not JSON, or nested too deeply."""
    try:
        return json.loads(data)
    except RecursionError:
        raise errors.DocumentError("not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise errors.DocumentError(f"not JSON: {error}") from error
