"""No secret outside etcd: what is a secret, and how it is kept out of logs, errors and output.

A redactor works by the name of a param *and* by its value: oslo's ``mask_password`` alone misses
``{"param": "primary_device_password", "value": ...}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker.api import types

MASK: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"password|passwd|passphrase|secret|token|private_key|credential|api_key", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether what has this name must not be shown."""
    return bool(_SECRET_NAME.search(name))


def secret_values(value: types.JSON, *, secret: bool = False) -> Iterable[str]:
    """All texts in a JSON value that stand under a secret name.

    :param secret: whether the whole value is under one
    """
    if isinstance(value, Mapping):
        named = isinstance(value.get("param"), str) and is_secret_name(value["param"])
        for name, member in value.items():
            yield from secret_values(member, secret=secret or is_secret_name(str(name)) or (named and name == "value"))
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from secret_values(member, secret=secret)
    elif secret and isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value):
        yield str(value)


def mask(value: types.JSON) -> types.JSON:
    """A copy of a JSON value to show: each value under a secret name is masked."""
    if isinstance(value, Mapping):
        named = isinstance(value.get("param"), str) and is_secret_name(value["param"])
        return {
            name: MASK if _hides(str(name), member) or (named and name == "value" and member) else mask(member)
            for name, member in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask(member) for member in value]
    return value


def _hides(name: str, member: Any) -> bool:
    return is_secret_name(name) and not isinstance(member, (Mapping, list, bool)) and bool(member)


def mask_text(text: str, values: Iterable[str]) -> str:
    """A text with each of these values masked, the longest first."""
    for value in sorted(set(values), key=len, reverse=True):
        if len(value) > 2:
            text = text.replace(value, MASK)
    return text
