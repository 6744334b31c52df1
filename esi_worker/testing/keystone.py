"""A stand-in for Keystone v3: gives out tokens that name a project, and a catalog with one service in it."""

from __future__ import annotations

import datetime
import secrets
import threading

from esi_worker.testing import http_faults
from esi_worker.testing import http_server


class KeystoneServer(http_server.HttpServer):
    """Gives a token to whoever knows the password.

    :ivar heat_url: the endpoint of Heat in the catalog, with ``%(tenant_id)s`` where the project stands
    :param username: the one user
    :param password: the user's password
    """

    def __init__(self, heat_url: str, username: str = "esi", password: str = "secret-of-esi", port: int = 0) -> None:
        super().__init__(port)
        self.username = username
        self.password = password
        self.heat_url = heat_url
        self._tokens: dict[str, str] = {}
        self._tokens_lock = threading.Lock()

    def project(self, token: str) -> str | None:
        """The project that a token is for; None if it is none."""
        with self._tokens_lock:
            return self._tokens.get(token)

    def expire(self) -> None:
        """From now on no token given out so far is worth anything."""
        with self._tokens_lock:
            self._tokens.clear()

    def answer(self, call: http_faults.Call) -> http_faults.Reply:
        """``POST /v3/auth/tokens``, and nothing else."""
        if (call.method, call.path) != ("POST", "/v3/auth/tokens"):
            return _error(404, "The resource could not be found.")
        try:
            user = call.body["auth"]["identity"]["password"]["user"]
            project = str(call.body["auth"]["scope"]["project"]["id"])
            known = (user["name"], user["password"]) == (self.username, self.password)
        except (KeyError, TypeError):
            return _error(400, "Expecting to find auth in request body.")
        if not known:
            return _error(401, "The request you have made requires authentication.")
        token = secrets.token_hex(16)
        with self._tokens_lock:
            self._tokens[token] = project
        return http_faults.Reply(201, self._token(project), {"X-Subject-Token": token})

    def _token(self, project: str) -> dict[str, object]:
        now = datetime.datetime.now(datetime.UTC)
        shown = "%Y-%m-%dT%H:%M:%S.000000Z"
        endpoint = {"id": "heat", "interface": "public", "region": "RegionOne", "region_id": "RegionOne"}
        endpoint["url"] = self.heat_url % {"tenant_id": project}
        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": "esi", "name": self.username, "domain": domain},
                "project": {"id": project, "name": project, "domain": domain},
                "roles": [{"id": "member", "name": "member"}],
                "catalog": [{"id": "heat", "type": "orchestration", "name": "heat", "endpoints": [endpoint]}],
                "issued_at": now.strftime(shown),
                "expires_at": (now + datetime.timedelta(hours=1)).strftime(shown),
            }
        }


def _error(status: int, message: str) -> http_faults.Reply:
    return http_faults.Reply(status, {"error": {"code": status, "message": message, "title": "Error"}})
