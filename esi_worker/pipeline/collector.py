"""The collector: polls every registered target and writes what changed to ``/monitoring``.

Resources are shared out among the live collectors by the device that they stand on, so that one device is asked
by one collector.  A write hangs on the collector's own key and on the record of the targets: after the targets
were unregistered, or the collector was given up, nothing can be written any more.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import agenda
from esi_worker.pipeline import documents
from esi_worker.pipeline import inbox as inboxes
from esi_worker.pipeline import monitor as monitors
from esi_worker.pipeline import share
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_SHORTEST = 0.01
_SETTLE = 0.5
_SECRET_LIFETIME = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the configuration says.

    :ivar interval: seconds between two readings of a target
    """

    interval: float = 60.0
    lease_ttl: int = 15
    relist_interval: float = 300.0


@dataclasses.dataclass(eq=False)
class Watched:
    """A resource with registered targets.

    :ivar mod_revision: of the record: the fence
    :ivar asked_at: ``time.monotonic()`` of the last round of readings
    """

    path: keys.Path
    version: int
    targets: Mapping[str, Mapping[str, Any]]
    mod_revision: int
    published: Mapping[str, Any] | None = None
    asked_at: float = 0.0
    told: bool = False


class Collector:
    """Polls targets.

    :param fetch: ``fetch(ref)`` gives the body of a resource, to resolve secrets
    :param name: of this process; unique among the collectors
    """

    def __init__(
        self,
        store: base.Store,
        monitor: api.Monitor,
        fetch: Callable[[api.Ref], Mapping[str, Any] | None],
        options: Options,
        name: str,
    ) -> None:
        self._store = store
        self._monitor = monitor
        self._fetch = fetch
        self._options = options
        self._share = share.Share(store, name, options.lease_ttl)
        self._watched: dict[str, Watched] = {}
        self._secrets: dict[tuple[str, str, str], tuple[float, str]] = {}
        self._agenda: agenda.Agenda[Watched] = agenda.Agenda()

    def run(self, stop: threading.Event) -> None:
        """Poll until stop is set."""
        over = threading.Event()
        inbox = inboxes.Inbox(self._store, over, self._options.relist_interval)
        inbox.follow(keys.TARGETS, self._targets_listed, self._targets_changed)
        inbox.follow(keys.COLLECTORS, self._collectors_listed, self._collectors_changed)
        try:
            while not stop.is_set():
                if self._share.ensure(stop):
                    inbox.serve(self._agenda.pause(_SHORTEST, _SETTLE))
                    self._poll_due()
        finally:
            over.set()
            self._share.close()

    # -- shares --------------------------------------------------------------------------------------------------

    def _collectors_listed(self, snapshot: base.Snapshot) -> None:
        self._share.listed(snapshot)
        self._everything_is_due()

    def _collectors_changed(self, batch: base.Batch) -> None:
        self._share.changed(batch)
        self._everything_is_due()

    def _everything_is_due(self) -> None:
        """Who polls what has changed: look at all, taking up what another one has published."""
        published = self._list_published()
        self._agenda.clear()
        for key, watched in self._watched.items():
            watched.published = published.get(key)
            watched.asked_at = 0.0
            self._agenda.add(watched, 0.0)

    # -- targets -------------------------------------------------------------------------------------------------

    def _targets_listed(self, snapshot: base.Snapshot) -> None:
        published = self._list_published()
        present = {entry.key.removeprefix(keys.TARGETS) for entry in snapshot.entries}
        for key in self._watched.keys() - present:
            del self._watched[key]
        for entry in snapshot.entries:
            self._register(entry, published)

    def _targets_changed(self, batch: base.Batch) -> None:
        for event in batch.events:
            if event.kind == base.PUT:
                self._register(event.entry, {})
            else:
                self._watched.pop(event.entry.key.removeprefix(keys.TARGETS), None)

    def _register(self, entry: base.Entry, published: Mapping[str, Mapping[str, Any]]) -> None:
        key = entry.key.removeprefix(keys.TARGETS)
        known = self._watched.get(key)
        if known is not None and known.mod_revision == entry.mod_revision:
            return
        try:
            document = codec.decode(entry.value)
            path = keys.parse_path(key)
            watched = Watched(path, document["version"], document["targets"], entry.mod_revision, published.get(key))
        except (api.DocumentError, KeyError, TypeError) as error:
            LOG.error("%s is no record of targets, it is left aside: %r", entry.key, error)
            return
        self._watched[key] = watched
        self._agenda.add(watched, 0.0)

    def _list_published(self) -> dict[str, Mapping[str, Any]]:
        found = {}
        try:
            for page in self._store.pages(keys.MONITORING):
                for entry in page.entries:
                    found[entry.key.removeprefix(keys.MONITORING)] = codec.decode(entry.value)
        except (api.StoreError, api.DocumentError) as error:
            LOG.warning("what was published can't be read, it is published again: %s", error)
        return found

    # -- polling -------------------------------------------------------------------------------------------------

    def _poll_due(self) -> None:
        now = time.monotonic()
        while (watched := self._agenda.take(now)) is not None:
            if self._watched.get(str(watched.path)) is watched and self._share.mine(watched.targets):
                self._agenda.add(watched, self._poll(watched, now))

    def _poll(self, watched: Watched, now: float) -> float:
        """:returns: seconds until this resource is to be looked at again."""
        if not watched.asked_at:
            watched.asked_at = now
        try:
            targets = [self._target(watched, name) for name in sorted(watched.targets)]
        except (api.JobError, api.StoreError) as error:
            LOG.error("the targets of %s can't be read: %s", watched.path, error)
            return self._options.interval
        interval = min((target.interval or self._options.interval for target in targets), default=0.0)
        readings = self._monitor.observe(targets, interval)
        if any(not _answered(readings[target.name]) for target in targets):
            return _SETTLE
        self._publish(watched, {t.name: self._monitor.published(t, readings[t.name]) for t in targets})
        oldest = min((readings[target.name].at for target in targets), default=now)
        return max(_SETTLE, oldest + (interval or self._options.interval) - now)

    def _target(self, watched: Watched, name: str) -> api.Target:
        return self._monitor.parse(name, monitors.restore(watched.targets[name], self._resolve))

    def _resolve(self, reference: Mapping[str, str]) -> str:
        """The secret that a target's record refers to; kept for a minute, so that a changed password is found."""
        ref, field = api.Ref.from_document(reference), reference["field"]
        known = self._secrets.get((ref.resource_type, ref.resource_id, field))
        now = time.monotonic()
        if known is not None and now - known[0] < _SECRET_LIFETIME:
            return known[1]
        body = self._fetch(ref)
        if body is None or field not in body:
            raise api.Unresolved(f"{ref} has no {field}")
        value = str(body[field])
        self._secrets[ref.resource_type, ref.resource_id, field] = (now, value)
        return value

    def _publish(self, watched: Watched, statuses: Mapping[str, str]) -> None:
        document = {**statuses, "version": watched.version}
        if document == watched.published or self._share.fence is None:
            return
        compares = [self._share.fence, base.unchanged(keys.TARGETS + str(watched.path), watched.mod_revision)]
        operations: list[base.Operation] = [base.Put(watched.path.monitoring, codec.encode(document))]
        try:
            if not watched.told:
                operations += self._trace(watched)
            if self._store.transact(compares, operations).succeeded:
                watched.published = document
                watched.told = True
                LOG.info("%s: %s", watched.path.monitoring, document)
        except api.StoreError as error:
            LOG.warning("%s was not written, it will be compared again: %s", watched.path.monitoring, error)

    def _trace(self, watched: Watched) -> list[base.Operation]:
        entry = self._store.get(watched.path.trace)
        points = documents.parse_trace(entry.value if entry else None, watched.version)
        if not points or "7" in points:
            return []
        points["7"] = time.time_ns() // 1_000_000
        return [base.Put(watched.path.trace, documents.trace(watched.version, points))]


def _answered(reading: api.Reading) -> bool:
    return reading.status is not None or bool(reading.error) or reading.at > 0
