"""A copy of some keys that keeps itself up to date, for whoever waits for them or shows them live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Sequence
from typing import Self

from esi_worker.pipeline import follower
from esi_worker.store import base


class Mirror:
    """What is under some prefixes; a context manager, up to date while it is entered.

    Breaks of the watch are waited out; the copy is compared with a new list after each.

    :param prefixes: none of them within another
    """

    def __init__(self, store: base.Store, prefixes: Sequence[str]) -> None:
        self._store = store
        self._prefixes = prefixes
        self._stop = threading.Event()
        self._condition = threading.Condition()
        self._values: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._listed: set[str] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for prefix in self._prefixes:
            followed = follower.Follower(
                self._store, prefix, self._snapshot(prefix), self._changes, self._stop, relist_interval=60.0
            )
            self._threads.append(followed.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5.0)

    def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""
        with self._condition:
            return self._values.get(key)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that are there, sorted."""
        with self._condition:
            return sorted(key for key in self._values if key.startswith(prefix))

    def listed(self, seconds: float) -> bool:
        """Wait until everything has been listed once.

        :returns: whether it has
        """
        with self._condition:
            return self._condition.wait_for(lambda: len(self._listed) == len(self._prefixes), seconds)

    def wait(self, seconds: float) -> frozenset[str]:
        """Wait for a change.

        :returns: the keys that changed since the last call, those of the first list too; empty if none did
        """
        with self._condition:
            self._condition.wait_for(lambda: bool(self._changed), seconds)
            changed, self._changed = frozenset(self._changed), set()
            return changed

    def _snapshot(self, prefix: str) -> Callable[[base.Snapshot], None]:
        def replace(snapshot: base.Snapshot) -> None:
            now = {entry.key: entry.value for entry in snapshot.entries}
            with self._condition:
                before = {key: value for key, value in self._values.items() if key.startswith(prefix)}
                self._changed |= {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
                for key in before:
                    del self._values[key]
                self._values.update(now)
                self._listed.add(prefix)
                self._condition.notify_all()

        return replace

    def _changes(self, batch: base.Batch) -> None:
        with self._condition:
            for event in batch.events:
                self._changed.add(event.entry.key)
                if event.kind == base.PUT:
                    self._values[event.entry.key] = event.entry.value
                else:
                    self._values.pop(event.entry.key, None)
            self._condition.notify_all()
