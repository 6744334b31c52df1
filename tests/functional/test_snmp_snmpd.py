"""The probes by SNMP against Net-SNMP's agent, where this machine has it (Debian: ``apt install snmpd``)."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from esi_worker import api
from esi_worker.clients import snmp
from esi_worker.clients import snmp_tables
from esi_worker.probes import logical_port
from esi_worker.probes import router
from tests import waiting
from tests.functional import snmp_base

SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@unittest.skipUnless(SNMPD, "snmpd is not installed on this machine")
class SnmpdTest(unittest.TestCase):
    """An agent of another make: its lo is always up."""

    def setUp(self) -> None:
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        config = directory / "snmpd.conf"
        config.write_text(f"rocommunity {snmp_base.COMMUNITY} 127.0.0.1\n")
        self.port = free_port()
        process = subprocess.Popen(
            [str(SNMPD), "-f", "-Lf", str(directory / "log"), "-C", "-c", str(config), f"udp:127.0.0.1:{self.port}"],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(directory), "MIBS": ""},
            stdin=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        self.conf = snmp_base.configuration(timeout=2.0)
        waiting.wait_for(lambda: process.poll() is not None or self.answers(), "an answer of snmpd")
        self.assertIsNone(process.poll(), "snmpd ended")

    def session(self, community: str = snmp_base.COMMUNITY) -> snmp.SnmpSession:
        session = snmp.connect(api.Device("127.0.0.1", self.port, password=community), self.conf.snmp)
        self.addCleanup(session.close)
        return session

    def answers(self) -> bool:
        try:
            return snmp_tables.Uptime(self.session()).grows() is True
        except api.Unreachable:
            return False

    def test_interfaces(self) -> None:
        interfaces = snmp_tables.Interfaces(self.session())
        self.assertEqual({"lo": snmp_tables.UP}, interfaces.statuses(["lo", "no-such-interface"]))

    def test_every_interface_of_this_machine(self) -> None:
        names = [name for _, name in socket.if_nameindex()]
        self.assertEqual(set(names), set(snmp_tables.Interfaces(self.session()).statuses(names)))

    def test_wrong_community(self) -> None:
        self.conf.set_override("timeout", 0.2, group=snmp.GROUP)
        with self.assertRaises(api.Unreachable):
            snmp_tables.Uptime(self.session("canary-guess")).grows()

    def test_probes(self) -> None:
        common = {"community_name": snmp_base.COMMUNITY, "port": self.port}
        port = logical_port.LogicalPort(api.Settings(self.conf, "logical_port"))
        device = router.Router(api.Settings(self.conf, "router"))
        for probe, properties in (
            (port, {"device_ip": "127.0.0.1", "name": "lo"}),
            (device, {"ip": "127.0.0.1", "mibs": []}),
        ):
            target = probe.targets("t", {**common, **properties})
            session = probe.connect(target.device)
            self.addCleanup(session.close)
            for _ in range(2):
                self.assertEqual({api.key(target): "ACTIVE"}, probe.read(session, [target]))
