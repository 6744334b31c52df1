"""Monitor, probes and handler against routers over real sockets."""

from __future__ import annotations

import threading
import time
import unittest
from collections.abc import Callable
from typing import Any

from esi_worker import api
from esi_worker.handlers import monitoring_worker
from esi_worker.pipeline import monitor
from esi_worker.probes import bgp_session
from esi_worker.probes import vrrp_session
from esi_worker.testing import context
from esi_worker.testing import junos_replies
from esi_worker.testing import router
from tests import waiting
from tests.functional import netconf_base

JOB = api.Job("create:monitoring_worker:gateway:g1:1:abcde", "monitoring_worker", "create", "gateway", "g1", 1)
Fault = router.Fault


class MonitoringCase(netconf_base.RouterCase):
    """A monitor with the built-in probes."""

    def setUp(self) -> None:
        super().setUp()
        probes: dict[str, api.Probe] = {
            "vrrp_session": vrrp_session.VrrpSession(api.Settings(self.conf, "vrrp_session")),
            "bgp_session": bgp_session.BgpSession(api.Settings(self.conf, "bgp_session")),
        }
        self.monitor = monitor.DeviceMonitor(probes, threads=4)
        self.addCleanup(self.monitor.close)

    def properties(self, unit: int = 0, vrid: int = 41, server: router.RouterServer | None = None) -> dict[str, Any]:
        server = server or self.router
        return {
            "type": "vrrp_session",
            "host": server.host,
            "port": server.port,
            "login": netconf_base.USERNAME,
            "password": netconf_base.PASSWORD,
            "interface": f"ae0.{unit}",
            "vrid": vrid,
        }

    def target(self, unit: int = 0, vrid: int = 41, server: router.RouterServer | None = None) -> api.Target:
        return self.monitor.parse(f"{unit}_{vrid}", self.properties(unit, vrid, server))

    def reading(
        self, target: api.Target, condition: Callable[[api.Reading], Any], interval: float = 0.05
    ) -> api.Reading:
        def look() -> api.Reading | None:
            found = self.monitor.observe([target], interval)[target.name]
            return found if condition(found) else None

        found: api.Reading = waiting.wait_for(look, f"the reading of {target.name}")
        return found

    def known(self, *servers: router.RouterServer) -> None:
        self.known_hosts.write_text("".join(each.host_key for each in (self.router, *servers)))


class ReadingTest(MonitoringCase):
    """Routers that are well."""

    def test_one_rpc_serves_fifty_targets(self) -> None:
        self.router.engine.configure(netconf_base.units(25))
        targets = [self.target(unit, vrid) for unit in range(25) for vrid in (41, 42)]
        self.monitor.observe(targets, 1e9)
        self.reading(targets[-1], lambda r: r.status, interval=1e9)
        self.assertEqual({"master"}, {r.status for r in self.monitor.observe(targets, 1e9).values()})
        counts = self.router.engine.counts
        self.assertEqual((1, 1, 1), (counts["connections"], counts["sessions"], counts["rpcs"]))

    def test_the_session_is_kept_across_readings_and_probes(self) -> None:
        self.router.engine.configure(netconf_base.units(1))
        self.router.engine.configure("protocols { bgp { group core { neighbor 192.0.2.9; } } }")
        properties = {**self.properties(), "type": "bgp_session", "peer_ip": "192.0.2.9"}
        peer = self.monitor.parse("peer", properties)
        for _ in range(5):
            last = self.reading(self.target(), lambda r: r.status).at
            self.reading(self.target(), lambda r, last=last: r.at > last)  # type: ignore[misc]
            self.assertEqual("ESTABLISHED", self.reading(peer, lambda r: r.status).status)
        self.assertEqual(1, self.router.engine.counts["connections"])
        self.assertGreaterEqual(self.router.engine.counts["get-vrrp-information"], 6)

    def test_every_style_of_reply(self) -> None:
        self.router.engine.configure(netconf_base.units(1))
        for style in junos_replies.Style:
            for knows_summary in (True, False):
                with self.subTest(style=style, knows_summary=knows_summary):
                    server = self.start_router()
                    self.known(server)
                    server.engine.configure(netconf_base.units(1))
                    server.engine.style, server.engine.knows_summary = style, knows_summary
                    self.assertEqual("master", self.reading(self.target(server=server), lambda r: r.status).status)

    def test_what_is_not_configured_is_not_there_yet(self) -> None:
        self.assertIn("does not know", self.reading(self.target(), lambda r: r.error).error)
        self.router.engine.configure(netconf_base.units(1))
        self.assertEqual("master", self.reading(self.target(), lambda r: r.status).status)
        self.assertEqual(1, self.router.engine.counts["connections"])

    def test_a_router_that_cuts_idle_sessions_is_no_failure(self) -> None:
        self.router.engine.configure(netconf_base.units(1))
        self.reading(self.target(), lambda r: r.status)
        self.router.drop()
        dropped, seen = time.monotonic(), []

        def note(reading: api.Reading) -> bool:
            seen.append(reading)
            return reading.at > dropped

        self.reading(self.target(), note)
        self.assertEqual(2, self.router.engine.counts["connections"])
        self.assertEqual({"master"}, {each.status for each in seen})


class TroubleTest(MonitoringCase):
    """One router in trouble beside one that is well."""

    def setUp(self) -> None:
        super().setUp()
        self.other = self.start_router(role="backup")
        self.known(self.other)
        for each in (self.router, self.other):
            each.engine.configure(netconf_base.units(1))
        self.set(connect_timeout=0.3, rpc_timeout=0.3)

    def check(self, fault: Fault, reason: str) -> None:
        """The fault shows, the other router is read meanwhile, and what was broken recovers."""
        self.router.fault(fault)
        broken, well = self.target(), self.target(server=self.other)
        reading = self.reading(broken, lambda r: r.error)
        self.assertRegex(reading.error, reason)
        self.assertEqual("FAIL", self.monitor.published(broken, reading))
        for _ in range(3):
            self.monitor.observe([broken], 0.05)
            last = self.reading(well, lambda r: r.status == "backup").at
            self.reading(well, lambda r, last=last: r.at > last)  # type: ignore[misc]
        self.router.fault(None)
        self.set(connect_timeout=10.0, rpc_timeout=10.0)
        self.assertEqual("master", self.reading(broken, lambda r: r.status).status)

    def test_refused(self) -> None:
        self.check(Fault.REFUSED, "Connection refused")

    def test_no_banner(self) -> None:
        self.check(Fault.NO_BANNER, "within 0.3 s")

    def test_silence_instead_of_a_hello(self) -> None:
        self.check(Fault.SILENT_HELLO, "within 0.3 s")

    def test_silence(self) -> None:
        self.check(Fault.SILENT_RPC, "did not answer within 0.3 s")

    def test_cut_in_the_middle_of_a_reply(self) -> None:
        self.check(Fault.CUT_REPLY, "cut the connection")

    def test_malformed_xml(self) -> None:
        self.check(Fault.MALFORMED, "malformed XML")

    def test_an_rpc_error(self) -> None:
        self.check(Fault.RPC_ERROR, "the daemon did not answer")

    def test_vrrp_not_running(self) -> None:
        self.check(Fault.NOT_RUNNING, "does not know")

    def test_a_wrong_password_is_not_tried_again_at_once(self) -> None:
        self.set(connect_timeout=10.0)
        self.router.fault(Fault.LOGIN_REFUSED)
        reading = self.reading(self.target(), lambda r: r.error)
        self.assertIn("refused the login of user netops", reading.error)
        self.router.fault(None)
        well = self.target(server=self.other)
        for _ in range(20):
            self.monitor.observe([self.target()], 0.0)
            last = self.reading(well, lambda r: r.status).at
            self.reading(well, lambda r, last=last: r.at > last)  # type: ignore[misc]
        self.assertEqual(1, self.router.engine.counts["connections"])


class HandlerTest(MonitoringCase):
    """A job that waits for routers."""

    def setUp(self) -> None:
        super().setUp()
        self.other = self.start_router(role="backup")
        self.known(self.other)
        plugin = monitoring_worker.MonitoringWorker
        self.worker = plugin(context.settings(plugin, "monitoring_worker"))

    def document(self, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for vrid in (41, 42):
            found[f"primary_{vrid}"] = {**self.properties(0, vrid), **more}
            found[f"secondary_{vrid}"] = {**self.properties(0, vrid, self.other), "wanted_status": "backup", **more}
        return found

    def apply(self, document: api.JSON, elapsed: float) -> api.Done | api.Again:
        secrets = frozenset({netconf_base.PASSWORD})
        reference = {"resource_type": "edge_router", "resource_id": "e1", "field": "password"}
        return self.worker.apply(
            JOB,
            context.StandInContext(
                monitor=self.monitor,
                elapsed=elapsed,
                document=document,
                secrets=secrets,
                references={netconf_base.PASSWORD: reference},
            ),
        )

    def done(self, document: api.JSON) -> api.Done:
        def step() -> api.Done | None:
            result = self.apply(document, 1.0)
            return result if isinstance(result, api.Done) else None

        found: api.Done = waiting.wait_for(step, "the end of the job")
        return found

    def test_a_create_waits_until_the_sessions_are_up(self) -> None:
        self.assertIsInstance(self.apply(self.document(), 1.0), api.Again)
        for each in (self.router, self.other):
            each.engine.configure(netconf_base.units(1))
        done = self.done(self.document())
        expected = {"primary_41": "master", "primary_42": "master", "secondary_41": "backup", "secondary_42": "backup"}
        self.assertEqual({"state_monitoring": expected}, done.result)
        self.assertNotIn(netconf_base.PASSWORD, repr(done))
        assert isinstance(done.record, dict)
        targets = {
            name: self.monitor.parse(name, monitor.restore(properties, lambda _: netconf_base.PASSWORD))
            for name, properties in done.record["targets"].items()
        }
        readings = self.monitor.observe(list(targets.values()), 1e9)
        self.assertEqual(expected, {name: reading.status for name, reading in readings.items()})
        self.assertEqual(1, self.router.engine.counts["connections"], "the collector has a session of its own")

    def test_a_wrong_state_for_ever(self) -> None:
        for each in (self.router, self.other):
            each.engine.configure(netconf_base.units(1))
        self.router.engine.force_vrrp("ae0.0", 42, "bringup")
        targets = [self.monitor.parse(name, properties) for name, properties in self.document().items()]
        waiting.wait_for(lambda: all(r.at for r in self.monitor.observe(targets, 1e9).values()), "all readings")
        with self.assertRaises(api.PermanentError) as raised:
            self.apply(self.document(timeout=30), 30.0)
        self.assertEqual("target primary_42: wanted master within 30 s, last seen bringup", raised.exception.message)

    def test_a_refused_login_says_so_when_the_time_is_over(self) -> None:
        self.other.engine.configure(netconf_base.units(1))
        self.router.fault(Fault.LOGIN_REFUSED)
        self.assertIsInstance(self.apply(self.document(), 1.0), api.Again)
        targets = [self.monitor.parse(name, properties) for name, properties in self.document().items()]
        waiting.wait_for(lambda: all(r.at for r in self.monitor.observe(targets, 1e9).values()), "all readings")
        with self.assertRaisesRegex(
            api.PermanentError, "target primary_41: .* refused the login of user netops"
        ) as raised:
            self.apply(self.document(timeout=30), 30.0)
        self.assertNotIn("secondary", raised.exception.message)


class ClosingTest(MonitoringCase):
    """What is left when a monitor is closed."""

    def test_nothing(self) -> None:
        self.router.engine.configure(netconf_base.units(1))
        self.reading(self.target(), lambda r: r.status)
        self.router.fault(Fault.SILENT_RPC)
        self.monitor.observe([self.target()], 0.0)
        self.monitor.close()

        def left() -> list[str]:
            return [each.name for each in threading.enumerate() if each.name.startswith(("monitor", "session"))]

        waiting.wait_for(lambda: not left(), "the end of all threads")


if __name__ == "__main__":
    unittest.main()
