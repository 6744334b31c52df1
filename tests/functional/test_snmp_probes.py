"""The probes by SNMP, alone and with the monitor, against an agent over a real socket."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker.pipeline import monitor
from esi_worker.probes import logical_port
from esi_worker.probes import physical_port
from esi_worker.probes import router
from esi_worker.probes import switch
from esi_worker.testing import probe_conformance
from esi_worker.testing import snmp_agent
from tests import waiting
from tests.functional import snmp_base

Fault = snmp_agent.Fault


class ConformanceCase(snmp_base.AgentCase):
    """What the tests that every probe must pass are given."""

    def setUp(self) -> None:
        super().setUp()
        self.agent = self.start_agent("xe-0/0/0", "xe-0/0/1")

    def make_probe(self) -> api.Probe:
        return physical_port.PhysicalPort(api.Settings(self.conf, "physical_port"))

    def make_properties(self, number: int = 0) -> Mapping[str, api.JSON]:
        return {
            "type": "physical_port",
            "device_ip": self.agent.host,
            "port": self.agent.port,
            "community_name": snmp_base.COMMUNITY,
            "name": f"xe-0/0/{number}",
        }

    def make_unknown(self) -> Mapping[str, api.JSON]:
        return self.make_properties(9)

    def questions(self) -> int:
        return self.agent.counts["get"]

    @contextlib.contextmanager
    def silence(self) -> Iterator[None]:
        self.agent.fault(Fault.SILENT)
        yield
        self.agent.fault(None)


class ConformanceTest(ConformanceCase, probe_conformance.ProbeConformance):
    """What every probe must keep to."""


class MonitorTest(snmp_base.AgentCase):
    """Monitor and probes."""

    def setUp(self) -> None:
        super().setUp()
        kinds = {
            "physical_port": physical_port.PhysicalPort,
            "logical_port": logical_port.LogicalPort,
            "switch": switch.Switch,
            "router": router.Router,
        }
        probes = {name: kind(api.Settings(self.conf, name)) for name, kind in kinds.items()}
        self.monitor = monitor.DeviceMonitor(probes, threads=4)
        self.addCleanup(self.monitor.close)
        self.agent = self.start_agent("ae0", "xe-0/0/3")

    def target(self, kind: str, interface: str = "", community: str = snmp_base.COMMUNITY) -> api.Target:
        host = self.agent.host
        address = {"device_ip": host, "name": interface} if interface else {"ip": host, "mibs": []}
        properties = {"type": kind, "port": self.agent.port, "community_name": community, **address}
        return self.monitor.parse("t", properties)

    def wait(self, target: api.Target, condition: Callable[[api.Reading], Any], interval: float = 0.05) -> api.Reading:
        def look() -> api.Reading | None:
            found = self.monitor.observe([target], interval)[target.name]
            return found if condition(found) else None

        found: api.Reading = waiting.wait_for(look, f"the reading of {target}")
        return found

    def shown(self, target: api.Target, text: str) -> None:
        """Wait until /monitoring would show this."""
        self.wait(target, lambda reading: reading.at and self.monitor.published(target, reading) == text)

    def test_targets_of_two_resources_and_four_probes_share_a_session(self) -> None:
        first, second = self.target("physical_port", "xe-0/0/3"), self.target("physical_port", "ae0")
        others = [self.target("logical_port", "ae0"), self.target("switch"), self.target("router")]
        self.agent.mib.set("ae0", up=False)
        self.monitor.observe([first], 1e9)
        self.monitor.observe([second], 1e9)
        self.assertEqual("ACTIVE", self.wait(first, lambda reading: reading.status, 1e9).status)
        self.assertEqual("DOWN", self.wait(second, lambda reading: reading.status, 1e9).status)
        for each in others:
            self.wait(each, lambda reading: reading.status, 1e9)
        self.assertEqual(1, self.agent.counts["bulk"])

    def test_an_interface_goes_down_and_comes_back(self) -> None:
        target = self.target("logical_port", "ae0")
        self.shown(target, "UP")
        self.agent.mib.set("ae0", up=False)
        self.shown(target, "FAIL")
        self.agent.mib.set("ae0", up=True)
        self.shown(target, "UP")

    def test_an_interface_that_is_not_there(self) -> None:
        target = self.target("physical_port", "xe-9/9/9")
        reading = self.wait(target, lambda reading: reading.at)
        self.assertEqual((None, "FAIL"), (reading.status, self.monitor.published(target, reading)))
        self.assertIn("does not know it", reading.error)

    def test_silence_shows_and_ends(self) -> None:
        target = self.target("switch")
        self.shown(target, "UP")
        self.agent.fault(Fault.SILENT)
        reading = self.wait(target, lambda reading: reading.status is None)
        self.assertIn("did not answer by SNMP", reading.error)
        self.agent.fault(None)
        self.shown(target, "UP")

    def test_a_wrong_community_fails_only_who_has_it(self) -> None:
        wrong, right = self.target("switch", community="canary-guess"), self.target("switch")
        reading = self.wait(wrong, lambda reading: reading.error)
        self.assertIn("does not take the community", reading.error)
        self.assertNotIn("canary", reading.error)
        self.shown(right, "UP")

    def test_a_switch_that_restarts_is_down_for_one_reading(self) -> None:
        probe, target = switch.Switch(api.Settings(self.conf, "switch")), self.target("switch")
        self.agent.mib.restart(ticks=500000)
        with contextlib.closing(probe.connect(target.device)) as session:
            seen = [probe.read(session, [target])]
            self.agent.mib.restart()
            with self.assertLogs("esi_worker.clients.snmp_tables", "WARNING") as logged:
                seen += [probe.read(session, [target]), probe.read(session, [target])]
        key = api.key(target)
        self.assertEqual([{key: "ACTIVE"}, {key: "DOWN"}, {key: "ACTIVE"}], seen)
        self.assertEqual(1, len(logged.output))
