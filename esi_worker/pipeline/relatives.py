"""What a job may look up of other resources while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import documents
from esi_worker.pipeline import places
from esi_worker.store import base
from esi_worker.store import codec

LOG = logging.getLogger(__name__)

CONFIG: Final = "config"


class Relatives:
    """Reads documents of resources of which only the names are known.

    :param catalog: says where they stand, as far as it can
    """

    def __init__(self, store: base.Store, catalog: catalogs.Catalog) -> None:
        self._store = store
        self._places = places.Places(store, catalog)

    def fetch(self, kind: str, ref: api.Ref) -> Mapping[str, Any] | None:
        """A document of a resource.

        :param kind: ``config`` gives its body, any other the record of that kind
        :returns: None where there is none, or one that can't be used
        :raises TemporaryError: if etcd can't be asked now
        """
        try:
            path = self._places.path(ref)
            entry = self._store.get(path.config if kind == CONFIG else path.record(kind))
            if entry is None:
                return None
            if kind == CONFIG:
                return documents.parse_config(entry.value).body
            document = codec.decode(entry.value)
        except api.StoreError as error:
            raise api.TemporaryError(f"{kind} of {ref} can't be read from etcd now", str(error)) from error
        except (api.DocumentError, api.CatalogError) as error:
            LOG.warning("%s of %s can't be read: %s", kind, ref, error)
            return None
        return document if isinstance(document, dict) else None
