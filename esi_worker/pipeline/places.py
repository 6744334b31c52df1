"""Where resources stand, for those who do not read ``/config``.

Most types have a prefix, and then the catalog alone tells.  The documents of the others are found under any prefix: the
job manager, who sees them, writes down where a resource stands in the same transaction as its jobs, so that whoever
sees a job can look it up.  Where nothing is written down, it is where the catalog would put it.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class Places:
    """Looks up where resources stand; nothing is kept, for a resource may come back elsewhere.

    :param catalog: the resource types
    """

    def __init__(self, store: base.Store, catalog: catalogs.Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def path(self, ref: api.Ref) -> keys.Path:
        """Where a resource stands.

        :raises CatalogError: if its type is unknown
        :raises DocumentError: if its id is refused
        :raises StoreError: if etcd can't be asked
        """
        return self.paths([ref])[ref]

    def paths(self, refs: Collection[api.Ref]) -> Mapping[api.Ref, keys.Path]:
        """The same of several resources: no question to etcd if the catalog tells, else one."""
        doubtful = [ref for ref in dict.fromkeys(refs) if not self._catalog.tells(ref.resource_type)]
        found: dict[api.Ref, keys.Path] = {}
        if doubtful:
            answer = self._store.transact([], [base.Get(keys.place(ref)) for ref in doubtful])
            for ref, entry in zip(doubtful, answer.entries, strict=True):
                path = None if entry is None else _parse(entry)
                if path is not None:
                    found[ref] = path
        return {ref: found.get(ref) or self._catalog.path(ref) for ref in refs}


def to_write(catalog: catalogs.Catalog, ref: api.Ref, path: keys.Path) -> tuple[base.Operation, ...]:
    """What has to be written down so that everybody finds a resource; nothing where the catalog is enough."""
    if catalog.tells(ref.resource_type) or _usual(catalog, ref) == path:
        return ()
    return (base.Put(keys.place(ref), codec.encode(str(path))),)


def to_forget(catalog: catalogs.Catalog, path: keys.Path) -> tuple[base.Operation, ...]:
    """The opposite; what was never written down may be removed, too."""
    resource_type = catalog.type_of_path(path)
    if resource_type is None or catalog.tells(resource_type.id):
        return ()
    return (base.Delete(keys.place(api.Ref(resource_type.id, path.id))),)


def _usual(catalog: catalogs.Catalog, ref: api.Ref) -> keys.Path | None:
    try:
        return catalog.path(ref)
    except api.CatalogError:
        return None


def _parse(entry: base.Entry) -> keys.Path | None:
    try:
        return keys.parse_path(str(codec.decode(entry.value)))
    except api.DocumentError as error:
        LOG.error("%s is nothing that esi-worker wrote, it is left aside: %s", entry.key, error)
        return None
