"""The session that etcd3gw posts through.

``requests.Session.post`` prepares, merges and adapts for each call anew, which costs more than etcd's answer.  This
one does what etcd's gateway needs and no more: one kept connection, a head that is built once per URL, and no regard
for the environment (proxies, ``REQUESTS_CA_BUNDLE``, ``.netrc``).
"""

from __future__ import annotations

import json as json_library
import ssl
import time
import urllib.parse
from typing import Any

import requests

from esi_worker.store import connection


class Reply:
    """What etcd3gw asks of a response, and no more."""

    __slots__ = ("content", "reason", "status_code")

    def __init__(self, status_code: int, reason: str, content: bytes) -> None:
        self.status_code = status_code
        self.reason = reason
        self.content = content

    @property
    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """:raises ValueError: if the body is not JSON."""
        return json_library.loads(self.content)


def request_head(url: str) -> bytes:
    """The head of a POST, up to the length of its body.

    ``hasleader`` has a member that lost its leader refuse at once instead of keeping the request.
    """
    parts = urllib.parse.urlsplit(url)
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        "Grpc-Metadata-hasleader: true\r\nContent-Length: "
    ).encode()


def request(head: bytes, token: str, body: bytes) -> bytes:
    """A whole request.

    :param head: what :func:`request_head` gave
    :param token: of etcd's users; empty for none
    """
    if token:
        return b"%b%d\r\nAuthorization: %b\r\n\r\n%b" % (head, len(body), token.encode(), body)
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


class Session(requests.Session):
    """A session for one endpoint and one thread.

    :param host: name or address
    :param port: TCP port
    :param tls: for https; None for http
    :ivar token: sent as ``Authorization``; empty for none
    :ivar connect_timeout: seconds for opening the connection
    :ivar sent: whether the last request left whole, so that etcd may have done it although no answer came
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self.trust_env = False
        self.token = ""
        self.connect_timeout = 10.0
        self.sent = False
        self._connection = connection.Connection(host, port, tls)
        self._heads: dict[str, bytes] = {}

    def post(self, url: Any, data: Any = None, json: Any = None, *, timeout: Any = None, **kwargs: Any) -> Any:
        """Send a request and read its reply.

        :param data: the body as bytes; or ``json``: a value to send as JSON
        :param timeout: seconds for the reply, from now on
        :returns: a :class:`Reply`
        :raises requests.exceptions.Timeout: see :attr:`sent` for whether etcd may have done it
        :raises requests.exceptions.ConnectionError: the same
        """
        self.sent = False
        body = data if json is None else json_library.dumps(json).encode()
        head = self._heads.get(url)
        if head is None:
            head = self._heads[url] = request_head(url)
        try:
            return self._exchange(request(head, self.token, body), timeout)
        except TimeoutError as error:
            raise requests.exceptions.Timeout(str(error) or "timed out") from error
        except OSError as error:
            raise requests.exceptions.ConnectionError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        super().close()

    def _exchange(self, message: bytes, timeout: float) -> Reply:
        kept = self._connection
        deadline = time.monotonic() + timeout
        if not kept.usable():
            kept.connect(min(self.connect_timeout, timeout))
        whole = False
        try:
            kept.send(message, deadline - time.monotonic())
            self.sent = True
            head, begun = kept.head(deadline)
            reply = Reply(head.status, head.reason, kept.body(head, begun, deadline))
            whole = not head.close
            return reply
        finally:
            # Whatever is left of a broken exchange must never be taken for the answer of the next.
            if not whole:
                kept.close()
