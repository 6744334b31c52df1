"""JSON values as the language compares and joins them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from esi_worker.api import types


def text(value: types.JSON) -> str | None:
    """A scalar as text, as JSON spells it; None for what has none."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, int, float)) else None


def equal(left: types.JSON, right: types.JSON) -> bool:
    """Whether two JSON values are equal; Python's own equality takes true for 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)
