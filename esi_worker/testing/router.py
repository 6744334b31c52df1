"""A stand-in for a Junos router: NETCONF over SSH on a loopback port.

::

    with router.RouterServer(role="master", groups={"IF-USER-VRRP-ACT": [41, 42]}) as device:
        ...                                        # connect to device.host, device.port
        device.fault(junos_engine.Fault.SILENT_RPC)

As a process: ``python -m esi_worker.testing.router --role backup``; it prints one line of JSON with its port and its
line for ``known_hosts`` and runs until it is told to end.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Coroutine
from collections.abc import Sequence
from typing import Any

import asyncssh

from esi_worker.testing import junos_engine
from esi_worker.testing import junos_ssh

Fault = junos_engine.Fault


class RouterServer:
    """A router in a thread of its own.

    :param engine: what answers; made from the other arguments if not given
    :param username: who may log in
    :param password: with which password
    :param host: the address to listen on
    :param port: the port; 0 takes a free one
    :param host_key: a private key in OpenSSH's format; a new one is made if not given
    :param settings: for :class:`~esi_worker.testing.junos_engine.JunosEngine`
    :ivar engine: the router itself
    :ivar port: where it listens, once it is started
    """

    def __init__(
        self,
        engine: junos_engine.JunosEngine | None = None,
        *,
        username: str = "netops",
        password: str = "router-password",
        host: str = "127.0.0.1",
        port: int = 0,
        host_key: str = "",
        **settings: Any,
    ) -> None:
        self.engine = engine or junos_engine.JunosEngine(**settings)
        self._door = junos_ssh.Door(self.engine, username, password)
        self.host = host
        self.port = port
        self._key = asyncssh.import_private_key(host_key) if host_key else asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="router", daemon=True)
        self._held: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = False
        self._listener: socket.socket | None = None
        self._options: asyncssh.SSHServerConnectionOptions | None = None

    def __enter__(self) -> RouterServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host_key(self) -> str:
        """The line for ``known_hosts`` under the address where it listens."""
        return self.known_hosts_line(self.host, self.port)

    def known_hosts_line(self, address: str, port: int) -> str:
        """The line for ``known_hosts`` under another address: that of the device it stands for."""
        public = self._key.export_public_key("openssh").decode().split()
        return f"[{address}]:{port} {public[0]} {public[1]}\n"

    def start(self) -> None:
        """Listen.

        :raises OSError: if the port is taken
        """
        self._bind()
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: junos_ssh.Login(self._door), server_host_keys=[self._key], encoding=None
        )
        self._thread.start()
        self._call(self._listen())

    def close(self) -> None:
        """Cut all connections and stop listening."""
        if self._thread.is_alive():
            self._call(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        if not self._thread.is_alive() and not self._loop.is_closed():
            self._loop.close()

    def fault(self, fault: Fault | None) -> None:
        """Misbehave from now on; None: behave."""
        self.engine.fault = fault
        self._call(self._refuse() if fault is Fault.REFUSED else self._listen())

    def drop(self) -> None:
        """Cut all connections."""
        self._call(self._drop())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        future: concurrent.futures.Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        future.result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _bind(self) -> None:
        listener = socket.socket()
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener

    async def _listen(self) -> None:
        if self._listener is not None and not self._accepting:
            self._accepting = True
            self._listener.listen(128)
            self._spawn(self._accept(self._listener))

    async def _refuse(self) -> None:
        """Close the listening socket and keep the port: what is bound and doesn't listen refuses."""
        await self._cancel()
        if self._listener is not None:
            self._listener.close()
        self._bind()

    async def _stop(self) -> None:
        await self._cancel()
        if self._listener is not None:
            self._listener.close()
        await self._drop()

    async def _cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._accepting = False

    async def _drop(self) -> None:
        connections = list(self._door.connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(each.wait_closed() for each in connections), return_exceptions=True)
        for sock in self._held:
            sock.close()
        self._held.clear()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            sock, _ = await self._loop.sock_accept(listener)
            self.engine.counts["connections"] += 1
            if self.engine.fault is Fault.NO_BANNER:
                self._held.add(sock)
            else:
                self._spawn(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        # A client that goes away or can't log in is no error of the router.
        with contextlib.suppress(asyncssh.Error, OSError):
            await asyncssh.run_server(sock, options=self._options)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a router until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="esi_worker.testing.router", description="A stand-in for a Junos router.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--name", default="", help="ADDRESS:PORT of the device it stands for, for known_hosts")
    parser.add_argument("--role", choices=("master", "backup"), default="master", help="what its VRRP groups come to")
    parser.add_argument("--username", default="netops")
    parser.add_argument("--password", default="router-password")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds until a new session has its final state")
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME=VRID,...", help="a configuration group with VRRP groups"
    )
    given = parser.parse_args(argv)
    groups = {
        name: [int(each) for each in vrids.split(",")] for name, _, vrids in (g.partition("=") for g in given.group)
    }
    engine = junos_engine.JunosEngine(given.role, groups, settle=given.settle)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with RouterServer(
        engine, username=given.username, password=given.password, host=given.host, port=given.port
    ) as server:
        address, _, port = (given.name or f"{server.host}:{server.port}").rpartition(":")
        line = {"port": server.port, "known_hosts": server.known_hosts_line(address, int(port)).strip()}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
