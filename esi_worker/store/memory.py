"""A store in memory, with the same promises as the one in etcd: for unit tests and for plug-in authors."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import limits
from esi_worker.store import wire

_LOOK: Final = 0.05
"""Seconds between two looks of a watch at the clock: nobody tells it when a clock was set forward."""

_SIGN_OF_LIFE: Final = 1.0
"""Seconds after which a watch without events gives an empty batch."""


class Clock:
    """A clock that stands still until it is set forward: ``MemoryStore(clock=Clock())``."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """:returns: seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Set it forward."""
        self._now += seconds


@dataclasses.dataclass(slots=True)
class _Lease:
    ttl: int
    ends: float
    keys: set[str] = dataclasses.field(default_factory=set)


class MemoryStore(base.Store):
    """A store in memory.  All threads of a process may use it.

    :param clock: gives seconds; leases end by it
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._revision = 1
        self._compacted = 0
        self._entries: dict[str, base.Entry] = {}
        self._keys: list[bytes] = []
        self._history: list[base.Event] = []
        self._leases: dict[int, _Lease] = {}
        self._lease_ids = itertools.count(1)
        self._closed = False

    def get(self, key: str) -> base.Entry | None:
        """:returns: the entry, or None."""
        with self._changed:
            self._expire()
            return self._entries.get(key)

    def pages(self, prefix: str, *, size: int = 1000) -> Iterator[base.Snapshot]:
        """List a prefix page by page, all pages as of the revision of the first one."""
        with self._changed:
            self._expire()
            revision = self._revision
            found = tuple(self._entries[key] for key in self._under(prefix))
        for start in range(0, max(len(found), 1), size):
            yield base.Snapshot(revision, found[start : start + size])

    def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        """:returns: the revision of the write."""
        limits.check_put(key, value)
        return self._transact((), (base.Put(key, value, lease),), ()).revision

    def delete(self, key: str) -> bool:
        """:returns: whether the key was there."""
        outcome = self._transact((), (base.Get(key), base.Delete(key)), ())
        return outcome.entries[0] is not None

    def transact(
        self,
        compares: Sequence[base.Compare],
        success: Sequence[base.Operation],
        failure: Sequence[base.Operation] = (),
    ) -> base.Outcome:
        """Do all operations of one branch, at one revision, or none."""
        limits.check_transaction(compares, success, failure)
        limits.check_duplicates(success)
        limits.check_duplicates(failure)
        return self._transact(compares, success, failure)

    def grant(self, ttl: int) -> int:
        """:param ttl: seconds; :returns: the lease's id."""
        with self._changed:
            self._expire()
            lease = next(self._lease_ids)
            self._leases[lease] = _Lease(ttl, self._clock() + ttl)
            return lease

    def keep_alive(self, lease: int) -> float:
        """Renew a lease.

        :returns: seconds that it has left now; 0 if it is gone
        """
        with self._changed:
            self._expire()
            found = self._leases.get(lease)
            if found is None:
                return 0.0
            found.ends = self._clock() + found.ttl
            return float(found.ttl)

    def revoke(self, lease: int) -> None:
        """End a lease, and with it all keys that hang on it; one that is gone is no error."""
        with self._changed:
            self._expire()
            self._end(lease)

    def watch(self, prefix: str, revision: int, stop: threading.Event) -> Iterator[base.Batch]:
        """All changes under a prefix from a revision on, in order.

        :raises WatchLost: after :meth:`compact` of that revision, and after :meth:`close`
        """
        yield base.Batch(revision - 1)
        heard = time.monotonic()
        while not stop.is_set():
            batch = self._wait(prefix, revision)
            if batch.events or time.monotonic() - heard >= _SIGN_OF_LIFE:
                heard = time.monotonic()
                yield batch
            revision = max(revision, batch.revision + 1)

    def compact(self, revision: int) -> None:
        """Forget the changes before a revision: a watch that begins there is lost."""
        with self._changed:
            self._compacted = revision
            self._history = [event for event in self._history if event.entry.mod_revision >= revision]
            self._changed.notify_all()

    def close(self) -> None:
        """End all watches."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, prefix: str, revision: int) -> base.Batch:
        """Wait for a short while for changes from a revision on."""
        with self._changed:
            self._expire()
            if self._revision < revision and not self._closed:
                self._changed.wait(_LOOK)
                self._expire()
            if self._closed:
                raise base.WatchLost("the store was closed")
            if revision < self._compacted:
                raise base.WatchLost(f"the revision has been compacted: the store begins at {self._compacted}")
            first = bisect.bisect_left(self._history, revision, key=_revision_of)
            events = tuple(event for event in self._history[first:] if event.entry.key.startswith(prefix))
            return base.Batch(max(self._revision, revision - 1), events)

    def _transact(
        self, compares: Sequence[base.Compare], success: Sequence[base.Operation], failure: Sequence[base.Operation]
    ) -> base.Outcome:
        with self._changed:
            self._expire()
            succeeded = all(map(self._holds, compares))
            taken = success if succeeded else failure
            for operation in taken:
                self._check(operation)
            revision = self._revision + 1
            found: list[base.Entry | None] = []
            for operation in taken:
                if isinstance(operation, base.Put):
                    self._put(operation, revision)
                elif isinstance(operation, base.Delete):
                    for key in self._under(operation.key) if operation.prefix else [operation.key]:
                        self._remove(key, revision)
                else:
                    found.append(self._entries.get(operation.key))
            self._finish(revision)
            return base.Outcome(succeeded, self._revision, tuple(found))

    def _holds(self, compare: base.Compare) -> bool:
        entry = self._entries.get(compare.key)
        if entry is None:
            return compare.revision == 0
        return compare.revision == (entry.create_revision if compare.target == "create" else entry.mod_revision)

    def _check(self, operation: base.Operation) -> None:
        if not operation.key and not (isinstance(operation, base.Delete) and operation.prefix):
            raise api.StoreError("a key can't be empty")
        if isinstance(operation, base.Put) and operation.lease and operation.lease not in self._leases:
            raise api.StoreError(f"put {operation.key}: the lease is gone")

    def _put(self, put: base.Put, revision: int) -> None:
        before = self._entries.get(put.key)
        if before is None:
            bisect.insort(self._keys, wire.key_bytes(put.key))
        else:
            self._detach(before)
        if put.lease:
            self._leases[put.lease].keys.add(put.key)
        created = before.create_revision if before else revision
        entry = base.Entry(put.key, put.value, created, revision, put.lease)
        self._entries[put.key] = entry
        self._history.append(base.Event(base.PUT, entry))

    def _remove(self, key: str, revision: int) -> None:
        before = self._entries.pop(key, None)
        if before is None:
            return
        del self._keys[bisect.bisect_left(self._keys, wire.key_bytes(key))]
        self._detach(before)
        self._history.append(base.Event(base.DELETE, base.Entry(key, b"", 0, revision)))

    def _detach(self, entry: base.Entry) -> None:
        if entry.lease in self._leases:
            self._leases[entry.lease].keys.discard(entry.key)

    def _finish(self, revision: int) -> None:
        """A revision is used up only by a change."""
        if self._history and self._history[-1].entry.mod_revision == revision:
            self._revision = revision
            self._changed.notify_all()

    def _under(self, prefix: str) -> list[str]:
        start = wire.key_bytes(prefix)
        end = wire.prefix_end(start)
        first = bisect.bisect_left(self._keys, start)
        behind = len(self._keys) if end == b"\0" else bisect.bisect_left(self._keys, end)
        return [wire.key_text(key) for key in self._keys[first:behind]]

    def _expire(self) -> None:
        now = self._clock()
        for lease in [lease for lease, held in self._leases.items() if held.ends <= now]:
            self._end(lease)

    def _end(self, lease: int) -> None:
        ended = self._leases.pop(lease, None)
        if ended is None:
            return
        revision = self._revision + 1
        for key in sorted(ended.keys):
            self._remove(key, revision)
        self._finish(revision)


def _revision_of(event: base.Event) -> int:
    return event.entry.mod_revision
