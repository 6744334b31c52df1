"""etcd's JSON gateway: several endpoints, a client per thread, tokens, and what is tried again.

The one user of etcd3gw.
"""

from __future__ import annotations

import dataclasses
import json
import ssl
import threading
import time
import urllib.parse
import weakref
from collections.abc import Sequence
from typing import Any

import etcd3gw
from etcd3gw import exceptions

from esi_worker import api
from esi_worker.store import connection
from esi_worker.store import failures
from esi_worker.store import session


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """One member of etcd, or what stands before it."""

    protocol: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint:
    """Read ``http://host:2379``, ``https://host:2379`` or ``host:2379`` (which is http).

    :raises ConfigError: for anything else
    """
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 2379
    except ValueError as error:
        raise api.ConfigError(f"the etcd endpoint {text!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.username:
        raise api.ConfigError("an etcd endpoint has the form http://host:2379 or https://host:2379")
    return Endpoint(parts.scheme, parts.hostname, port)


class Gateway:
    """Sends requests to whichever endpoint answers.

    :param endpoints: tried in turn; the one that answered last is used first
    :param tls: for https endpoints
    :param username: empty where etcd asks for none
    :param timeout: seconds for a call, all its attempts together
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], tls: ssl.SSLContext | None, username: str, password: str, timeout: float
    ) -> None:
        self.username = username
        self.timeout = timeout
        self._endpoints = tuple(endpoints)
        self._tls = tls
        self._password = password
        self._place = 0
        self._token: str | None = None
        self._token_lock = threading.Lock()
        self._threads = threading.local()
        self._open: weakref.WeakSet[connection.Connection | session.Session] = weakref.WeakSet()
        self._open_lock = threading.Lock()
        self._closed = False

    def call(self, path: str, body: bytes, subject: str, *, repeatable: bool, reads: bool = False) -> Any:
        """Send a request and return etcd's answer.

        :param path: below ``/v3/``, such as ``kv/range``
        :param subject: what it is, for errors
        :param repeatable: whether doing it twice does no harm
        :param reads: whether nothing can be applied
        :raises StoreError: when no endpoint did it
        """
        deadline = time.monotonic() + self.timeout
        token = self.token()
        reply, failure = self._attempts(path, body, token, deadline, repeatable)
        if failure is not None and failure.stale_token and self.renew(token):
            reply, failure = self._attempts(path, body, self.token(), deadline, repeatable)
        if failure is None:
            return reply
        raise failures.to_error(failure, subject, self.username, reads=reads)

    def token(self) -> str:
        """The token to send; empty where etcd asks for no user.

        :raises StoreError: if etcd gives none
        """
        if self.username and self._token is None:
            self.renew(None)
        return self._token or ""

    def renew(self, stale: str | None) -> bool:
        """Get a new token, unless another thread just did: etcd forgets its tokens when it restarts.

        :returns: whether there may be one now
        :raises StoreError: if etcd refuses the user
        """
        if not self.username:
            return False
        with self._token_lock:
            if self._token == stale:
                self._token = self._authenticate()
        return True

    def stream(self, path: str, body: bytes) -> tuple[int, connection.Connection]:
        """Send a request whose answer goes on and on.

        :returns: the endpoint's place, to :meth:`avoid` it if need be, and the connection to read from
        :raises StoreError: when no endpoint can be reached
        """
        if self._closed:
            raise api.StoreError("the store was closed")
        token = self.token()
        share = self.timeout / len(self._endpoints)
        reason = OSError()
        for _ in self._endpoints:
            place = self._place
            endpoint = self._endpoints[place]
            opened = connection.Connection(endpoint.host, endpoint.port, self._tls_for(endpoint))
            self._remember(opened)
            try:
                opened.connect(share)
                opened.send(session.request(session.request_head(f"{endpoint}/v3/{path}"), token, body), share)
            except OSError as error:
                opened.close()
                self.avoid(place)
                reason = error
            else:
                return place, opened
        raise api.StoreError(f"no endpoint of etcd can be reached: {reason}")

    def avoid(self, place: int) -> None:
        """Go on with the next endpoint, unless another thread moved on already."""
        if self._place == place:
            self._place = (place + 1) % len(self._endpoints)

    def close(self) -> None:
        """Close all connections of all threads."""
        self._closed = True
        with self._open_lock:
            for each in list(self._open):
                each.close()

    def _attempts(
        self, path: str, body: bytes, token: str, deadline: float, repeatable: bool
    ) -> tuple[Any, failures.Failure | None]:
        """Try endpoints until one did it, or may have done it and must not be asked again."""
        left = max(2, len(self._endpoints))
        while True:
            place = self._place
            answers = min(left, len(self._endpoints)) if repeatable else 1
            reply, failure = self._attempt(place, path, body, token, deadline, answers, left)
            if failure is None or not failure.elsewhere:
                return reply, failure
            self.avoid(place)
            left -= 1
            if not left or not (repeatable or failure.refused) or time.monotonic() >= deadline:
                return None, failure

    def _attempt(
        self, place: int, path: str, body: bytes, token: str, deadline: float, answers: int, connects: int
    ) -> tuple[Any, failures.Failure | None]:
        """Try one endpoint.

        :param answers: how many attempts share the time that is left for an answer
        :param connects: how many share the time to connect
        """
        client, sender = self._client(place)
        left = max(deadline - time.monotonic(), 0.001)
        client.timeout = left / answers
        sender.connect_timeout = left / connects
        sender.token = token
        try:
            reply = client.post(client.get_url(path), data=body)
        except exceptions.Etcd3Exception as error:
            failure = failures.read(error, sent=sender.sent)
            if failure.code == failures.NO_ANSWER:
                failure = dataclasses.replace(failure, text=f"{self._endpoints[place]}: {failure.text}")
            return None, failure
        except ValueError as error:
            return None, failures.Failure(failures.UNKNOWN, f"the answer is not etcd's: {error}", sender.sent)
        if not isinstance(reply, dict) or not reply.keys() & {"header", "result"}:
            return None, failures.Failure(failures.UNKNOWN, "the answer is not etcd's", sender.sent)
        return reply, None

    def _authenticate(self) -> str:
        body = json.dumps({"name": self.username, "password": self._password}).encode()
        deadline = time.monotonic() + self.timeout
        reply, failure = self._attempts("auth/authenticate", body, "", deadline, True)
        if failure is None:
            return str(reply["token"])
        if "authentication is not enabled" in failure.text:
            return ""  # etcd takes anybody; that it was told of a user does no harm
        raise failures.to_error(failure, f"user {self.username!r}", self.username, reads=True)

    def _client(self, place: int) -> tuple[etcd3gw.Etcd3Client, session.Session]:
        """An endpoint's client for the thread that asks, and the session that it posts through."""
        if self._closed:
            raise api.StoreError("the store was closed")
        clients: dict[Any, tuple[etcd3gw.Etcd3Client, session.Session]] = self._threads.__dict__
        pair = clients.get(place)
        if pair is None:
            endpoint = self._endpoints[place]
            sender = session.Session(endpoint.host, endpoint.port, self._tls_for(endpoint))
            self._remember(sender)
            client = etcd3gw.Etcd3Client(
                endpoint.host, endpoint.port, endpoint.protocol, api_path="/v3/", session=sender
            )
            pair = clients[place] = (client, sender)
        return pair

    def _tls_for(self, endpoint: Endpoint) -> ssl.SSLContext | None:
        return self._tls if endpoint.protocol == "https" else None

    def _remember(self, opened: connection.Connection | session.Session) -> None:
        """What :meth:`close` will close, unless its thread ended before."""
        with self._open_lock:
            self._open.add(opened)
