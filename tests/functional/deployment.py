"""A whole deployment on loopback: a real etcd, stand-ins for Heat and routers, and daemons as processes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import IO
from typing import Protocol

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import etcd as etcd_store
from esi_worker.store import keys
from esi_worker.testing import etcd
from esi_worker.testing import etcd_cluster
from esi_worker.testing import heat_devices
from esi_worker.testing import heat_server
from esi_worker.testing import router
from esi_worker.testing import snmp_agent

PATIENCE = float(os.environ.get("ESI_WORKER_PATIENCE") or 60)
"""Seconds that anything may take that has to come."""

_USER = ("username", "password")


@dataclasses.dataclass(frozen=True)
class Change:
    """One event of etcd's history, its value read as JSON where it is JSON; None where the key was removed."""

    revision: int
    key: str
    value: Any


class Process(Protocol):
    """What is done to a process here: a part of :class:`subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None:
        """:returns: the exit status; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """:returns: the exit status; :raises subprocess.TimeoutExpired: after so many seconds."""

    def kill(self) -> None:
        """SIGKILL."""

    def send_signal(self, number: int, /) -> None:
        """Any signal."""


Launch = Callable[[pathlib.Path, IO[bytes]], Process]
"""Starts a daemon, given its configuration file and where it writes."""


def launch(config_file: pathlib.Path, log: IO[bytes]) -> Process:
    """Start a daemon as operators do."""
    command = [sys.executable, "-m", "esi_worker.cmd.daemon", "--config-file", str(config_file)]
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


class Daemon:
    """One ``esi-worker`` process.

    :param start: how to start it
    """

    def __init__(self, config_file: pathlib.Path, log_file: pathlib.Path, start: Launch = launch) -> None:
        self.log_file = log_file
        self._log = log_file.open("ab")
        self.process = start(config_file, self._log)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: it has no chance to tidy up."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self, timeout: float = 45.0) -> int:
        """SIGTERM; :returns: its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._log.close()
        return status


class Deployment:
    """Started by :meth:`start`, ended by :meth:`close`; ``store`` and the stand-ins are the test's to use.

    :param routers: address that the documents name -> arguments of :class:`RouterServer`
    :param agents: address that the documents name -> arguments of :class:`SnmpAgent`
    :param configures: whether the stand-in Heat configures the routers; otherwise its stacks are complete at once
    :param options: more of the daemons' configuration: group -> option -> value
    :param fsync: whether etcd makes each write durable
    :param server: an etcd of the test's making, not started yet, instead of a plain one
    :param cluster: several members instead of one; ``etcd`` is the first of them
    :param start: how daemons are started
    :ivar etcd_endpoints: URLs of etcd
    :ivar pause: seconds between two looks at etcd while something is waited for
    """

    def __init__(
        self,
        routers: Mapping[str, Mapping[str, Any]] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        agents: Mapping[str, Mapping[str, Any]] | None = None,
        fsync: bool = False,
        configures: bool = True,
        server: etcd.EtcdServer | None = None,
        cluster: etcd_cluster.EtcdCluster | None = None,
        start: Launch = launch,
    ) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="esi-worker-"))
        self.cluster = cluster
        plain = server or etcd.EtcdServer(str(self.folder / "etcd"), fsync=fsync)
        self.etcd = cluster.members[0] if cluster else plain
        self.routers = {address: router.RouterServer(**arguments) for address, arguments in (routers or {}).items()}
        self.agents = {address: snmp_agent.SnmpAgent(**arguments) for address, arguments in (agents or {}).items()}
        self._options = options or {}
        self._configures = configures
        self.pause = 0.02
        self._start = start
        self._daemons: list[Daemon] = []
        self._closing = contextlib.ExitStack()

    def start(self) -> Deployment:
        """Start etcd and the stand-ins; no daemon yet."""
        whole = self.cluster or self.etcd
        self._closing.callback(whole.close)
        whole.start()
        self.etcd_endpoints = self.cluster.endpoints if self.cluster else [self.etcd.endpoint]
        for each in (*self.routers.values(), *self.agents.values()):
            each.start()
            self._closing.callback(each.close)
        self.endpoints = {f"{address}:830": f"127.0.0.1:{each.port}" for address, each in self.routers.items()}
        self.heat = heat_server.HeatServer(heat_devices.Devices(self.endpoints) if self._configures else None)
        self.heat.start()
        self._closing.callback(self.heat.stop)
        self.store = self.new_store()
        self._closing.callback(self.store.close)
        return self

    def new_store(self) -> base.Store:
        """A way to etcd that the daemons don't share; whoever asks for it closes it."""
        users = {name: str(value) for name, value in self._options.get("etcd", {}).items() if name in _USER}
        return etcd_store.EtcdStore(self.etcd_endpoints, **users)

    def close(self) -> None:
        """End everything that was started; nothing of it is left, unless ``ESI_WORKER_KEEP`` is set."""
        for each in self._daemons:
            if each.process.poll() is None:
                each.kill()
        self._closing.close()
        if not os.environ.get("ESI_WORKER_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- daemons -----------------------------------------------------------------------------------------------

    def daemon(self, name: str = "daemon", endpoint: str = "", **options: Mapping[str, Any]) -> Daemon:
        """Start one more daemon.

        :param endpoint: of etcd, where it isn't to reach it directly
        :param options: of this daemon only: group -> option -> value
        """
        config_file = self.folder / f"{name}-{len(self._daemons)}.conf"
        config_file.write_text(self._config(endpoint or ",".join(self.etcd_endpoints), options))
        found = Daemon(config_file, self.folder / f"{name}-{len(self._daemons)}.log", self._start)
        self._daemons.append(found)
        return found

    def running(self) -> int:
        """How many daemons run, or stand still."""
        return sum(1 for each in self._daemons if each.process.poll() is None)

    def logs(self) -> str:
        """What all daemons have written."""
        return "\n".join(each.log for each in self._daemons)

    def _config(self, endpoint: str, more: Mapping[str, Mapping[str, Any]]) -> str:
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text("".join(each.known_hosts_line(address, 830) for address, each in self.routers.items()))
        groups: dict[str, dict[str, Any]] = {
            "DEFAULT": {"debug": "false"},
            "etcd": {"endpoints": endpoint},
            "job_manager": {"lease_ttl": 3, "wait_for_relatives": 3},
            "worker": {"lease_ttl": 3, "retry_delay": 0.1, "retry_delay_max": 1},
            "collector": {"interval": 1, "lease_ttl": 3},
            "heat_worker": {"auth_type": "none", "endpoint": self.heat.endpoint, "poll_interval": 0.1},
            "snmp": {
                "endpoints": ",".join(f"{device}:161=127.0.0.1:{each.port}" for device, each in self.agents.items()),
            },
            "netconf": {
                "known_hosts": known_hosts,
                "endpoints": ",".join(f"{device}={real}" for device, real in self.endpoints.items()),
            },
        }
        for options in (self._options, more):
            for group, members in options.items():
                groups.setdefault(group, {}).update(members)
        lines = []
        for group, members in groups.items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in members.items()), ""]
        return "\n".join(lines)

    # -- documents ---------------------------------------------------------------------------------------------

    def put(self, path: str, body: Any, version: int = 1, *, marked: bool = False, as_text: bool = True) -> None:
        """Write ``/config/<path>`` as Gohan does."""
        body = json.dumps(body) if as_text and not isinstance(body, str) else body
        document = {"body": body, "version": version, "marked_for_deletion": marked}
        self.store.put(keys.CONFIG + path, codec.encode(document))

    def get(self, key: str) -> Any:
        """What a key holds, read as JSON; None where there is none."""
        entry = self.store.get(key)
        return None if entry is None else codec.decode(entry.value)

    def state(self, path: str) -> Any:
        """``/state/<path>``, or None."""
        return self.get(keys.STATE + path)

    def keys(self) -> list[str]:
        """All keys that are there."""
        return [entry.key for entry in self.store.list("/").entries]

    def documents(self) -> dict[str, Any]:
        """All that is there: key -> value, read as JSON where it is JSON."""
        return {entry.key: read_json(entry.value) for entry in self.store.list("/").entries}

    def leases(self) -> int:
        """How many leases etcd has.

        :raises StoreError: if it does not answer
        """
        try:
            return len(self.etcd.admin.post("lease/leases", {}).get("leases", []))
        except OSError as error:
            raise api.StoreError(f"etcd did not say which leases it has: {error}") from None

    def wait_state(self, path: str, version: int = 1, timeout: float = PATIENCE) -> Any:
        """Wait until ``/state`` is of a version, and return it."""
        self.wait(lambda: (self.state(path) or {}).get("version") == version, f"/state/{path} of {version}", timeout)
        return self.state(path)

    def wait(self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE) -> None:
        """Wait until a condition holds, looking whenever etcd changed and now and then.

        :raises AssertionError: if it doesn't within so many seconds; the text has the end of the daemons' logs
        """
        deadline = time.monotonic() + timeout
        stop = threading.Event()
        revision = 0
        while not _holds(condition):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout:g} s: {what}\n{self.logs()[-6000:]}")
            revision = self._next_revision(revision, stop)

    def _next_revision(self, revision: int, stop: threading.Event) -> int:
        pause = threading.Event()
        for _ in range(10):
            pause.wait(self.pause)
            now = self._revision()
            if now != revision or now == -1:
                return now
        return revision

    def _revision(self) -> int:
        """etcd's revision; -1 while it does not answer: each such question takes its whole timeout."""
        try:
            return self.store.list("/no-such-prefix").revision
        except api.StoreError:
            return -1

    def history(self, since: int = 1) -> list[Change]:
        """All that etcd went through, in its order.

        :param since: the first revision
        """
        until = self.store.list("/no-such-prefix").revision
        found: list[Change] = []
        if since > until:
            return found
        stop = threading.Event()
        for batch in self.store.watch("/", since, stop):
            found += [_change(event) for event in batch.events if event.entry.mod_revision <= until]
            if batch.revision >= until or (batch.events and batch.events[-1].entry.mod_revision >= until):
                stop.set()
                break
        return found


def _change(event: base.Event) -> Change:
    entry = event.entry
    if event.kind == base.DELETE:
        return Change(entry.mod_revision, entry.key, None)
    return Change(entry.mod_revision, entry.key, read_json(entry.value))


def _holds(condition: Callable[[], Any]) -> bool:
    """An etcd that is away for a moment is no reason to give up."""
    with contextlib.suppress(api.StoreError):
        return bool(condition())
    return False


def read_json(value: bytes) -> Any:
    """What a key holds: read as JSON where it is JSON, else as it is."""
    try:
        return json.loads(value)
    except ValueError:
        return value


class DeploymentTest(unittest.TestCase):
    """A test with a deployment of its own."""

    def deploy(self, *args: Any, **kwargs: Any) -> Deployment:
        """A started deployment that ends with the test."""
        found = Deployment(*args, **kwargs)
        self.addCleanup(found.close)
        return found.start()


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Environment variables for a while."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
