"""From the rendered text to a document: the strings stay out of the text until its structure is fixed.

Each string that a template prints is replaced by a token of letters and digits.  The text is read as YAML, and only
then the strings are put back, as keys or as (parts of) scalars: none of them can be taken for a number, or for
structure.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from typing import Any
from typing import Final

import yaml

from esi_worker.clients.rendering import meter

_MAX_DEPTH: Final = 100
"""Levels of a document; libyaml itself goes down until the process dies."""

_MAX_PAIRS: Final = 10_000
"""Members of one object after ``<<`` was merged into it."""


class NotADocument(Exception):
    """The rendered text is no YAML, or none that JSON can say; the text holds no value."""


class Strings:
    """The strings that one rendering printed, and the tokens that stand for them."""

    def __init__(self) -> None:
        self._mark = f"q{secrets.token_hex(8)}q"
        self._pattern = re.compile(f"{self._mark}(\\d+)z")
        self._strings: list[str] = []

    def token(self, text: str) -> str:
        """Keep a string; an empty one too, so that nothing printed is nothing."""
        self._strings.append(text)
        return f"{self._mark}{len(self._strings) - 1}z"

    def restore(self, text: str) -> str:
        """Put the strings back; what they hold is not looked at again."""
        return self._pattern.sub(lambda found: self._strings[int(found[1])], text)

    def hide(self, text: str) -> str:
        """A text to show: without the strings."""
        return self._pattern.sub("(a value)", text)


def flow(value: Any, strings: Strings, counter: meter.Meter) -> str:
    """A JSON value as YAML text on one line.

    :raises TypeError: if it is no JSON value
    """
    counter.charge()
    if isinstance(value, str):
        counter.printed(len(value))
        return f'"{strings.token(str(value))}"'
    if isinstance(value, dict):
        members = (
            f"{flow(str(name), strings, counter)}: {flow(each, strings, counter)}" for name, each in value.items()
        )
        return "{" + ", ".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(each, strings, counter) for each in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A number, a boolean or null as YAML text.

    :raises TypeError: if it is none of them
    """
    if isinstance(value, float) and math.isfinite(value):
        text = json.dumps(value)
        return text if "." in text else text.replace("e", ".0e")  # 1e+22 is a string to YAML
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's, where it is there
    """Reads YAML as Heat does: what looks like a date stays text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: Any) -> None:
        """Merge ``<<``; merges of merges must not multiply."""
        super().flatten_mapping(node)
        if len(node.value) > _MAX_PAIRS:
            raise NotADocument(f"an object has more than {_MAX_PAIRS} members")


def read(text: str, strings: Strings, counter: meter.Meter) -> Any:
    """Read a rendered text.

    :returns: a JSON value; None for an empty text
    :raises NotADocument: if it is no YAML, or holds what JSON can't say
    """
    try:
        _check_depth(text)
        return _restored(_load(text), strings, counter)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1} of it: " if error.problem_mark else ""
        raise NotADocument(f"what it renders to is not YAML: {line}{strings.hide(str(error.problem))}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise NotADocument(f"what it renders to is not YAML ({type(error).__name__})") from None


def _load(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > _MAX_DEPTH:
                raise NotADocument(f"what it renders to has more than {_MAX_DEPTH} levels")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _restored(value: Any, strings: Strings, counter: meter.Meter) -> Any:
    counter.charge()
    if isinstance(value, str):
        return strings.restore(value)
    if isinstance(value, dict):
        return {_key(name, strings): _restored(member, strings, counter) for name, member in value.items()}
    if isinstance(value, list):
        return [_restored(member, strings, counter) for member in value]
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise NotADocument(f"what it renders to holds a {type(value).__name__}, which is not JSON")


def _key(name: Any, strings: Strings) -> str:
    """A member's name; JSON has strings only."""
    if isinstance(name, str):
        return strings.restore(name)
    if name is None or isinstance(name, (bool, int, float)):
        return json.dumps(name)
    raise NotADocument(f"what it renders to has a {type(name).__name__} for a member's name")
