"""A catalog that is written down, as JSON or YAML.

Two forms, which may stand side by side.  Tables::

    relations:
      port: {network_id: network}
    templates:
      heat_worker:
        port: Cport

and descriptions, for what the tables can't say::

    types:
      - id: tenant
        plural: tenants
        prefix: common/v1.0
        relations: {}
        templates: {}
        two_step_deletion: false

A plural that isn't given is derived from the id.  A type without a prefix is found under any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from esi_worker import api
from esi_worker.mapping import grammar

_MEMBERS = frozenset({"id", "plural", "prefix", "relations", "templates", "two_step_deletion"})


def read(document: api.JSON) -> tuple[list[api.ResourceType], list[str]]:
    """Read a catalog.

    :param document: the document, or its text
    :returns: the types, and the ids of those without a prefix
    :raises CatalogError: naming what in it can't be used
    """
    if isinstance(document, (str, bytes)):
        try:
            document = yaml.safe_load(document)
        except (yaml.YAMLError, RecursionError) as error:
            raise api.CatalogError(f"the catalog is not YAML: {error}") from error
    catalog = _object(document, "the catalog")
    for member in catalog:
        if member not in ("relations", "templates", "types"):
            raise api.CatalogError(f"the catalog has the unknown member {member!r}")
    members = _from_tables(catalog)
    loose = set(members)
    for each in _list(catalog.get("types"), "'types'"):
        described = _described(each)
        name = described["id"]
        if "plural" in members.get(name, {}):
            raise api.CatalogError(f"the catalog describes the type {name!r} twice")
        loose |= {name} if "prefix" not in described else set()
        loose -= {name} if "prefix" in described else set()
        known = members.setdefault(name, {"id": name, "relations": {}, "templates": {}})
        known["relations"] |= described.pop("relations", {})
        known["templates"] |= described.pop("templates", {})
        known |= {"plural": plural(name)} | described
    types = [api.ResourceType(**{"plural": plural(name), **each}) for name, each in members.items()]
    return types, sorted(loose)


def _from_tables(catalog: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    members: dict[str, dict[str, Any]] = {}

    def of(name: str) -> dict[str, Any]:
        return members.setdefault(name, {"id": name, "relations": {}, "templates": {}})

    for name, relations in _object(catalog.get("relations"), "'relations'").items():
        of(_text(name, "a type"))["relations"] |= _relations(relations, f"'relations' of {name!r}")
    for handler, choices in _object(catalog.get("templates"), "'templates'").items():
        for name, choice in _object(choices, f"'templates' of {handler!r}").items():
            of(_text(name, "a type"))["templates"] |= _templates({handler: choice}, name)
    return members


def _described(description: Any) -> dict[str, Any]:
    members = dict(_object(description, "an element of 'types'"))
    name = _text(members.get("id"), "the 'id' of an element of 'types'")
    for member in members:
        if member not in _MEMBERS:
            raise api.CatalogError(f"the type {name!r} has the unknown member {member!r}")
    for member in ("plural", "prefix"):
        if member in members:
            _text(members[member], f"{member!r} of the type {name!r}")
    if not isinstance(members.get("two_step_deletion", True), bool):
        raise api.CatalogError(f"'two_step_deletion' of the type {name!r} is no boolean")
    members["relations"] = _relations(members.get("relations"), f"'relations' of the type {name!r}")
    members["templates"] = _templates(members.get("templates"), name)
    return members


def _relations(value: Any, what: str) -> dict[str, str]:
    relations = _object(value, what)
    return {_text(field, what): _text(target, what) for field, target in relations.items()}


def _templates(value: Any, name: str) -> dict[str, Any]:
    choices = _object(value, f"'templates' of the type {name!r}")
    for handler, choice in choices.items():
        try:
            if choice is not None:
                grammar.parse(choice)
        except grammar.Invalid as error:
            raise api.CatalogError(f"the template of {handler} for {name!r}: {error}") from None
    return {_text(handler, "a handler"): choice for handler, choice in choices.items() if choice is not None}


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise api.CatalogError(f"{what} is {grammar.kind(value)}, not an object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise api.CatalogError(f"{what} is {grammar.kind(value)}, not a list")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise api.CatalogError(f"{what} is {grammar.kind(value)}, not a name")
    return value


def plural(name: str) -> str:
    """The plural of a type's id: ports, reserve_addresses, policies."""
    if name.endswith("y") and name[-2:-1] not in set("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "z", "ch", "sh")) else f"{name}s"


def singular(name: str) -> str:
    """The id of a type whose plural this is: the other way round, as far as it can be told."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if name.endswith(("sses", "xes", "zes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
