"""A catalog from Gohan's schemas: what its API lists, or what is written in its schema files.

``{"schemas": [...]}`` or the bare list; of each schema these members count:

==================================  ==========================================================================
``id``, ``plural``, ``prefix``      of the resource type; ``/v2.0`` is the prefix ``v2.0``
``parent``                          makes ``<parent>_id`` a relation to it
``schema.properties``               a property with ``relation`` is a relation to that type; top level only
``metadata.state_versioning``       where it isn't true Gohan writes no versions: such a schema is left out
``metadata.template_path``          handler -> the template choice; a string alone is the choice of heat_worker
``metadata.two_step_deletion``      true if it isn't given
==================================  ==========================================================================

A template choice is a mapping.  A string that is no compact mapping, but could be a template's id, is that id:
``network`` is ``Cnetwork``.  (An id that begins with one of the letters C, P, O, F, M, V, A has to be written as
``C<id>``.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.mapping import grammar
from esi_worker.store import keys

_HEAT: Final = "heat_worker"


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """What Gohan's schemas say.

    :ivar catalog: in the form of :mod:`esi_worker.pipeline.catalog_document`
    :ivar left_out: ids of the schemas that Gohan writes no versions for
    """

    catalog: dict[str, Any]
    left_out: tuple[str, ...]


def read(document: api.JSON) -> Imported:
    """Read a list of schemas.

    :param document: ``{"schemas": [...]}``, or the list
    :raises CatalogError: naming the schema and what in it can't be used
    """
    schemas = document.get("schemas") if isinstance(document, Mapping) else document
    if not isinstance(schemas, list):
        raise api.CatalogError(f"Gohan's schemas are a list, or an object with 'schemas'; this is {_kind(document)}")
    types: dict[str, dict[str, Any]] = {}
    left_out = []
    for place, each in enumerate(schemas):
        schema = _Schema(each, place)
        if not schema.flag("state_versioning", default=False):
            left_out.append(schema.id)
        elif schema.id in types:
            raise api.CatalogError(f"{schema}: there are two of this id")
        else:
            types[schema.id] = schema.resource_type()
    return Imported({"types": list(types.values())}, tuple(left_out))


class _Schema:
    """One schema.

    :raises CatalogError: if it has no id
    """

    def __init__(self, schema: api.JSON, place: int) -> None:
        if not isinstance(schema, Mapping) or not isinstance(schema.get("id"), str) or not schema["id"]:
            raise api.CatalogError(f"element {place + 1} of Gohan's schemas is no object with an 'id'")
        self._schema = schema
        self.id: str = schema["id"]
        self._metadata = self._object(schema.get("metadata"), "metadata")

    def __str__(self) -> str:
        return f"Gohan's schema {self.id!r}"

    def resource_type(self) -> dict[str, Any]:
        """An element of a catalog's ``types``."""
        prefix = self._text(self._schema.get("prefix"), "prefix").strip("/")
        if not prefix:
            raise self._error("its prefix is empty: resources without one have no place in etcd")
        return {
            "id": self.id,
            "plural": self._text(self._schema.get("plural"), "plural"),
            "prefix": prefix,
            "relations": self._relations(),
            "templates": self._templates(),
            "two_step_deletion": self.flag("two_step_deletion", default=True),
        }

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean of its metadata."""
        value = self._metadata.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._error(f"metadata.{name} is {grammar.kind(value)}, not a boolean")
        return value

    def _relations(self) -> dict[str, str]:
        relations = {}
        parent = self._schema.get("parent")
        if parent not in (None, ""):
            relations[f"{self._text(parent, 'parent')}_id"] = parent
        schema = self._object(self._schema.get("schema"), "schema")
        for field, described in self._object(schema.get("properties"), "schema.properties").items():
            where = f"schema.properties.{field}"
            target = self._object(described, where).get("relation")
            if target not in (None, ""):
                relations[str(field)] = self._text(target, f"{where}.relation")
        return relations

    def _templates(self) -> dict[str, Any]:
        found = self._metadata.get("template_path")
        if found in (None, ""):
            return {}
        if isinstance(found, str):
            found = {_HEAT: found}
        if not isinstance(found, Mapping):
            raise self._error(f"metadata.template_path is {grammar.kind(found)}, not a template or an object of them")
        return {str(handler): self._choice(str(handler), each) for handler, each in found.items() if each is not None}

    def _choice(self, handler: str, choice: api.JSON) -> api.JSON:
        try:
            grammar.parse(choice)
        except grammar.Invalid as error:
            if isinstance(choice, str) and keys.ID_PATTERN.fullmatch(choice):
                return f"C{choice}"
            raise self._error(
                f"metadata.template_path has for {handler} neither a mapping nor a template's id: {error}"
            ) from None
        return choice

    def _text(self, value: api.JSON, what: str) -> str:
        if not isinstance(value, str) or not value:
            raise self._error(f"{what} is {_kind(value)}, not a name")
        return value

    def _object(self, value: api.JSON, what: str) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._error(f"{what} is {grammar.kind(value)}, not an object")
        return value

    def _error(self, text: str) -> api.CatalogError:
        return api.CatalogError(f"{self}: {text}")


def _kind(value: api.JSON) -> str:
    return "empty" if value == "" else grammar.kind(value)
