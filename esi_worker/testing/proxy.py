"""A TCP proxy on loopback that counts HTTP requests and does harm where it is told to.

It stands between a part of esi-worker and etcd (or any other HTTP server whose clients send ``Content-Length``)::

    with proxy.Proxy(server.address) as between:
        store = etcd.EtcdStore([between.endpoint])
        between.at(3, proxy.AFTER, process.kill)    # the third request from now: done, but nobody learns of it

With ``http=False`` it passes bytes on without looking at them, and only :meth:`Proxy.cut`, :attr:`Proxy.delay` and
:meth:`Proxy.refuse` do harm.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Final

from esi_worker.testing import proxy_requests

BEFORE: Final = "before"
"""The request is not passed on; the connection is cut."""

AFTER: Final = "after"
"""The request is passed on; when the answer begins, it is thrown away and the connection is cut."""

SILENCE: Final = "silence"
"""The request is passed on; its answer is thrown away and the connection stays open: the client times out."""

HOLD: Final = "hold"
"""The request is not passed on and the connection stays open: the client times out, and nothing was done."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a request.

    :ivar kind: one of this module's constants
    :ivar action: called at that moment, such as a process's ``kill``
    """

    kind: str
    action: Callable[[], object] = lambda: None


class Proxy:
    """Passes connections on to a target.

    :param target: host and port
    :param http: whether to look for requests in what clients send
    :ivar delay: seconds that each piece of an answer is kept back
    :ivar piece: answers are passed on in pieces of so many bytes; 0 for as they come
    :ivar connections: how many came until now
    """

    def __init__(self, target: tuple[str, int], *, http: bool = True) -> None:
        self.target = target
        self.delay = 0.0
        self.piece = 0
        self.connections = 0
        self._http = http
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._log: list[str] = []
        self._links: set[_Link] = set()
        self._closed = threading.Event()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return ("127.0.0.1", self.port)

    @property
    def endpoint(self) -> str:
        """The same as a URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> int:
        """How many requests came until now."""
        return len(self._log)

    @property
    def log(self) -> list[str]:
        """The paths of these requests, in order."""
        with self._lock:
            return list(self._log)

    def at(self, number: int, kind: str, action: Callable[[], object] = lambda: None) -> None:
        """Do harm at one request.

        :param number: 1 is the next one from now on
        :param kind: one of this module's constants
        :param action: called at that moment, in a thread of the proxy's
        """
        with self._lock:
            self._faults[len(self._log) + number] = Fault(kind, action)

    def cut(self) -> int:
        """Reset all connections that are open now.

        :returns: how many there were
        """
        with self._lock:
            links = list(self._links)
        for link in links:
            link.reset()
        return len(links)

    def mute(self) -> None:
        """Throw away whatever the connections that are open now would still bring; they stay open."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.mute()

    def refuse(self) -> None:
        """Stop listening, and cut what is open: connections are refused until :meth:`accept`."""
        _shut(self._listener)
        self.cut()

    def accept(self) -> None:
        """Listen again, at the same port."""
        self._listener = self._listen(self.port)

    def close(self) -> None:
        """Stop, and cut what is open."""
        self._closed.set()
        self.refuse()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fault_of(self, request: bytes) -> Fault | None:
        """Count a request."""
        line = request.partition(b"\r\n")[0].decode("latin-1").split(" ")
        with self._lock:
            self._log.append(line[1] if len(line) > 1 else line[0])
            return self._faults.pop(len(self._log), None)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """An answer in pieces, each of them after the delay."""
        size = self.piece or len(data)
        for start in range(0, len(data), size):
            if self.delay:
                self._closed.wait(self.delay)
            yield data[start : start + size]

    def forget(self, link: _Link) -> None:
        """A link has ended."""
        with self._lock:
            self._links.discard(link)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        threading.Thread(target=self._serve, args=(listener,), name="proxy", daemon=True).start()
        return listener

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, 10.0)
            except OSError:
                _reset(client)
                continue
            link = _Link(self, client, server, http=self._http)
            with self._lock:
                self._links.add(link)
                self.connections += 1
            link.start()


class _Link:
    """One connection that is passed on: a thread for each direction."""

    def __init__(self, owner: Proxy, client: socket.socket, server: socket.socket, *, http: bool) -> None:
        self._owner = owner
        self._client = client
        self._server = server
        self._http = http
        self._fault: Fault | None = None
        self._muted = False
        for end in (client, server):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for target in (self._requests, self._answers):
            threading.Thread(target=self._run, args=(target,), name="proxy-link", daemon=True).start()

    def mute(self) -> None:
        self._muted = True

    def reset(self) -> None:
        _reset(self._client)
        _reset(self._server)
        self._owner.forget(self)

    def _run(self, target: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            target()
        self.reset()

    def _requests(self) -> None:
        requests = proxy_requests.Requests()
        while data := self._client.recv(65536):
            for request in requests.feed(data) if self._http else [data]:
                fault = self._owner.fault_of(request) if self._http else None
                if fault and fault.kind in (BEFORE, HOLD):
                    fault.action()
                    if fault.kind == BEFORE:
                        return
                    continue
                self._fault = fault
                self._server.sendall(request)

    def _answers(self) -> None:
        while data := self._server.recv(65536):
            fault = self._fault
            if self._muted:
                continue
            if fault is None:
                for piece in self._owner.pieces(data):
                    self._client.sendall(piece)
            elif fault.kind == AFTER:
                fault.action()
                return


def _shut(closing: socket.socket) -> None:
    """Close a socket and wake whoever waits for it."""
    with contextlib.suppress(OSError):
        closing.shutdown(socket.SHUT_RDWR)
    closing.close()


def _reset(closing: socket.socket) -> None:
    """Close a connection so that the other side sees a reset, not an orderly end."""
    with contextlib.suppress(OSError):
        closing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Closing alone would leave a thread that waits in recv() waiting, and the reset unsent until it returned.
    with contextlib.suppress(OSError):
        closing.shutdown(socket.SHUT_RD)
    closing.close()
