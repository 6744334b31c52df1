"""What a test asks of etcd beside what a store does: compaction, users."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from typing import Protocol


class Refused(Exception):
    """etcd did not do it."""


class Server(Protocol):
    """Where etcd listens.

    :ivar tls: what its certificate is checked with; None for http
    """

    tls: ssl.SSLContext | None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""


class Admin:
    """Speaks to the gateway of one member, as root once there are users.

    :ivar users: whether etcd asks for a user
    """

    def __init__(self, server: Server) -> None:
        self.users = False
        self._server = server
        self._password = ""

    def post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for anything.

        :param path: below ``/v3/``, such as ``maintenance/status``
        :raises Refused: if etcd does not do it
        :raises OSError: if it does not answer
        """
        return self._post(path, document, self._token())

    def healthy(self) -> bool:
        """Whether it has a leader; that its database is full is another matter."""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError), self._link(2.0) as link:
            link.request("GET", "/health?exclude=NOSPACE")
            return bool(json.loads(link.getresponse().read()).get("health") == "true")
        return False

    def compact(self, revision: int) -> None:
        """Forget the changes before a revision."""
        self.post("kv/compaction", {"revision": revision, "physical": True})

    def add_user(self, name: str, password: str, prefixes: Mapping[str, str]) -> None:
        """Make a user.

        :param prefixes: prefix -> ``READ``, ``WRITE`` or ``READWRITE``
        """
        self.post("auth/role/add", {"name": name})
        for prefix, permission in prefixes.items():
            end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
            granted = {"permType": permission, "key": _base64(prefix), "range_end": _base64(end)}
            self.post("auth/role/grant", {"name": name, "perm": granted})
        self.post("auth/user/add", {"name": name, "password": password})
        self.post("auth/user/grant", {"user": name, "role": name})

    def turn_users_on(self, root_password: str) -> None:
        """From now on etcd asks for a user; ``root`` may do everything."""
        self.post("auth/role/add", {"name": "root"})
        self.post("auth/user/add", {"name": "root", "password": root_password})
        self.post("auth/user/grant", {"user": "root", "role": "root"})
        self.post("auth/enable", {})
        self.users = True
        self._password = root_password

    def _token(self) -> str:
        if not self.users:
            return ""
        return str(self._post("auth/authenticate", {"name": "root", "password": self._password}, "")["token"])

    def _post(self, path: str, document: Mapping[str, Any], token: str) -> dict[str, Any]:
        headers = {"Authorization": token} if token else {}
        with self._link(10.0) as link:
            link.request("POST", f"/v3/{path}", json.dumps(document), headers)
            answer = link.getresponse()
            body = answer.read()
        if answer.status != 200:
            raise Refused(f"{path}: {answer.status} {body.decode(errors='replace')}")
        parsed: dict[str, Any] = json.loads(body)
        return parsed

    def _link(self, timeout: float) -> contextlib.closing[http.client.HTTPConnection]:
        host, port = self._server.address
        tls = self._server.tls
        if tls is None:
            return contextlib.closing(http.client.HTTPConnection(host, port, timeout=timeout))
        return contextlib.closing(http.client.HTTPSConnection(host, port, timeout=timeout, context=tls))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
