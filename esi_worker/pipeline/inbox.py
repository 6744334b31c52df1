"""What a stage has been told and not yet taken in: several threads follow etcd, one thread decides."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from esi_worker.pipeline import follower
from esi_worker.store import base


class Inbox:
    """Snapshots and changes of several prefixes, handed over one after another in the caller's thread.

    :param stop: ends the following
    :param relist_interval: seconds between two listings of each prefix
    """

    def __init__(self, store: base.Store, stop: threading.Event, relist_interval: float) -> None:
        self._store = store
        self._stop = stop
        self._relist_interval = relist_interval
        self._messages: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def follow(
        self, prefix: str, listed: Callable[[base.Snapshot], None], changed: Callable[[base.Batch], None]
    ) -> None:
        """Begin to follow a prefix; what comes is taken in by :meth:`serve`."""
        follower.Follower(
            self._store,
            prefix,
            lambda snapshot: self._messages.put(lambda: listed(snapshot)),
            lambda batch: self._messages.put(lambda: changed(batch)),
            self._stop,
            relist_interval=self._relist_interval,
        ).start()

    def serve(self, timeout: float) -> bool:
        """Take in all that has come, before anything is decided on it.

        :param timeout: seconds to wait if nothing has come yet
        :returns: whether there was anything
        """
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            return False
        while True:
            message()
            try:
                message = self._messages.get_nowait()
            except queue.Empty:
                return True
