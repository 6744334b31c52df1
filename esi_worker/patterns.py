"""Regular expressions from templates, matched within bounds.

Python's ``re`` tries alternatives one after another, holding the interpreter: ``(a+)+b`` on thirty letters stops
the whole process for minutes, and no time limit reaches it.  So a pattern is looked at first: how many ways there
are at most to match it against a text of this length.  Too many, and it is refused.
"""

from __future__ import annotations

import re
from re import _parser  # type: ignore[attr-defined]  # the parsed form of a pattern has no public door
from typing import Any
from typing import Final

MAX_WAYS: Final = 10_000_000
"""About a second's work in the worst case."""

_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


class Refused(ValueError):
    """A pattern is no regular expression or would take too long; the text says which."""


def matches(pattern: str, text: str, *, whole: bool) -> bool:
    """Whether a text matches a pattern.

    :param whole: whether the whole text has to match; otherwise its beginning is enough
    :raises Refused: if the pattern can't be used on this text
    """
    try:
        parsed = _parser.parse(pattern)
        if _ways(parsed, len(text)) > MAX_WAYS:
            raise Refused(f"the pattern {_show(pattern)} may take too long on a text of {len(text)} characters")
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Refused(f"the pattern {_show(pattern)} is no regular expression: {error}") from None
    return bool(compiled.fullmatch(text) if whole else compiled.match(text))


def _ways(parsed: Any, length: int) -> int:
    """An upper bound of the ways to match a parsed pattern, cut off above :data:`MAX_WAYS`."""
    ways = 1
    for operation, argument in parsed:
        ways = min(ways * _ways_of(str(operation), argument, length), MAX_WAYS + 1)
    return ways


def _ways_of(operation: str, argument: Any, length: int) -> int:
    if operation in _REPEATS:
        least, most, body = argument
        shortest = max(body.getwidth()[0], 1)
        times = min(int(most), length // shortest + 1)
        inside = _ways(body, length)
        return int(min(inside ** min(times, 64) * max(times - least + 1, 1), MAX_WAYS + 1))
    if operation == "BRANCH":
        return min(sum(_ways(each, length) for each in argument[1]), MAX_WAYS + 1)
    if operation == "SUBPATTERN":
        return _ways(argument[-1], length)
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _ways(argument[1], length)
    if operation == "ATOMIC_GROUP":
        return _ways(argument, length)
    if operation == "GROUPREF_EXISTS":
        return _ways(argument[1], length) + (_ways(argument[2], length) if argument[2] else 1)
    return 1


def _show(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 100 else pattern[:97] + "...")
