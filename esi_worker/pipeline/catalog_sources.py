"""Where resource types come from, and what they are when more than one source speaks of them.

The sources, in this order: the entry points of installed packages, then the files that the configuration names.  What
a source says of a type is taken apart into statements (its plural, the target of one relation, the template choice of
one handler, ...).  The last one who speaks of a subject is believed; what others say of it and he doesn't contradict
stays.  So one file may bring the types and their relations, and another one their templates.  ``templates: {handler:
null}`` takes a handler's jobs away.

Two sources that say different things of one subject contradict each other: that is told with both places.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

import yaml

from esi_worker import api
from esi_worker.mapping import grammar
from esi_worker.mapping import values
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_document

_PLAIN: Final = ("plural", "prefix", "two_step_deletion")
_SUFFIXES: Final = (".yaml", ".yml", ".json")


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of one subject.

    :ivar resource_type: the type's id
    :ivar member: ``id`` (it exists), ``plural``, ``prefix``, ``two_step_deletion``, ``relations`` or ``templates``
    :ivar name: of the relation field or the handler; empty for the other members
    :ivar place: where it stands, for people
    """

    resource_type: str
    member: str
    name: str
    value: api.JSON
    place: str

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it speaks of."""
        return self.resource_type, self.member, self.name


@dataclasses.dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sources say different things of one subject; the later one is believed."""

    earlier: Statement
    later: Statement

    def __str__(self) -> str:
        subject = f"{self.later.member} {self.later.name}".strip()
        return (
            f"{subject} of {self.later.resource_type} is {_shown(self.earlier.value)} in {self.earlier.place} and "
            f"{_shown(self.later.value)} in {self.later.place}, which is believed"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    """What all sources together say.

    :ivar types: the types, in the order of their ids
    :ivar any_prefix: the ids of those whose prefix nobody says: they are found under any
    :ivar believed: subject -> who said what is believed of it
    :ivar places: type -> all places that speak of it
    """

    types: tuple[api.ResourceType, ...]
    any_prefix: tuple[str, ...]
    contradictions: tuple[Contradiction, ...]
    believed: Mapping[tuple[str, str, str], Statement]
    places: Mapping[str, tuple[str, ...]]

    def catalog(self, *, open_world: bool = False) -> catalogs.Catalog:
        """:raises CatalogError: if the types can't stand side by side."""
        return catalogs.Catalog(self.types, any_prefix=self.any_prefix, open_world=open_world)

    def place(self, resource_type: str, member: str, name: str = "") -> str:
        """Where it stands what is believed; where the type stands if nobody says it."""
        found = self.believed.get((resource_type, member, name))
        return found.place if found else ", ".join(self.places.get(resource_type, ()))


def installed(types: Mapping[str, api.ResourceType]) -> list[Statement]:
    """What installed packages say.

    :param types: entry point -> what it gives
    """
    found = []
    for name, each in sorted(types.items()):
        members = {member: getattr(each, member) for member in (*_PLAIN, "relations", "templates")}
        found += _statements({"id": each.id, **members}, f"entry point {name}")
    return found


def files(names: Iterable[str]) -> Iterator[pathlib.Path]:
    """The catalog files: those that are named, and the YAML and JSON files in directories that are.

    :raises CatalogError: naming a directory that can't be read
    """
    for name in names:
        path = pathlib.Path(name)
        if not path.is_dir():
            yield path
            continue
        try:
            members = sorted(path.iterdir())
        except OSError as error:
            raise api.CatalogError(f"the catalog directory {path} can't be read: {error}") from error
        yield from (each for each in members if each.suffix in _SUFFIXES and not each.name.startswith("."))


def read_file(path: pathlib.Path) -> list[Statement]:
    """What one file says.

    :raises CatalogError: naming the file and what in it can't be used
    """
    try:
        return read(parse(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError, api.CatalogError) as error:
        raise api.CatalogError(f"the catalog file {path} can't be used: {error}") from error


def parse(text: str) -> api.JSON:
    """Read JSON or YAML.  JSON first: YAML doesn't take all of it (tabs, for one).

    :raises CatalogError: if it is neither
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML may begin like that too
    try:
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise api.CatalogError(f"it is neither JSON nor YAML: {error}") from error


def read(document: api.JSON, place: str) -> list[Statement]:
    """What a catalog that is written down says: see :mod:`esi_worker.pipeline.catalog_document`.

    :param place: what it is called in messages
    :raises CatalogError: naming what in it can't be used
    """
    if isinstance(document, list) or (isinstance(document, Mapping) and "schemas" in document):
        raise api.CatalogError("it looks like a schema list of Gohan's: 'esictl catalog import' makes a catalog of it")
    if not isinstance(document, Mapping):
        raise api.CatalogError(f"a catalog is an object, this is {grammar.kind(document)}")
    catalog_document.read(document)  # what it accepts has the form that is relied on from here
    found: list[Statement] = []
    for name, relations in (document.get("relations") or {}).items():
        found += _statements({"id": name, "relations": relations}, f"{place} (relations)")
    for handler, choices in (document.get("templates") or {}).items():
        for name, choice in (choices or {}).items():
            found += _statements({"id": name, "templates": {handler: choice}}, f"{place} (templates)")
    for description in document.get("types") or []:
        found += _statements(description, place)
    return found


def merge(statements: Sequence[Statement]) -> Merged:
    """Believe the last one who speaks of a subject.

    :param statements: of all sources, in their order
    :raises CatalogError: naming both places of two types that would stand under the same keys
    """
    believed: dict[tuple[str, str, str], Statement] = {}
    contradictions = []
    places: dict[str, dict[str, None]] = {}
    for each in statements:
        places.setdefault(each.resource_type, {})[each.place] = None
        earlier = believed.get(each.subject)
        if earlier is not None and not _same(earlier, each):
            contradictions.append(Contradiction(earlier, each))
        believed[each.subject] = each
    members: dict[str, dict[str, Any]] = {name: {"relations": {}, "templates": {}} for name in sorted(places)}
    for each in believed.values():
        if each.member in _PLAIN:
            members[each.resource_type][each.member] = each.value
        elif each.member != "id" and each.value is not None:
            members[each.resource_type][each.member][each.name] = each.value
    loose = tuple(name for name, each in members.items() if "prefix" not in each)
    types = tuple(
        api.ResourceType(**{"id": name, "plural": catalog_document.plural(name), **each})
        for name, each in members.items()
    )
    merged = Merged(types, loose, tuple(contradictions), believed, {name: tuple(each) for name, each in places.items()})
    _check_keys(merged)
    return merged


def _statements(description: Mapping[str, Any], place: str) -> list[Statement]:
    name = description["id"]
    found = [Statement(name, "id", "", name, place)]
    found += [Statement(name, each, "", description[each], place) for each in _PLAIN if each in description]
    for member in ("relations", "templates"):
        each = description.get(member) or {}
        found += [Statement(name, member, key, value, place) for key, value in each.items()]
    return found


def _same(one: Statement, other: Statement) -> bool:
    """Whether both say the same; a mapping may be written in two ways."""
    if values.equal(one.value, other.value):
        return True
    if one.member != "templates":
        return False
    try:
        return grammar.parse(one.value) == grammar.parse(other.value)
    except grammar.Invalid:  # null, or what an installed package says: nobody has checked it
        return False


def _check_keys(merged: Merged) -> None:
    taken: dict[tuple[str, str], api.ResourceType] = {}
    for each in merged.types:
        other = taken.setdefault((each.prefix, each.plural), each)
        if other is not each:
            raise api.CatalogError(
                f"two resource types stand under {each.prefix}/{each.plural}: "
                f"{other.id!r} ({merged.place(other.id, 'plural')}) and {each.id!r} ({merged.place(each.id, 'plural')})"
            )


def _shown(value: api.JSON) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."
