"""The catalog: all resource types that this deployment knows, by id and by place in etcd."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from esi_worker import api
from esi_worker.mapping import evaluation
from esi_worker.pipeline import catalog_document
from esi_worker.store import keys

DEFAULT_PREFIX: Final = "v2.0"


class Catalog:
    """Resource types, checked against each other.

    A type that others' relations refer to and that nobody describes exists all the same, without templates: its
    documents are read and published as READ_COMPLETE.

    :param types: the descriptions
    :param any_prefix: ids of types that are found under any prefix
    :param open_world: whether an unknown plural makes a type of its own, named by its singular
    :ivar types: id -> description, without those that are only referred to
    :raises CatalogError: naming both types if two have one id, or one prefix and plural
    """

    def __init__(
        self, types: Iterable[api.ResourceType], *, any_prefix: Iterable[str] = (), open_world: bool = False
    ) -> None:
        described: dict[str, api.ResourceType] = {}
        self._by_place: dict[tuple[str, str], api.ResourceType] = {}
        for each in types:
            if each.id in described:
                raise api.CatalogError(
                    f"two resource types have the id {each.id!r}: {_place(described[each.id])} and {_place(each)}"
                )
            described[each.id] = each
            self._place(each)
        self.types: Mapping[str, api.ResourceType] = MappingProxyType(described)
        self._all = dict(described)
        self._add_referred()
        anywhere = [*any_prefix, *(each for each in self._all if each not in described)]
        self._loose = {self._all[each].plural: self._all[each] for each in anywhere}
        self._told = self._all.keys() - set(anywhere)
        self._open = open_world
        self._made: set[str] = set()

    @classmethod
    def from_document(cls, document: api.JSON, *, open: bool = False) -> Catalog:  # noqa: A002
        """Read a catalog that is written down: see :mod:`esi_worker.pipeline.catalog_document`.

        :param document: the document, or its text (YAML or JSON)
        :param open: whether an unknown plural makes a type of its own; for dry runs on whatever there is
        :raises CatalogError: naming what in it can't be used
        """
        types, any_prefix = catalog_document.read(document)
        return cls(types, any_prefix=any_prefix, open_world=open)

    def at(self, prefix: str, plural: str) -> api.ResourceType | None:
        """The type whose documents are under a prefix and a plural; None where there is none."""
        return self._by_place.get((prefix, plural)) or self._loose.get(plural)

    def type_of_path(self, path: keys.Path) -> api.ResourceType | None:
        """The type of the resource at a path; None where the catalog has none."""
        found = self.at(path.prefix, path.plural)
        if found is None and self._open:
            found = self._make(path)
        return found

    def tells(self, resource_type: str) -> bool:
        """Whether this catalog alone tells where the resources of a type stand."""
        return resource_type in self._told

    def path(self, ref: api.Ref) -> keys.Path:
        """Where a resource stands, its prefix being the usual one where the catalog says none (see :meth:`tells`).

        :raises CatalogError: if its type is unknown, or was made for a plural that no type has
        :raises DocumentError: if its id is refused
        """
        found = self._all.get(ref.resource_type)
        if found is None or found.id in self._made:
            raise api.CatalogError(f"unknown resource type {ref.resource_type!r} of {ref}")
        return keys.Path(found.prefix, found.plural, ref.resource_id)

    def relation(self, resource_type: str, field: str) -> str | None:
        """The type that a field of a type refers to; None where it is no relation."""
        found = self._all.get(resource_type)
        return found.relations.get(field) if found else None

    def handlers(self, resource_type: str) -> tuple[str, ...]:
        """The handlers that a type may have jobs of; none for an unknown type."""
        found = self._all.get(resource_type)
        return tuple(sorted(found.templates)) if found else ()

    def template_id(
        self, resource: api.Resource, handler: str, resolvers: Mapping[str, api.Resolver] = MappingProxyType({})
    ) -> str | None:
        """The id of the template that a handler's jobs of a resource use.

        :param resource: the choice is made by its own body; other resources can't be seen
        :param handler: the handler's name
        :param resolvers: the installed resolver plug-ins
        :returns: None where the resource gets no job of this handler
        :raises PermanentError: naming the type and the handler if the choice can't be evaluated
        """
        found = self._all.get(resource.ref.resource_type)
        choice = found.templates.get(handler) if found else None
        if choice is None:
            return None
        name = f"template of {handler} for {resource.ref.resource_type}"
        param = evaluation.evaluate(name, choice, resource, _Alone(self), resolvers)
        if param.value is None or param.value == "":
            return None
        if param.type != api.VALUE or not isinstance(param.value, str):
            raise evaluation.MappingError(name, "the choice gives no string")
        return param.value

    def _place(self, resource_type: api.ResourceType) -> None:
        place = (resource_type.prefix, resource_type.plural)
        if place in self._by_place:
            raise api.CatalogError(
                f"two resource types stand under {'/'.join(place)}: {self._by_place[place].id!r} and "
                f"{resource_type.id!r}"
            )
        self._by_place[place] = resource_type

    def _add_referred(self) -> None:
        """Add the types that relations refer to and nobody describes."""
        referred = {target for each in self.types.values() for target in each.relations.values()}
        for target in sorted(referred - self._all.keys()):
            made = api.ResourceType(target, catalog_document.plural(target), DEFAULT_PREFIX)
            self._all[target] = made
            self._by_place.setdefault((made.prefix, made.plural), made)

    def _make(self, path: keys.Path) -> api.ResourceType:
        """A type for a plural that the catalog does not know."""
        name = catalog_document.singular(path.plural)
        made = api.ResourceType(path.plural if name in self._all else name, path.plural, path.prefix)
        self._all[made.id] = self._loose[path.plural] = made
        self._made.add(made.id)
        return made


class _Alone:
    """The world of a template choice: relations are known, other resources are not."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def get(self, ref: api.Ref) -> api.Resource | None:
        """Nothing is there."""
        return None

    def relation(self, resource_type: str, field: str) -> str | None:
        """The type that a field of a type refers to."""
        return self._catalog.relation(resource_type, field)


def _place(resource_type: api.ResourceType) -> str:
    return f"{resource_type.prefix}/{resource_type.plural}"
