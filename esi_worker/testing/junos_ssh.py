"""The stand-in router's side of SSH: who may log in, and the subsystem ``netconf``."""

from __future__ import annotations

import dataclasses
from typing import Any

import asyncssh

from esi_worker.testing import junos_engine


@dataclasses.dataclass(slots=True)
class Door:
    """How one gets in.

    :ivar engine: what answers
    :ivar username: who may log in
    :ivar password: with which password
    :ivar connections: those that are open; touched in the router's thread only
    """

    engine: junos_engine.JunosEngine
    username: str
    password: str
    connections: set[asyncssh.SSHServerConnection] = dataclasses.field(default_factory=set)


class Login(asyncssh.SSHServer):
    """One SSH connection; asyncssh calls its methods."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember it, so that it can be cut."""
        self._connection = conn
        self._door.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._connection is not None:
            self._door.connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        """:returns: yes, and nothing else."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """:returns: whether it is the right user with the right password."""
        right = (username, password) == (self._door.username, self._door.password)
        return right and self._door.engine.fault is not junos_engine.Fault.LOGIN_REFUSED

    def session_requested(self) -> Subsystem:
        """:returns: what serves a new channel."""
        return Subsystem(self._door.engine)


class Subsystem(asyncssh.SSHServerSession[bytes]):
    """One NETCONF session on an SSH connection; asyncssh calls its methods."""

    def __init__(self, engine: junos_engine.JunosEngine) -> None:
        self._session = engine.open()
        self._channel: Any = None

    def connection_made(self, chan: Any) -> None:
        """Remember the channel."""
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        """:returns: whether there is such a subsystem."""
        return subsystem == "netconf"

    def session_started(self) -> None:
        """Say hello."""
        self._channel.write(self._session.hello())

    def data_received(self, data: bytes, datatype: Any) -> None:
        """Answer."""
        self._channel.write(self._session.receive(data))
        if self._session.closed:
            self._channel.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session."""
        self._session.end()
