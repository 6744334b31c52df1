"""Follows a prefix: lists it, watches it, and lists it again whenever the watch may have missed something.

A watch is a hint.  Whoever follows gets a snapshot first and after every break, and compares.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from oslo_log import log as logging

from esi_worker import api
from esi_worker.store import base

LOG = logging.getLogger(__name__)


class Follower:
    """Hands on snapshots and changes of a prefix from a thread of its own.

    :param snapshot: called with the whole prefix, at the start and after every break
    :param changes: called with each batch of changes after it
    :param relist_interval: seconds after which the prefix is listed again though nothing seems wrong; etcd itself
        has lost watch events before
    """

    def __init__(
        self,
        store: base.Store,
        prefix: str,
        snapshot: Callable[[base.Snapshot], None],
        changes: Callable[[base.Batch], None],
        stop: threading.Event,
        *,
        relist_interval: float = 300.0,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._snapshot = snapshot
        self._changes = changes
        self._stop = stop
        self._relist_interval = relist_interval

    def start(self) -> threading.Thread:
        """Run in a thread of its own until the stop event is set."""
        thread = threading.Thread(target=self.run, name=f"follow {self._prefix}", daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """List and watch until the stop event is set; trouble with etcd is waited out."""
        delay = 0.1
        while not self._stop.is_set():
            try:
                listed = self._store.list(self._prefix)
                self._snapshot(listed)
                delay = 0.1
                self._watch(listed.revision + 1)
            except base.WatchLost as lost:
                if self._stop.is_set():
                    return  # it was closed, as asked
                LOG.warning("watch of %s ended (%s): listing it again", self._prefix, lost)
                self._stop.wait(delay)
            except api.StoreError as error:
                if self._stop.is_set():
                    return
                LOG.warning("%s can't be listed, trying again in %.1f s: %s", self._prefix, delay, error)
                self._stop.wait(delay)
            delay = min(delay * 2, 5.0)

    def _watch(self, revision: int) -> None:
        relist_at = time.monotonic() + self._relist_interval
        for batch in self._store.watch(self._prefix, revision, self._stop):
            if batch.events:
                self._changes(batch)
            if time.monotonic() >= relist_at:
                return
