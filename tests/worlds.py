"""Reads files of resources, and stands for the cache that an evaluation sees."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

import yaml

from esi_worker import api
from tests import builtin


class World:
    """Resources, with the relations of the built-in catalog.

    :ivar resources: what is there; tests take things away and change them
    :ivar order: the order in which they were written down
    """

    def __init__(self, resources: Iterable[api.Resource]) -> None:
        self.resources = {each.ref: each for each in resources}
        self.order = list(self.resources.values())

    def get(self, ref: api.Ref) -> api.Resource | None:
        """The resource; None where it isn't there."""
        return self.resources.get(ref)

    def relation(self, resource_type: str, field: str) -> str | None:
        """The type that a field refers to."""
        return builtin.catalog().relation(resource_type, field)

    def only(self, resource_type: str) -> api.Resource:
        """The only resource of a type."""
        [found] = [each for ref, each in self.resources.items() if ref.resource_type == resource_type]
        return found


def read(path: pathlib.Path) -> World:
    """Read a file of resources, or all files of a directory in the order of their names."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    documents = [document for each in files for document in yaml.safe_load_all(each.read_text()) if document]
    return World(api.Resource(api.Ref(each["type"], each["id"]), each["body"]) for each in documents)
