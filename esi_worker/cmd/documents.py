"""Reads the resource files that an operator writes: YAML or JSON, several documents to a file.

A document is ``{type, id, body}``, or a list of such; ``id`` may be left out where the body has one.  A bad document
is named by file and place and does not keep the others from being read.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import TextIO

import yaml

from esi_worker import api
from esi_worker.store import codec
from esi_worker.store import keys

SUFFIXES: Final = (".yaml", ".yml", ".json")
_SEPARATOR: Final = re.compile(r"---(\s|$)")
_MEMBERS: Final = frozenset({"type", "id", "body"})


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """One resource as a file describes it.

    :ivar place: file, line and number of the document, for messages
    """

    place: str
    ref: api.Ref
    body: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Bad:
    """A document that can't be used."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def files(argument: str) -> list[pathlib.Path]:
    """The files that an argument names: itself, or those in the directory and below it, in the order of their names.

    :raises ConfigError: if there is no such file, or none in the directory
    """
    path = pathlib.Path(argument)
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
        if not found:
            raise api.ConfigError(f"{argument}: no {', '.join(SUFFIXES)} file in this directory")
        return found
    if not path.is_file():
        raise api.ConfigError(f"{argument}: no such file or directory")
    return [path]


def read(arguments: Iterable[str], stdin: TextIO) -> Iterator[Document | Bad]:
    """Read all documents of files and directories; ``-`` is standard input.

    :raises ConfigError: if a file can't be read
    """
    for argument in arguments:
        if argument == "-":
            yield from parse(stdin.read(), "standard input")
            continue
        for path in files(argument):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise api.ConfigError(f"{path}: {error}") from error
            yield from parse(text, str(path))


def parse(text: str, source: str) -> Iterator[Document | Bad]:
    """Read all documents of a text.

    :param source: the name that messages give it
    """
    values = _json(text)
    for number, (line, value) in enumerate(_yaml(text) if values is None else values, 1):
        place = f"{source}: line {line}, document {number}"
        if isinstance(value, _Unreadable):
            yield Bad(place, value.reason)
        elif isinstance(value, list):
            for index, item in enumerate(value, 1):
                yield _check(item, f"{place}, item {index}")
        else:
            yield _check(value, place)


@dataclasses.dataclass(frozen=True, slots=True)
class _Unreadable:
    reason: str


def _json(text: str) -> list[tuple[int, Any]] | None:
    """Line and value of each document, one after another; None if this is not JSON."""
    decoder = json.JSONDecoder()
    found = []
    position = len(text) - len(text.lstrip())
    if text[position : position + 1] not in ("{", "["):
        return None
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return None
        found.append((text.count("\n", 0, position) + 1, value))
        position = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def _yaml(text: str) -> Iterator[tuple[int, Any]]:
    """Line and value of each document; cut apart first, so that a bad one does not take the rest with it."""
    for start, chunk in _chunks(text):
        try:
            value = yaml.safe_load(chunk)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = start + mark.line if mark else start
            yield line, _Unreadable(f"not YAML: {error.problem}")
            continue
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            yield start, _Unreadable(f"not YAML: {error}")
            continue
        if value is not None:
            yield start, value


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """First line and text of each document.  A line that begins with ``---`` is a separator wherever it stands."""
    start, lines = 1, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if _SEPARATOR.match(line):
            yield start, "".join(lines)
            start, lines = number, [line[3:]]
        else:
            lines.append(line)
    yield start, "".join(lines)


def _check(value: Any, place: str) -> Document | Bad:
    if not isinstance(value, dict):
        return Bad(place, f"a document is an object with type, id and body, not {type(value).__name__}")
    unknown = sorted(str(name) for name in value.keys() - _MEMBERS)
    if unknown:
        return Bad(place, f"unknown member {unknown[0]!r}: a document has type, id and body")
    resource_type, body = value.get("type"), value.get("body")
    if not isinstance(resource_type, str) or not resource_type:
        return Bad(place, "'type' is missing or no text")
    if not isinstance(body, dict):
        return Bad(place, "'body' is missing or no object")
    resource_id = value.get("id", body.get("id"))
    if not isinstance(resource_id, str):
        return Bad(place, "'id' is missing or no text (a number must be put in quotes)")
    if body.get("id", resource_id) != resource_id:
        return Bad(place, f"the id {resource_id!r} and the body's id {body['id']!r} differ")
    body = {**body, "id": resource_id}
    try:
        keys.check_id(resource_id)
        codec.text(body)
    except api.DocumentError as error:
        return Bad(place, str(error))
    return Document(place, api.Ref(resource_type, resource_id), body)
