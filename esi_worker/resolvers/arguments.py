"""Checks of what a template gives a resolver: whatever can't be used is named."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from esi_worker import api


def only(arguments: Mapping[str, api.JSON], *known: str) -> None:
    """:raises PermanentError: if there is an argument that the resolver does not have."""
    for argument in arguments:
        if argument not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise api.PermanentError(f"the resolver has no argument {argument!r}: {takes}")


def name(arguments: Mapping[str, api.JSON], argument: str) -> str:
    """An argument that is a name.

    :raises PermanentError: if it is missing or no string
    """
    value = arguments.get(argument)
    if not isinstance(value, str) or not value:
        raise api.PermanentError(f"the resolver's argument {argument!r} is missing or no name")
    return value


def one_of(arguments: Mapping[str, api.JSON], argument: str, known: Sequence[str]) -> str:
    """An argument that is one of some names.

    :raises PermanentError: if it is missing or another one
    """
    value = name(arguments, argument)
    if value not in known:
        raise api.PermanentError(f"the resolver's argument {argument!r} is {value!r}, not one of {', '.join(known)}")
    return value
