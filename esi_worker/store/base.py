"""What the rest of esi-worker knows of a store: keys, revisions, transactions, leases and a watch.

Two stores keep these promises: :mod:`esi_worker.store.etcd` (the real one) and :mod:`esi_worker.store.memory`
(for unit tests and plug-in authors).  One conformance suite runs on both.
"""

from __future__ import annotations

import abc
import dataclasses
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

PUT: Final = "put"
DELETE: Final = "delete"

MAX_OPERATIONS: Final = 128
"""etcd's default limit of operations in one transaction (``--max-txn-ops``)."""

MAX_BYTES: Final = 1_500_000
"""etcd's default limit of one request is 1.5 MiB (``--max-request-bytes``); some room is left for the envelope."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A key and what it holds.

    :ivar value: bytes (UTF-8 JSON in all of esi-worker's keys); empty for a deleted key
    :ivar create_revision: etcd's revision at which the key was created; 0 for a deleted key
    :ivar mod_revision: etcd's revision of its last change
    :ivar lease: the lease that it hangs on; 0 for none
    """

    key: str
    value: bytes
    create_revision: int
    mod_revision: int
    lease: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """The entries under a prefix, all as of one revision, in the order of their keys."""

    revision: int
    entries: tuple[Entry, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One change: ``kind`` is ``put`` or ``delete``; ``entry.mod_revision`` is the revision of the change."""

    kind: str
    entry: Entry


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """What a watch delivers: events in etcd's order, whole revisions only.

    :ivar revision: everything up to here has been delivered; a batch without events is a sign of life
    """

    revision: int
    events: tuple[Event, ...] = ()


class WatchLost(Exception):
    """The watch ended (stream cut, etcd restarted, compaction, permission refused): list again, then watch on.

    The text says why.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class Compare:
    """A condition of a transaction: the key's create or mod revision equals a number (0: the key is absent)."""

    key: str
    target: str
    revision: int


def absent(key: str) -> Compare:
    """The key isn't there."""
    return Compare(key, "create", 0)


def created_at(key: str, revision: int) -> Compare:
    """The key is the one that was created at this revision: nobody removed it and made it again."""
    return Compare(key, "create", revision)


def unchanged(key: str, revision: int) -> Compare:
    """The key was last changed at this revision (0: it is absent)."""
    return Compare(key, "mod", revision)


@dataclasses.dataclass(frozen=True, slots=True)
class Put:
    """Write a key; it hangs on the lease if one is given."""

    key: str
    value: bytes
    lease: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Delete:
    """Remove a key, or with ``prefix`` all keys that begin with it."""

    key: str
    prefix: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Get:
    """Read a key within the transaction."""

    key: str


Operation = Put | Delete | Get


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction came to.

    :ivar succeeded: whether all conditions held
    :ivar revision: etcd's revision after it
    :ivar entries: for each Get of the branch that was taken, in order: the entry, or None
    """

    succeeded: bool
    revision: int
    entries: tuple[Entry | None, ...] = ()


class Store(abc.ABC):
    """A store.  One object may be used by all threads; every call ends within the store's timeout.

    All methods raise :class:`~esi_worker.api.StoreError`; its ``unknown`` tells whether a write may have been
    applied all the same.
    """

    @abc.abstractmethod
    def get(self, key: str) -> Entry | None:
        """:returns: the entry, or None."""

    @abc.abstractmethod
    def pages(self, prefix: str, *, size: int = 1000) -> Iterator[Snapshot]:
        """List a prefix page by page, all pages as of the revision of the first one.

        At least one snapshot comes, so that the revision is known.
        """

    def list(self, prefix: str) -> Snapshot:
        """List a prefix at one revision."""
        pages = list(self.pages(prefix))
        return Snapshot(pages[0].revision, tuple(entry for page in pages for entry in page.entries))

    @abc.abstractmethod
    def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        """:returns: the revision of the write."""

    @abc.abstractmethod
    def delete(self, key: str) -> bool:
        """:returns: whether the key was there."""

    @abc.abstractmethod
    def transact(
        self, compares: Sequence[Compare], success: Sequence[Operation], failure: Sequence[Operation] = ()
    ) -> Outcome:
        """Do all operations of one branch, at one revision, or none.

        :raises StoreError: also for more than :data:`MAX_OPERATIONS` operations or too large a request, before
            anything is sent
        """

    @abc.abstractmethod
    def grant(self, ttl: int) -> int:
        """:param ttl: seconds; :returns: the lease's id."""

    @abc.abstractmethod
    def keep_alive(self, lease: int) -> float:
        """Renew a lease.

        :returns: seconds that it has left now; 0 if it is gone
        """

    @abc.abstractmethod
    def revoke(self, lease: int) -> None:
        """End a lease, and with it all keys that hang on it; one that is gone is no error."""

    @abc.abstractmethod
    def watch(self, prefix: str, revision: int, stop: threading.Event) -> Iterator[Batch]:
        """All changes under a prefix from a revision on, in etcd's order.

        :param revision: the first revision to deliver (that of a list, plus one)
        :param stop: ends the iteration soon after it is set
        :raises WatchLost: whenever it ends for another reason
        """

    def close(self) -> None:  # noqa: B027  (the store in memory has nothing to close)
        """Close the connections."""
