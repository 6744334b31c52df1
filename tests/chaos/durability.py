"""etcd is killed again and again under writers that know what they were told.

What was acknowledged must be there, what was refused must not, and what may have happened must have happened whole or
not at all.  That is a promise of the store client as much as of etcd: a write that it sent twice, or took for done or
for refused without knowing, shows here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd

ACKNOWLEDGED: Final = "acknowledged"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"

LOSING: Final = ("3.5.0", "3.5.1", "3.5.2")
"""Versions of etcd that may lose what they acknowledged when they are killed at work; mended in 3.5.3."""

_WRITERS: Final = 4
_ROOT: Final = "/durability/"
_KEYS: Final = ("a", "b", "c")
"""Each write makes so many keys: whole or not at all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One write.

    :ivar name: of its keys; no other write has it
    :ivar told: what the client said of it
    :ivar revision: at which it was done, where that was told
    """

    name: str
    told: str
    revision: int = 0


@dataclasses.dataclass
class Figures:
    """What came of all of it.

    :ivar version: etcd's
    :ivar applied: how many of the unknown writes are there
    :ivar lost: what was acknowledged and is not there
    :ivar moved: what is there at another revision than etcd acknowledged; no client can bring that about
    :ivar wrong: what is there in part, or was refused and is there
    """

    version: str = ""
    restarts: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    applied: int = 0
    lost: list[str] = dataclasses.field(default_factory=list)
    moved: list[str] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """All that must not be and is not known of this etcd."""
        return self.wrong if self.excused else [*self.lost, *self.moved, *self.wrong]

    @property
    def excused(self) -> bool:
        """Whether etcd is one of those that lose acknowledged writes when they are killed, and did just that.

        That it gave another revision than it acknowledged shows that it was not its client.
        """
        return self.version in LOSING and bool(self.moved)

    def __str__(self) -> str:
        known = ", which this etcd is known for" if self.excused else ""
        return (
            f"etcd {self.version}: "
            f"{self.restarts} restarts, {self.acknowledged} acknowledged, {self.refused} refused, "
            f"{self.unknown} unknown ({self.applied} of them applied), {len(self.lost)} lost, "
            f"{len(self.moved)} at another revision{known}, {len(self.wrong)} wrong"
        )


class Writer:
    """Writes without a pause, in turn: what must be new, what must follow on the last, and what must be refused.

    :ivar epoch: part of the names that it writes now
    """

    def __init__(self, store: base.Store, number: int) -> None:
        self.attempts: list[Attempt] = []
        self.epoch = 0
        self._store = store
        self._number = number
        self._counter = f"{_ROOT}counters/{number}"
        self._last = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer-{number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            count = len(self.attempts)
            name = f"{self.epoch:04}-{self._number}-{count}"
            try:
                outcome = self._write(name, count)
            except api.StoreError as error:
                self.attempts.append(Attempt(name, UNKNOWN if error.unknown else REFUSED))
                self._stop.wait(0.02)  # etcd is away: a writer that asks all the time only heats the processor
                self._look()
            else:
                told = ACKNOWLEDGED if outcome.succeeded else REFUSED
                self.attempts.append(Attempt(name, told, outcome.revision))

    def _write(self, name: str, count: int) -> base.Outcome:
        puts = [base.Put(f"{_ROOT}{name}/{key}", name.encode()) for key in _KEYS]
        if count % 3 == 0:
            return self._store.transact([base.absent(puts[0].key)], puts)
        if count % 3 == 1:
            follows = base.unchanged(self._counter, self._last)
            outcome = self._store.transact([follows], [*puts, base.Put(self._counter, name.encode())])
            self._last = outcome.revision if outcome.succeeded else self._last
            return outcome
        # Its own counter is there since the second write: this must be refused.
        return self._store.transact([base.absent(self._counter)], puts)

    def _look(self) -> None:
        """After an error: whether the counter was moved on."""
        while not self._stop.is_set():
            with contextlib.suppress(api.StoreError):
                entry = self._store.get(self._counter)
                self._last = entry.mod_revision if entry else 0
                return
            self._stop.wait(0.02)


class Durability:
    """A member of its own, with each write made durable, and some writers.

    :param seed: chooses when etcd is killed
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._server = etcd.EtcdServer(fsync=True)
        self._restarts = 0
        self._earlier = Figures()

    def run(self, seconds: float) -> Figures:
        """Kill etcd until the time is over, then account for every write."""
        deadline = time.monotonic() + seconds
        with self._server as server, contextlib.closing(_client(server)) as store:
            writers = [Writer(store, number) for number in range(_WRITERS)]
            for each in writers:
                each.start()
            while time.monotonic() < deadline:
                # How long they write; nothing is waited for.
                threading.Event().wait(self._random.uniform(0.1, 1.5))
                server.kill()
                server.start()
                self._next_epoch(writers, store)
            for each in writers:
                each.stop()
            version = server.admin.post("maintenance/status", {})["version"]
            found = account([attempt for each in writers for attempt in each.attempts], store, _ROOT)
        found.version, found.restarts = version, self._restarts
        # What was missing once and is there now is no less wrong.
        found.lost = sorted({*found.lost, *self._earlier.lost})
        found.moved = sorted({*found.moved, *self._earlier.moved})
        found.wrong = sorted({*found.wrong, *self._earlier.wrong})
        return found

    def _next_epoch(self, writers: Sequence[Writer], store: base.Store) -> None:
        """Account for what was written since the restart before this one."""
        prefix = f"{self._restarts:04}-"
        self._restarts += 1
        over = [each for writer in writers for each in list(writer.attempts) if each.name.startswith(prefix)]
        found = account(over, store, _ROOT + prefix)
        self._earlier.lost += found.lost
        self._earlier.moved += found.moved
        self._earlier.wrong += found.wrong
        for each in writers:
            each.epoch = self._restarts


def account(attempts: Sequence[Attempt], store: base.Store, prefix: str) -> Figures:
    """Compare what was told with what is there.

    :param attempts: which were over before this is called
    :param prefix: of their keys
    """
    present: dict[str, dict[str, base.Entry]] = {}
    for entry in store.list(prefix).entries:
        name, _, key = entry.key.removeprefix(_ROOT).partition("/")
        present.setdefault(name, {})[key] = entry
    figures = Figures()
    for attempt in attempts:
        _add(attempt, present.get(attempt.name, {}), figures)
    return figures


def _add(attempt: Attempt, found: Mapping[str, base.Entry], figures: Figures) -> None:
    """Add one write to the figures.

    :param found: what is there of it
    """
    whole = set(found) == set(_KEYS) and len({entry.mod_revision for entry in found.values()}) == 1
    if found and not whole:
        figures.wrong.append(f"{attempt.name}, {attempt.told}, is there in part: {sorted(found)}")
    if attempt.told == ACKNOWLEDGED:
        figures.acknowledged += 1
        if not whole:
            figures.lost.append(f"{attempt.name} was acknowledged, and is not there")
        elif found["a"].mod_revision != attempt.revision:
            moved = f"acknowledged at revision {attempt.revision}, and is there at {found['a'].mod_revision}"
            figures.moved.append(f"{attempt.name} was {moved}")
    elif attempt.told == UNKNOWN:
        figures.unknown += 1
        figures.applied += whole
    else:
        figures.refused += 1
        if found:
            figures.wrong.append(f"{attempt.name} was refused, and is there")


def _client(server: etcd.EtcdServer) -> etcd_store.EtcdStore:
    return etcd_store.EtcdStore([server.endpoint], timeout=5.0)
