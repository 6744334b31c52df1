"""Which collector polls what: the live collectors share the devices out among them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import lease as leases
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class Share:
    """One collector's membership, and its part of the devices.

    :param name: of the collector; unique among them
    :param ttl: seconds until the others take over what a dead one polled
    :ivar fence: holds while this collector counts as alive; None while it doesn't
    """

    def __init__(self, store: base.Store, name: str, ttl: int) -> None:
        self._store = store
        self._name = name
        self._ttl = ttl
        self._lease: leases.Lease | None = None
        self._others: set[str] = set()
        self.fence: base.Compare | None = None

    def ensure(self, stop: threading.Event) -> bool:
        """:returns: whether this collector counts as alive, for which it may have to announce itself again."""
        if self._lease is not None and self._lease.alive:
            return True
        self.fence = None
        member = keys.collector(self._name)
        try:
            self._lease = leases.Lease(self._store, self._ttl, "collector")
            self._store.put(member, codec.encode({"name": self._name}), lease=self._lease.id)
            entry = self._store.get(member)
        except api.StoreError as error:
            LOG.warning("the collector waits for etcd: %s", error)
            self.close()
            stop.wait(1.0)
            return False
        if entry is not None:
            self.fence = base.created_at(member, entry.create_revision)
        return entry is not None

    def mine(self, targets: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether this collector is the one for the device that these targets stand on.

        Each collector and device have a number that all agree on; the highest takes it, so that a collector that
        comes or goes moves only its own part.
        """
        device = min((_device(properties) for properties in targets.values()), default="")
        names = self._others | {self._name}
        return max(names, key=lambda name: hashlib.sha256(f"{name} {device}".encode()).digest()) == self._name

    def listed(self, snapshot: base.Snapshot) -> None:
        """All live collectors."""
        self._others = set(_names(snapshot.entries))

    def changed(self, batch: base.Batch) -> None:
        """Collectors that came or went."""
        self._others |= set(_names(event.entry for event in batch.events if event.kind == base.PUT))
        self._others -= set(_names(event.entry for event in batch.events if event.kind == base.DELETE))

    def close(self) -> None:
        """Leave the rest to the others, at once."""
        if self._lease is not None:
            self._lease.close()
        self._lease = None


def _names(entries: Iterable[base.Entry]) -> list[str]:
    return [entry.key.removeprefix(keys.COLLECTORS) for entry in entries]


def _device(properties: Mapping[str, Any]) -> str:
    """What a target stands on, as far as its record tells."""
    for name in ("host", "device_ip", "ip", "etcd_id"):
        if name in properties:
            return str(properties[name])
    return ""
