"""Starts all that the demo needs, on free loopback ports, and ends it again."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from esi_worker.testing import etcd
from esi_worker.testing import heat
from esi_worker.testing import router
from esi_worker.testing import snmp_agent
from esi_worker.testing.demo import world

_DRAIN: Final = 40.0
"""Seconds that the daemon has to stop before it is killed."""

_CONFIG: Final = """\
# Written by the demo, anew with each run.
[etcd]
endpoints = {etcd}

[heat_worker]
auth_type = none
endpoint = {heat}
poll_interval = 0.5

[netconf]
# The addresses in the documents are those of real routers; here the stand-ins answer for them.
endpoints = {endpoints}
known_hosts = {known_hosts}

[snmp]
endpoints = {agents}

[job_manager]
secrets = reference

[collector]
interval = {interval}
"""


@dataclasses.dataclass(frozen=True)
class Running:
    """What runs.

    :ivar agents: of routers and switches
    :ivar config: the config file of the daemon, for esictl too
    :ivar log: what the daemon says
    """

    etcd: etcd.EtcdServer
    heat: heat.HeatServer
    routers: list[tuple[world.Router, router.RouterServer]]
    agents: list[tuple[world.Agent, snmp_agent.SnmpAgent]]
    daemon: subprocess.Popen[bytes]
    config: pathlib.Path
    log: pathlib.Path

    def tail(self, lines: int = 20) -> str:
        """The end of the daemon's log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def running(folder: pathlib.Path, wanted: world.World, interval: float, delay: float) -> Iterator[Running]:
    """Start everything; whatever happens, all of it is ended.

    :param folder: where data, config and logs go; what an earlier run left there is removed
    :param wanted: the resources, for the devices that they speak of
    :param interval: of the collector, in seconds
    :param delay: seconds that Heat takes for a stack
    :raises EtcdError: if etcd does not start
    """
    shutil.rmtree(folder / "etcd", ignore_errors=True)
    with contextlib.ExitStack() as stack:
        store = etcd.EtcdServer(str(folder / "etcd"))
        stack.callback(store.close)
        store.start()
        routers = [(each, stack.enter_context(_play(each))) for each in wanted.routers()]
        agents = [(each, stack.enter_context(_answer(each))) for each in wanted.agents()]
        endpoints = {each.address: f"{server.host}:{server.port}" for each, server in routers}
        orchestration = stack.enter_context(heat.HeatServer(heat.Devices(endpoints)))
        orchestration.stacks.delay = delay
        known_hosts = folder / "known_hosts"
        known_hosts.write_text("".join(_known(each, server) for each, server in routers), encoding="utf-8")
        config, log = folder / "esi-worker.conf", folder / "esi-worker.log"
        config.write_text(
            _CONFIG.format(
                etcd=store.endpoint,
                heat=orchestration.endpoint,
                endpoints=",".join(f"{device}={place}" for device, place in endpoints.items()),
                agents=",".join(f"{each.address}={server.host}:{server.port}" for each, server in agents),
                known_hosts=known_hosts.resolve(),
                interval=interval,
            ),
            encoding="utf-8",
        )
        daemon = stack.enter_context(_daemon(config, log))
        yield Running(store, orchestration, routers, agents, daemon, config, log)


def _play(played: world.Router) -> router.RouterServer:
    return router.RouterServer(
        role=played.role, groups=played.groups, username=played.username, password=played.password, settle=0.5
    )


def _answer(agent: world.Agent) -> snmp_agent.SnmpAgent:
    return snmp_agent.SnmpAgent(agent.interfaces, community=agent.community)


def _known(played: world.Router, server: router.RouterServer) -> str:
    address, _, port = played.address.rpartition(":")
    return server.known_hosts_line(address, int(port))


@contextlib.contextmanager
def _daemon(config: pathlib.Path, log: pathlib.Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "esi_worker.cmd.daemon", "--config-file", str(config)]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C is for the demo, which stops the daemon before what it depends on.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_DRAIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
