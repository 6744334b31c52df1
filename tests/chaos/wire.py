"""A proxy before etcd that keeps writes back, lets them go one by one, and hears what etcd makes of each."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import queue
import re
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import Final

from esi_worker.testing import proxy

TRANSACTION: Final = "kv/txn"
PUT: Final = "kv/put"
RENEWAL: Final = "lease/keepalive"

_LONGEST: Final = 120.0
"""Seconds that a request is kept back at most."""

_TTL: Final = re.compile(rb'"TTL":"(\d+)"')


@dataclasses.dataclass(frozen=True)
class Write:
    """A request that changes something, or keeps a lease alive.

    :ivar path: below ``/v3/``
    :ivar puts: the keys that it writes
    :ivar deletes: the keys that it removes
    """

    path: str
    puts: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()

    def puts_under(self, prefix: str) -> bool:
        """Whether it writes a key that begins so."""
        return any(key.startswith(prefix) for key in self.puts)

    def deletes_under(self, prefix: str) -> bool:
        """Whether it removes a key that begins so."""
        return any(key.startswith(prefix) for key in self.deletes)

    def accepted(self, answer: bytes) -> bool:
        """What etcd's answer says."""
        if self.path == TRANSACTION:
            return b'"succeeded":true' in answer
        if self.path == RENEWAL:
            left = _TTL.search(answer)
            return left is not None and int(left[1]) > 0
        return b" 200 " in answer.partition(b"\r\n")[0]


@dataclasses.dataclass(eq=False)
class Held:
    """A write that is kept back."""

    write: Write
    released: threading.Event = dataclasses.field(default_factory=threading.Event)


def read_write(request: bytes) -> Write | None:
    """Make sense of a request to etcd's gateway; None for one that changes nothing that somebody may lose."""
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode("latin-1").removeprefix("/v3/")
    if path == RENEWAL:
        return Write(path)
    if path == PUT:
        return Write(path, (_key(json.loads(body)),))
    if path != TRANSACTION:
        return None
    operations = json.loads(body)["success"]
    puts = tuple(_key(each["request_put"]) for each in operations if "request_put" in each)
    deletes = tuple(_key(each["request_delete_range"]) for each in operations if "request_delete_range" in each)
    return Write(path, puts, deletes) if puts or deletes else None


class Witness(proxy.Proxy):
    """Lets everything pass until a certain write comes; from that one on it keeps all writes back.

    What etcd answers to a write that is let go can be told from everything else only while whoever sent it stands
    still: then nothing but watches goes through here.

    :ivar caught: set when that write is there
    """

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self.caught = threading.Event()
        self._guard = threading.Condition()
        self._wanted: Callable[[Write], bool] | None = None
        self._held: list[Held] = []
        self._heard: queue.SimpleQueue[bytes] | None = None

    @property
    def held(self) -> list[Held]:
        """The writes that are kept back, in the order in which they came."""
        with self._guard:
            return list(self._held)

    def arm(self, wanted: Callable[[Write], bool]) -> None:
        """Keep back the first write that is wanted, and all that come after it."""
        with self._guard:
            self.caught.clear()
            self._wanted = wanted

    def wait_held(self, enough: Callable[[list[Held]], bool], seconds: float) -> bool:
        """Wait for more writes to be kept back; :returns: whether they are enough."""
        with self._guard:
            return self._guard.wait_for(lambda: enough(self._held), seconds)

    def let_go(self, held: Held, seconds: float = 20.0) -> bytes:
        """Let one write go on to etcd.

        :returns: etcd's answer, as it came
        :raises AssertionError: if there was none
        """
        heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._heard = heard
        held.released.set()
        answer = b""
        # Pieces of watches may come in between; an answer has a head, and JSON behind it.
        while not answer.partition(b"\r\n\r\n")[2].strip():
            try:
                piece = heard.get(timeout=seconds)
            except queue.Empty:
                raise AssertionError(f"etcd did not answer to {held.write}") from None
            if answer or piece.startswith(b"HTTP/1.1 "):
                answer += piece
        self._heard = None
        with self._guard:
            self._held.remove(held)
        return answer

    def disarm(self) -> None:
        """Keep nothing back any more."""
        with self._guard:
            self._wanted = None
            self.caught.clear()
            left, self._held = self._held, []
        for each in left:
            each.released.set()

    def close(self) -> None:
        """Stop, and cut what is open."""
        self.disarm()
        super().close()

    def fault_of(self, request: bytes) -> proxy.Fault | None:
        """Count a request, and keep it back if it is one of those."""
        write = read_write(request)
        held = self._keep(write) if write else None
        if held is not None:
            held.released.wait(_LONGEST)
        return super().fault_of(request)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Listen to what comes back."""
        heard = self._heard
        if heard is not None:
            heard.put(data)
        return super().pieces(data)

    def _keep(self, write: Write) -> Held | None:
        with self._guard:
            if self._wanted is None:
                return None
            if not self.caught.is_set() and not self._wanted(write):
                return None
            held = Held(write)
            self._held.append(held)
            self.caught.set()
            self._guard.notify_all()
            return held


def _key(document: dict[str, Any]) -> str:
    with contextlib.suppress(ValueError):
        return base64.b64decode(document["key"]).decode()
    return ""
