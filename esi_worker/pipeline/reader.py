"""Reads ``/config``: which resource or template a key is of, and what its document says.  No I/O of its own."""

from __future__ import annotations

import dataclasses

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import documents
from esi_worker.pipeline import templates
from esi_worker.store import codec
from esi_worker.store import keys


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateRead:
    """A template was stored, or removed (then ``template`` is None)."""

    template_id: str
    template: api.Template | None


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceRead:
    """A config document was written.

    :ivar ref: the resource; None where its type is unknown, and then the envelope has an error
    :ivar seen_at: milliseconds since the epoch when this process saw it
    """

    path: keys.Path
    ref: api.Ref | None
    envelope: documents.Envelope
    mod_revision: int = 0
    seen_at: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceGone:
    """A config document was removed."""

    path: keys.Path
    ref: api.Ref | None


Read = TemplateRead | ResourceRead | ResourceGone


class Reader:
    """Turns entries under ``/config`` into what they mean.

    :param catalog: the resource types
    """

    def __init__(self, catalog: catalogs.Catalog) -> None:
        self._catalog = catalog

    def put(self, key: str, value: bytes, *, mod_revision: int = 0, seen_at: int = 0) -> Read:
        """A key was written.

        :raises DocumentError: if it can't be told which resource it is, or of which version
        """
        if key.startswith(keys.HEAT_TEMPLATES):
            return self._template(key, value)
        path = self._path(key)
        envelope = documents.parse_config(value)
        resource_type = self._catalog.type_of_path(path)
        if resource_type is None:
            unknown = f"unknown resource type: the catalog has no {path.prefix}/{path.plural}"
            envelope = dataclasses.replace(envelope, body=None, error=unknown)
            return ResourceRead(path, None, envelope, mod_revision, seen_at)
        return ResourceRead(path, api.Ref(resource_type.id, path.id), envelope, mod_revision, seen_at)

    def gone(self, key: str) -> Read:
        """A key was removed.

        :raises DocumentError: if it can't be told which resource it was
        """
        if key.startswith(keys.HEAT_TEMPLATES):
            return TemplateRead(key.removeprefix(keys.HEAT_TEMPLATES), None)
        path = self._path(key)
        resource_type = self._catalog.type_of_path(path)
        return ResourceGone(path, api.Ref(resource_type.id, path.id) if resource_type else None)

    def _path(self, key: str) -> keys.Path:
        path = keys.parse_path(key.removeprefix(keys.CONFIG))
        parts = f"{path.prefix}/{path.plural}".split("/")
        for place in range(1, len(parts) - 1):
            if self._catalog.at("/".join(parts[:place]), parts[place]):
                resource_id = "/".join([*parts[place + 1 :], path.id])
                keys.check_id(resource_id)  # it has a slash, so this names it and refuses it
        return path

    def _template(self, key: str, value: bytes) -> TemplateRead:
        template_id = keys.check_id(key.removeprefix(keys.HEAT_TEMPLATES))
        document = codec.decode(value)
        if not isinstance(document, dict) or "body" not in document:
            raise api.DocumentError(f"template {template_id}: it is no config document: it has no body")
        return TemplateRead(template_id, templates.parse_document(template_id, document["body"]))
