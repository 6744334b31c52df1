"""A lease that is kept alive, and the truth about when it was lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from oslo_log import log as logging

from esi_worker import api
from esi_worker.store import base

LOG = logging.getLogger(__name__)


class Lease:
    """Keeps one lease alive in a thread of its own, independently of the work done under it.

    The lease counts as lost as soon as etcd says so, or when no renewal came back for its whole time to live:
    etcd may then have given what hung on it to somebody else.  Fencing makes that safe; this makes it prompt.

    :param ttl: seconds
    :param lost: called once, from the lease's thread, when the lease is lost
    """

    def __init__(self, store: base.Store, ttl: int, name: str, lost: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._ttl = ttl
        self._lost = lost
        self._stop = threading.Event()
        self._renew = threading.Event()
        self._alive_until = time.monotonic() + ttl
        self.id = store.grant(ttl)
        self._thread = threading.Thread(target=self._keep, name=f"lease-{name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the lease can still be counted on.  Once it can't, it never can again.

        Whoever was told so acts on it: a renewal that comes through late must not keep alive what hangs on a lease
        that nobody works under any more.
        """
        if not self._stop.is_set() and time.monotonic() >= self._alive_until:
            self._end()
        return not self._stop.is_set()

    def verify(self) -> None:
        """Something was refused under this lease: find out soon whether it is still there."""
        self._renew.set()

    def close(self) -> None:
        """Stop renewing and end the lease: what hangs on it is free at once."""
        self._end()
        self._thread.join(timeout=self._ttl)

    def _end(self) -> None:
        self._stop.set()
        self._renew.set()

    def _keep(self) -> None:
        while True:
            self._renew.wait(self._ttl / 3)
            self._renew.clear()
            if self._stop.is_set():
                break
            asked = time.monotonic()
            left = self._renewed()
            if self._stop.is_set():
                break  # it was given up meanwhile, whatever came of the renewal
            if left > 0:
                self._alive_until = asked + left
            elif left == 0 or time.monotonic() >= self._alive_until:
                LOG.warning("lease %x is lost", self.id)
                self._stop.set()
                self._lost()
                break
        self._revoke()

    def _renewed(self) -> float:
        """:returns: seconds that the lease has left; negative if etcd did not say."""
        try:
            return self._store.keep_alive(self.id)
        except api.StoreError as error:
            LOG.warning("lease %x was not renewed: %s", self.id, error)
            return -1.0

    def _revoke(self) -> None:
        try:
            self._store.revoke(self.id)
        except api.StoreError as error:
            LOG.warning("lease %x could not be revoked, it ends by itself: %s", self.id, error)
