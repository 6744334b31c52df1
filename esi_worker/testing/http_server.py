"""An HTTP server on loopback for stand-ins: it records all calls and does on demand what goes wrong in real life."""

from __future__ import annotations

import http
import http.server
import json
import re
import socket
import threading
import urllib.parse
from typing import Any
from typing import Final
from typing import Self

from esi_worker.testing import http_faults

_PAGE: Final = b"<html><body><h1>Service temporarily overloaded</h1></body></html>"


class HttpServer:
    """Answers requests on 127.0.0.1 until it is stopped; a context manager.

    :param port: 0 takes a free one
    """

    def __init__(self, port: int = 0) -> None:
        self.faults = http_faults.Faults()
        self.stopping = threading.Event()
        self._calls: list[http_faults.Call] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        self._server = _Listener(("127.0.0.1", port), _Handler, self)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def calls(self) -> list[http_faults.Call]:
        """All requests so far, in order."""
        with self._lock:
            return list(self._calls)

    def count(self, method: str, path: str) -> int:
        """How many requests there were.

        :param path: a regular expression for the whole path
        """
        return sum(1 for call in self.calls if call.method == method and re.fullmatch(path, call.path))

    def forget(self) -> None:
        """Forget all requests so far."""
        with self._lock:
            self._calls.clear()

    def answer(self, call: http_faults.Call) -> http_faults.Reply:
        """What a stand-in answers to a request."""
        raise NotImplementedError

    def start(self) -> Self:
        """Begin to answer."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stand-in", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Cut all connections and end."""
        self.stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            cut(connection)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def record(self, call: http_faults.Call) -> None:
        """Keep a request."""
        with self._lock:
            self._calls.append(call)

    def opened(self, connection: socket.socket, *, now: bool) -> None:
        """A connection was opened, or closed."""
        with self._lock:
            (self._open.add if now else self._open.discard)(connection)


def cut(connection: socket.socket) -> None:
    """End a connection for both sides at once."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[http.server.BaseHTTPRequestHandler], owner: HttpServer):
        super().__init__(address, handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.owner.opened(self.connection, now=True)

    def finish(self) -> None:
        self.server.owner.opened(self.connection, now=False)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Nothing: what came is in ``calls``."""

    def _serve(self) -> None:
        owner = self.server.owner
        call = self._read()
        owner.record(call)
        fault = owner.faults.take(call)
        kind = "" if fault is None else fault.kind
        if kind == http_faults.HANG:
            owner.stopping.wait()
        if kind in (http_faults.HANG, http_faults.RESET):
            self._cut()
        elif kind == http_faults.HTML:
            self._send(http_faults.Reply(200, _PAGE, content_type="text/html"))
        elif kind == http_faults.DEEP:
            self._send(http_faults.Reply(200, b'{"stack": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"))
        elif fault is not None and kind != http_faults.LOSE:
            self._send(fault.reply)
        else:
            reply = owner.answer(call)
            self._cut() if kind == http_faults.LOSE else self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _cut(self) -> None:
        self.close_connection = True
        cut(self.connection)

    def _read(self) -> http_faults.Call:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        try:
            body = json.loads(data) if data else None
        except ValueError:
            body = None
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        return http_faults.Call(self.command, urllib.parse.unquote(parts.path), query, dict(self.headers.items()), body)

    def _send(self, reply: http_faults.Reply) -> None:
        data = reply.data()
        self.send_response(reply.status, http.HTTPStatus(reply.status).phrase)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()
