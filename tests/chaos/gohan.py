"""Gohan's part, as far as esi-worker sees it: versions, marks, and clearing up after a deletion."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys
from tests.chaos import world
from tests.functional import deployment

_DOWN: Final = ("DELETE_COMPLETED", "READ_COMPLETE")
"""What ``/state`` says of a marked resource that is gone; the second one of a type that nothing is done for."""

_ATTEMPTS: Final = 20


class Gohan:
    """Writes ``/config`` and, once ``/state`` says that a marked resource is gone, removes both documents.

    :param deployed: where
    """

    def __init__(self, deployed: deployment.Deployment) -> None:
        self.deployed = deployed
        self.versions: dict[str, int] = {}
        self.bodies: dict[str, Mapping[str, Any]] = {}
        self.marked: set[str] = set()
        self._store = deployed.new_store()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._clear_up, name="gohan", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write no more."""
        self._stop.set()
        self._thread.join(20)
        self._store.close()

    def create(self, *resources: world.Resource) -> None:
        """The first version of each."""
        for each in resources:
            self._put(each.path, each.body, 1)

    def modify(self, path: str, **changes: Any) -> int:
        """:returns: the new version."""
        self._put(path, {**self.bodies[path], **changes}, self.versions[path] + 1)
        return self.versions[path]

    def mark(self, *paths: str) -> None:
        """Ask for resources to be taken down."""
        for path in paths:
            self._write(path, self.bodies[path], self.versions[path] + 1, marked=True)
            self.versions[path] += 1
            self.marked.add(path)

    def mark_at_once(self, *paths: str) -> None:
        """The same for several of them in one transaction: whoever watches sees all or none."""
        writes = []
        for path in paths:
            self.versions[path] += 1
            document = {
                "body": json.dumps(self.bodies[path]),
                "version": self.versions[path],
                "marked_for_deletion": True,
            }
            writes.append(base.Put(keys.CONFIG + path, codec.encode(document)))
        self._store.transact([], writes)
        self.marked.update(paths)

    def vanish(self, path: str) -> None:
        """Remove a config document without asking first."""
        self.deployed.store.delete(keys.CONFIG + path)
        self._forget(path)

    def templates(self) -> None:
        """Store the templates of the tests' worlds."""
        for path, body in world.templates().items():
            self.deployed.put(path, body)

    def expected(self) -> dict[str, int]:
        """Path -> version that ``/state`` has to come to."""
        return dict(self.versions)

    def settled(self, paths: Iterable[str] = ()) -> bool:
        """Whether everything is at rest: each resource has its ``/state``, and no job is left.

        :param paths: of these resources only; none: of all
        """
        chosen = set(paths) or set(self.versions)
        if chosen & self.marked:
            return False
        if self.deployed.store.list(keys.JOBS).entries:
            return False
        states = self._states()
        awaited = chosen & set(self.versions)
        return all(path in states and states[path]["version"] >= self.versions[path] for path in awaited)

    def settle(self, timeout: float = deployment.PATIENCE) -> None:
        """Wait until everything is at rest, and until nothing is left of what was taken down."""
        try:
            self.deployed.wait(self.settled, "everything at rest", timeout)
        except AssertionError as error:
            raise AssertionError(f"{self._restless()}\n{error}") from None
        self.deployed.wait(lambda: not self.leftovers(), "nothing left of what is gone", timeout)

    def _restless(self) -> str:
        """What is not at rest, for the message."""
        jobs = [entry.key for entry in self.deployed.store.list(keys.JOBS).entries]
        states = {path: self.deployed.state(path) for path in self.versions}
        behind = [path for path, state in states.items() if not state or state["version"] < self.versions[path]]
        return f"left under {keys.JOBS}: {jobs}; without their /state: {behind}; marked: {sorted(self.marked)}"

    def leftovers(self) -> list[str]:
        """esi-worker's own keys of resources that are not there."""
        present = self.deployed.keys()
        prefixes = (keys.OWN, keys.STATE, keys.MONITORING)
        return [
            key
            for key in present
            if key.startswith(prefixes)
            and not key.startswith(keys.COLLECTORS)
            and "/".join(key.split("/")[-3:]) not in self.versions
            and "/".join(key.split("/")[-4:]) not in self.versions
        ]

    def _put(self, path: str, body: Mapping[str, Any], version: int) -> None:
        self._write(path, body, version)
        self.bodies[path], self.versions[path] = body, version

    def _write(self, path: str, body: Mapping[str, Any], version: int, *, marked: bool = False) -> None:
        """The same document may be written twice: an etcd that gives no answer is asked again."""
        for attempt in range(_ATTEMPTS):
            try:
                self.deployed.put(path, body, version, marked=marked)
            except api.StoreError:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._stop.wait(0.5)
            else:
                return

    def _forget(self, path: str) -> None:
        self.marked.discard(path)
        self.versions.pop(path, None)
        self.bodies.pop(path, None)

    def _clear_up(self) -> None:
        while not self._stop.wait(0.05):
            with contextlib.suppress(api.StoreError):
                marked = list(self.marked)
                states = self._states() if marked else {}
                for path in marked:
                    self._clear_one(path, states.get(path))

    def _states(self) -> dict[str, Any]:
        """Path -> ``/state``, of all that have one."""
        entries = self._store.list(keys.STATE).entries
        return {entry.key.removeprefix(keys.STATE): deployment.read_json(entry.value) for entry in entries}

    def _clear_one(self, path: str, document: Any) -> None:
        if document is None:
            if self._store.get(keys.CONFIG + path) is None:
                self._forget(path)  # it was removed by the attempt before, whose answer got lost
            return
        name = document["state"]["worker_state"]
        if document["version"] != self.versions[path]:
            return
        if name == "DELETE_FAILED":
            self.mark(path)  # as people do: they ask once more
        elif name in _DOWN:
            self._store.transact([], [base.Delete(keys.CONFIG + path), base.Delete(keys.STATE + path)])
            self._forget(path)
