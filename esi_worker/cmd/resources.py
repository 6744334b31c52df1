"""What etcd holds of resources, read for showing; and the two changes that an operator makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import documents
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

CREATED: Final = "created"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
MARKED: Final = "marked for deletion"
REMOVED: Final = "removed"

_TRIES: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """One resource: what is wanted, and what came of it.

    :ivar resource_type: its type; its plural where the catalog doesn't know it
    :ivar version: of the config document; None where there is none
    :ivar state: ``worker_state``; empty before the first
    :ivar error: of ``/state``, or what is wrong with the config document
    """

    path: keys.Path
    resource_type: str
    name: str = ""
    version: int | None = None
    marked: bool = False
    state: str = ""
    state_version: int | None = None
    error: str = ""

    @property
    def ref(self) -> api.Ref:
        """Its type and id."""
        return api.Ref(self.resource_type, self.path.id)

    @property
    def settled(self) -> bool:
        """Whether ``/state`` speaks of the version that is wanted."""
        return self.state_version is not None and self.state_version >= (self.version or 0)

    @property
    def failed(self) -> bool:
        """Whether the wanted version has failed."""
        return self.settled and (bool(self.error) or self.state.endswith("_FAILED"))

    @property
    def done(self) -> bool:
        """Whether the wanted version is there."""
        return self.settled and not self.failed

    @property
    def deleted(self) -> bool:
        """Whether it is taken down, as was asked."""
        return self.version is None or (self.marked and self.done)


def status(catalog: catalogs.Catalog, path: keys.Path, config: bytes | None, state: bytes | None) -> Status:
    """Put together what the two documents say; one that can't be read is told in ``error``."""
    description = catalog.type_of_path(path)
    found = Status(path, description.id if description else path.plural)
    if config is not None:
        try:
            envelope = documents.parse_config(config)
        except api.DocumentError as error:
            found = dataclasses.replace(found, error=str(error))
        else:
            name = str((envelope.body or {}).get("name") or "")
            found = dataclasses.replace(
                found, name=name, version=envelope.version, marked=envelope.marked, error=envelope.error
            )
    published = state_document(state)
    if published is None:
        return found
    return dataclasses.replace(
        found,
        state=str(published["state"].get("worker_state", "")),
        state_version=published["version"],
        error=str(published.get("error") or "") or found.error,
    )


def state_document(data: bytes | None) -> Mapping[str, Any] | None:
    """``/state``, checked as far as it is read here; None where it can't be used."""
    try:
        document = codec.decode(data or b"null")
    except api.DocumentError:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("version"), int):
        return None
    return document if isinstance(document.get("state"), dict) else None


def read(store: base.Store, catalog: catalogs.Catalog, path: keys.Path) -> Status:
    """One resource as of now."""
    outcome = store.transact([], [base.Get(path.config), base.Get(path.state)])
    config, state = (entry.value if entry else None for entry in outcome.entries)
    return status(catalog, path, config, state)


def read_all(store: base.Store, catalog: catalogs.Catalog, within: str = "") -> Iterator[Status]:
    """All resources, or those of one type, in the order of their config documents' creation.

    :param within: ``<prefix>/<plural>/``
    """
    states = {entry.key.removeprefix(keys.STATE): entry.value for entry in store.list(keys.STATE + within).entries}
    listed = sorted(store.list(keys.CONFIG + within).entries, key=lambda entry: entry.create_revision)
    for entry in listed:
        if entry.key.startswith(keys.HEAT_TEMPLATES):
            continue
        try:
            path = keys.parse_path(entry.key.removeprefix(keys.CONFIG))
        except api.DocumentError:
            continue  # a key that no resource can have: there is nothing to tell of it
        yield status(catalog, path, entry.value, states.pop(str(path), None))
    for text, value in sorted(states.items()):
        yield status(catalog, keys.parse_path(text), None, value)


def put(store: base.Store, path: keys.Path, body: Mapping[str, Any]) -> tuple[str, int]:
    """Ask for a resource to be as described; a body that is there already is left.

    :returns: what was done, and the version
    :raises DocumentError: if the document in etcd can't be read, or is marked for deletion
    :raises Conflict: if somebody else keeps changing it
    """
    for _ in range(_TRIES):
        config, recorded, state = _before(store, path)
        versions = [each["version"] for each in (recorded, state) if each is not None]
        if config is not None:
            envelope = documents.parse_config(config.value)
            if envelope.marked:
                raise api.DocumentError("it is marked for deletion: purge it first (esictl delete --purge)")
            if envelope.body is not None and codec.text(envelope.body) == codec.text(body):
                return UNCHANGED, envelope.version
            versions.append(envelope.version)
        version = max(versions, default=0) + 1
        if _write(store, path.config, config, _document(body, version, marked=False)):
            return (CHANGED if config else CREATED), version
    raise api.Conflict("somebody else keeps changing it")


def mark(store: base.Store, path: keys.Path) -> tuple[str, int]:
    """Ask for a resource to be taken down; one that is marked already is left.

    :returns: what was done, and the version
    :raises DocumentError: if there is no such resource
    :raises Conflict: if somebody else keeps changing it
    """
    for _ in range(_TRIES):
        config = store.get(path.config)
        if config is None:
            raise api.DocumentError(f"there is no {path.config}")
        envelope = documents.parse_config(config.value)
        if envelope.marked:
            return UNCHANGED, envelope.version
        version = envelope.version + 1
        if _write(store, path.config, config, _document(envelope.body or {}, version, marked=True)):
            return MARKED, version
    raise api.Conflict("somebody else keeps changing it")


def purge(store: base.Store, path: keys.Path) -> bool:
    """Remove config and state of a resource that is taken down, as Gohan does.

    :returns: whether there was anything to remove
    :raises Conflict: if somebody changed it meanwhile
    """
    outcome = store.transact([], [base.Get(path.config), base.Get(path.state)])
    found = [entry for entry in outcome.entries if entry is not None]
    compares = [base.unchanged(entry.key, entry.mod_revision) for entry in found]
    if not found:
        return False
    if not store.transact(compares, [base.Delete(entry.key) for entry in found]).succeeded:
        raise api.Conflict(f"{path.config} was changed meanwhile")
    return True


def _before(
    store: base.Store, path: keys.Path
) -> tuple[base.Entry | None, Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The config document, what was planned last, and the state: a version must be above all three."""
    outcome = store.transact([], [base.Get(path.config), base.Get(path.recorded), base.Get(path.state)])
    config, recorded, state = outcome.entries
    planned = codec.decode(recorded.value) if recorded else None
    return config, planned, state_document(state.value if state else None)


def _document(body: Mapping[str, Any], version: int, *, marked: bool) -> bytes:
    return codec.encode({"body": body, "version": version, "marked_for_deletion": marked})


def _write(store: base.Store, key: str, before: base.Entry | None, value: bytes) -> bool:
    """Write if nobody did meanwhile; where the answer is lost the next look tells whether it was written."""
    revision = before.mod_revision if before else 0
    try:
        return store.transact([base.unchanged(key, revision)], [base.Put(key, value)]).succeeded
    except api.StoreError as error:
        if not error.unknown:
            raise
        now = store.get(key)
        return now is not None and now.value == value
