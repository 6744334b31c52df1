"""One HTTP/1.1 connection to an etcd endpoint: what the session keeps per thread and what a watch reads from.

It knows of HTTP only what etcd's gateway uses: a POST with a body, a reply with a length, in chunks or up to the end
of the connection.  Everything that goes wrong is an :class:`OSError`.
"""

from __future__ import annotations

import dataclasses
import re
import select
import socket
import ssl
import time
from typing import Final

_PIECE: Final = 65536
_MAX_HEAD: Final = 65536
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?:\r\n|$)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*(?:\r\n|$)", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*(?:\r\n|$)", re.IGNORECASE)


class Garbled(OSError):
    """What came is not the HTTP that was expected."""


class Cut(ConnectionError):
    """The other side closed the connection in the middle."""


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The head of a reply.

    :ivar length: bytes of the body; None where it is chunked or ends with the connection
    """

    status: int
    reason: str
    length: int | None
    chunked: bool
    close: bool


def parse_head(data: bytes) -> Head:
    """:raises Garbled: if it is not the head of an HTTP/1 reply."""
    line, _, _ = data.partition(b"\r\n")
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise Garbled(f"not an HTTP reply: {line[:80]!r}")
    length = _LENGTH.search(data)
    chunked = length is None and _CHUNKED.search(data) is not None
    close = _CLOSE.search(data) is not None or (length is None and not chunked) or version == b"HTTP/1.0"
    reason = rest[4:].decode("latin-1")
    return Head(int(rest[:3]), reason, int(length[1]) if length else None, chunked, close)


class Chunks:
    """Takes a chunked body apart as it comes: a chunk may come in pieces, and one piece may hold many chunks."""

    def __init__(self) -> None:
        self.ended = False
        self._buffer = bytearray()
        self._left = 0
        self._in_chunk = False
        self._trailers = False

    def feed(self, data: bytes) -> bytes:
        """:returns: what of the body is known now; :raises Garbled: if it is not chunked."""
        self._buffer += data
        parts: list[bytes] = []
        while not self.ended:
            if self._left:
                if not self._buffer:
                    break
                part = bytes(self._buffer[: self._left])
                del self._buffer[: len(part)]
                self._left -= len(part)
                parts.append(part)
            elif not self._line():
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _line(self) -> bool:
        """Take a line between two chunks: the end of one, the size of the next, or what comes after the last."""
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise Garbled("a chunk has no size")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._trailers:
            self.ended = not line
        elif self._in_chunk:
            self._in_chunk = False
            if line:
                raise Garbled(f"a chunk is longer than it says: {line[:40]!r}")
        else:
            try:
                self._left = int(line.partition(b";")[0], 16)
            except ValueError:
                raise Garbled(f"not the size of a chunk: {line[:40]!r}") from None
            self._in_chunk = self._left > 0
            self._trailers = self._left == 0
        return True


class Connection:
    """A connection, kept between requests.  For one thread at a time, but any thread may :meth:`close` it.

    :param host: name or address
    :param port: TCP port
    :param tls: for https; None for http
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._address = (host, port)
        self._tls = tls
        self._socket: socket.socket | None = None
        self._poll = select.poll()

    def __del__(self) -> None:
        self.close()

    def usable(self) -> bool:
        """Whether it is open and nothing waits to be read, as it does where the other side has closed it."""
        return self._socket is not None and not self._poll.poll(0)

    def connect(self, timeout: float) -> None:
        """Open it anew.

        :param timeout: seconds
        """
        self.close()
        plain = socket.create_connection(self._address, timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = (
                plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self._address[0])
            )
        except BaseException:
            plain.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def send(self, data: bytes, timeout: float) -> None:
        """Send all of it: where this raises, the other side can't have all of it.

        :param timeout: seconds
        """
        connected = self._connected()
        connected.settimeout(timeout)
        connected.sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Some bytes, as they come; none at the end of the connection.

        :param timeout: seconds; what comes after a :class:`TimeoutError` is not lost
        """
        connected = self._connected()
        connected.settimeout(max(timeout, 0.001))
        return connected.recv(_PIECE)

    def head(self, deadline: float) -> tuple[Head, bytes]:
        """Read the head of a reply.

        :param deadline: ``time.monotonic()`` by which it must be there
        :returns: the head, and what came of the body with it
        """
        data = self._more(deadline)
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _MAX_HEAD:
                raise Garbled("the head of the reply does not end")
            data += self._more(deadline)
        return parse_head(data[:end]), data[end + 4 :]

    def body(self, head: Head, begun: bytes, deadline: float) -> bytes:
        """Read the rest of a reply's body.

        :param begun: what came with the head
        """
        if head.length is not None:
            return self._counted(head.length, begun, deadline)
        parts = []
        if head.chunked:
            chunks = Chunks()
            parts.append(chunks.feed(begun))
            while not chunks.ended:
                parts.append(chunks.feed(self._more(deadline)))
            return b"".join(parts)
        while begun:
            parts.append(begun)
            begun = self.receive(deadline - time.monotonic())
        return b"".join(parts)

    def close(self) -> None:
        """Close it; whoever waits for something from it is told at once."""
        closing, self._socket = self._socket, None
        if closing is None:
            return
        try:
            closing.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was faster
        finally:
            closing.close()

    def _counted(self, length: int, begun: bytes, deadline: float) -> bytes:
        if len(begun) == length:
            return begun
        data = bytearray(begun)
        while len(data) < length:
            data += self._more(deadline)
        if len(data) > length:
            raise Garbled("the reply is longer than it says")
        return bytes(data)

    def _more(self, deadline: float) -> bytes:
        data = self.receive(deadline - time.monotonic())
        if not data:
            raise Cut("the connection was closed")
        return data

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise Cut("the connection was closed")
        return self._socket
