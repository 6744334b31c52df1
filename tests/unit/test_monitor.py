"""The monitor, with probes that answer from memory, and time that a test moves."""

from __future__ import annotations

import collections
import threading
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.pipeline import device_state
from esi_worker.pipeline import monitor
from esi_worker.testing import context
from tests import waiting

DEVICE = api.Device("192.0.2.1", 830, "netops", "secret")


class Wire:
    """The world behind the probes: what devices say, and what was done to them."""

    def __init__(self) -> None:
        self.log: list[tuple[str, ...]] = []
        self.answers: dict[str, str] = {}
        self.trouble: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}
        self.busy: collections.Counter[str] = collections.Counter()
        self.together = 0

    def count(self, verb: str) -> int:
        return sum(entry[0] == verb for entry in self.log)


class WireSession:
    def __init__(self, wire: Wire, address: str) -> None:
        self.wire = wire
        self.address = address
        self.broken = False

    def close(self) -> None:
        self.wire.log.append(("close", self.address))


class WireProbe(api.Probe):
    """Reads from the wire; ``connect`` and ``read`` raise what a test has put there."""

    transport = "wire"
    wanted_status = "up"
    wire: Wire

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        return api.Target(name, self.settings.name, api.Device(properties["host"]), {"what": name}, "up")

    def connect(self, device: api.Device) -> WireSession:
        self.wire.log.append(("connect", device.address))
        self.meet("connect", device.address)
        return WireSession(self.wire, device.address)

    def read(self, session: WireSession, targets: Sequence[api.Target]) -> Mapping[str, str]:
        asked = sorted(str(each.question["what"]) for each in targets)
        self.wire.log.append(("read", session.address, self.settings.name, *asked))
        self.meet("read", session.address)
        if session.broken:
            raise api.Unreachable("cut")
        return {api.key(each): self.wire.answers[each.name] for each in targets if each.name in self.wire.answers}

    def meet(self, verb: str, address: str) -> None:
        self.wire.busy[address] += 1
        self.wire.together = max(self.wire.together, self.wire.busy[address])
        try:
            if gate := self.wire.gates.get(address):
                gate.wait(20)
            if trouble := self.wire.trouble.get(f"{verb} {address}"):
                raise trouble
        finally:
            self.wire.busy[address] -= 1


class MonitorCase(unittest.TestCase):
    threads = 16

    def setUp(self) -> None:
        self.now = 1000.0
        self.wire = Wire()
        self.addCleanup(self.open_gates)
        self.monitor = monitor.DeviceMonitor(
            {"wire": self.probe("wire"), "other": self.probe("other")}, threads=self.threads, clock=lambda: self.now
        )
        self.addCleanup(self.monitor.close)

    def open_gates(self) -> None:
        for gate in self.wire.gates.values():
            gate.set()

    def probe(self, name: str) -> WireProbe:
        probe = WireProbe(context.settings(WireProbe, name))
        probe.wire = self.wire
        return probe

    def target(self, name: str, address: str = "r1", probe: str = "wire", what: str = "") -> api.Target:
        return api.Target(name, probe, api.Device(address), {"what": what or name}, "up")

    def look(self, *targets: api.Target, interval: float = 10.0) -> Mapping[str, api.Reading]:
        return self.monitor.observe(targets, interval)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        return waiting.wait_for(condition, what)

    def read_until(
        self, target: api.Target, condition: Callable[[api.Reading], Any], interval: float = 1e9
    ) -> api.Reading:
        """Look until the reading is as it should be, without causing another one."""

        def reading() -> api.Reading | None:
            found = self.look(target, interval=interval)[target.name]
            return found if condition(found) else None

        found: api.Reading = self.until(reading, f"the reading of {target.name}")
        return found

    def settled(self) -> None:
        """All visits that were asked for are over."""
        self.until(lambda: not any(state.busy for state in self.monitor._states.values()), "the end of all visits")


class ReadingTest(MonitorCase):
    """A device that is well."""

    def test_nobody_who_observes_waits(self) -> None:
        gate = self.wire.gates["r1"] = threading.Event()
        self.wire.answers["a"] = "up"
        self.assertEqual(api.Reading(None), self.look(self.target("a"))["a"])
        gate.set()
        self.assertEqual(api.Reading("up", "", 1000.0), self.read_until(self.target("a"), lambda r: r.status))

    def test_one_question_serves_all_targets_of_all_resources(self) -> None:
        gate = self.wire.gates["r1"] = threading.Event()
        targets = [self.target(f"t{number}") for number in range(50)]
        self.wire.answers = {each.name: "up" for each in targets}
        self.look(targets[0])
        self.until(lambda: self.wire.count("connect"), "the connection")
        for each in targets:  # each a resource of its own
            self.look(each)
        gate.set()
        self.settled()
        self.assertEqual({"up"}, {each.status for each in self.look(*targets).values()})
        self.assertEqual((1, 2), (self.wire.count("connect"), self.wire.count("read")))
        self.now += 10.0
        self.look(*targets)
        self.settled()
        self.assertEqual((1, 3), (self.wire.count("connect"), self.wire.count("read")))
        self.assertEqual(50 + 3, len(self.wire.log[-1]))

    def test_targets_of_one_name_are_told_apart_by_their_question(self) -> None:
        self.wire.answers = {"same": "up"}
        probe = self.probe("wire")
        probe.read = lambda session, targets: {api.key(each): each.question["what"] for each in targets}  # type: ignore[method-assign]
        self.monitor._probes = {"wire": probe}
        for what in ("one", "two"):
            target = self.target("same", what=what)
            self.assertEqual(what, self.read_until(target, lambda r: r.status).status)

    def test_it_is_asked_again_when_the_reading_is_old(self) -> None:
        self.wire.answers["a"] = "init"
        target = self.target("a")
        self.read_until(target, lambda r: r.status == "init")
        self.wire.answers["a"] = "up"
        self.now += 5.0
        self.look(target)
        self.settled()
        self.assertEqual(1, self.wire.count("read"))
        self.now += 5.0
        self.assertEqual("init", self.look(target)["a"].status)
        self.assertEqual(api.Reading("up", "", 1010.0), self.read_until(target, lambda r: r.status == "up"))

    def test_a_look_every_interval_gives_a_reading_every_interval(self) -> None:
        self.wire.answers["a"] = "up"
        for _ in range(5):
            self.look(self.target("a"), interval=1.0)
            self.settled()
            self.now += 0.99
        self.assertEqual(5, self.wire.count("read"))

    def test_probes_of_one_transport_share_the_session_and_are_asked_when_due(self) -> None:
        self.wire.answers = {"a": "up", "b": "up"}
        often, seldom = self.target("a"), self.target("b", probe="other")
        self.look(often, interval=1.0)
        self.look(seldom, interval=100.0)
        self.settled()
        self.now += 2.0
        self.look(often, interval=1.0)
        self.look(seldom, interval=100.0)
        self.settled()
        self.assertEqual(1, self.wire.count("connect"))
        self.assertEqual(2, sum(entry[2:3] == ("wire",) for entry in self.wire.log))
        self.assertEqual(1, sum(entry[2:3] == ("other",) for entry in self.wire.log))

    def test_what_the_device_does_not_know(self) -> None:
        reading = self.read_until(self.target("a"), lambda r: r.error)
        self.assertEqual((None, "FAIL"), (reading.status, self.monitor.published(self.target("a"), reading)))
        self.assertEqual("UP", self.monitor.published(self.target("a"), api.Reading("up")))


class TroubleTest(MonitorCase):
    """A device that isn't well."""

    def fail(self, message: str = "down", refused: bool = False) -> None:
        self.wire.trouble["connect r1"] = (api.PermanentError if refused else api.Unreachable)(message)

    def retry_delays(self, count: int) -> list[float]:
        """Seconds between one attempt and the next, looking every tenth of a second."""
        delays, began = [], self.now
        while len(delays) < count:
            before = self.wire.count("connect")
            self.look(self.target("a"), interval=0.1)
            self.settled()
            if self.wire.count("connect") > before:
                delays.append(self.now - began)
                began = self.now
            self.now += 0.25
        return delays[1:]

    def test_the_delay_grows_to_a_minute(self) -> None:
        self.fail()
        delays = self.retry_delays(10)
        for expected, delay in zip((1, 2, 4, 8, 16, 32, 60, 60, 60), delays, strict=True):
            self.assertTrue(expected * 0.74 <= delay <= expected + 0.26, delays)

    def test_a_refused_login_is_not_tried_again_soon(self) -> None:
        self.fail("refused the login of user netops", refused=True)
        for delay in self.retry_delays(4):
            self.assertGreaterEqual(delay, 30.0)
        self.assertEqual("refused the login of user netops", self.look(self.target("a"))["a"].error)

    def test_who_looks_while_a_visit_ends_does_not_shorten_the_delay(self) -> None:
        state = device_state.DeviceState(DEVICE)
        state.look(self.target("a"), 1.0, self.now)
        self.assertTrue(state.take_due(self.now))
        state.failed("refused", self.now, refused=True)
        state.look(self.target("a"), 1.0, self.now)
        self.assertEqual({}, state.take_due(self.now))
        self.assertTrue(state.wants_visit(self.now + 60))

    def test_it_says_why_and_recovers(self) -> None:
        self.fail()
        target = self.target("a")
        reading = self.read_until(target, lambda r: r.error)
        self.assertEqual((None, "down"), (reading.status, reading.error))
        self.wire.trouble.clear()
        self.wire.answers["a"] = "up"
        self.now += 1.0
        self.assertEqual("up", self.read_until(target, lambda r: r.status, interval=1.0).status)
        self.now += 1.0
        self.look(target, interval=1.0)
        self.settled()
        self.assertEqual(2, self.wire.count("connect"))

    def test_a_session_that_ended_meanwhile_is_opened_again_at_once(self) -> None:
        self.wire.answers["a"] = "up"
        target = self.target("a")
        self.read_until(target, lambda r: r.status)
        state = next(iter(self.monitor._states.values()))
        assert isinstance(state.session, WireSession)
        state.session.broken = True
        self.now += 10.0
        self.look(target)
        self.settled()
        self.assertEqual(api.Reading("up", "", 1010.0), self.look(target)["a"])
        self.assertEqual((2, 1), (self.wire.count("connect"), self.wire.count("close")))

    def test_a_refused_question_costs_neither_session_nor_patience(self) -> None:
        self.wire.trouble["read r1"] = api.TemporaryError("syntax error")
        reading = self.read_until(self.target("a"), lambda r: r.error)
        self.assertEqual("syntax error", reading.error)
        self.wire.trouble.clear()
        self.wire.answers["a"] = "up"
        self.now += 10.0
        self.look(self.target("a"))
        self.read_until(self.target("a"), lambda r: r.status)
        self.assertEqual(1, self.wire.count("connect"))

    def test_a_bug_in_a_probe_harms_its_device_only(self) -> None:
        self.wire.trouble["read r1"] = ZeroDivisionError("secret")
        self.wire.answers["b"] = "up"
        with self.assertLogs("esi_worker.pipeline.monitor", "ERROR"):
            reading = self.read_until(self.target("a"), lambda r: r.error)
        self.assertEqual("internal error in probe wire", reading.error)
        self.assertEqual("up", self.read_until(self.target("b", "r2"), lambda r: r.status).status)


class LanesTest(MonitorCase):
    """Few threads, many dead devices."""

    threads = 2

    def test_a_device_takes_one_thread_and_the_dead_leave_the_others_alone(self) -> None:
        self.wire.answers["a"] = "up"
        target = self.target("a")
        self.read_until(target, lambda r: r.status)
        dead = [self.target(f"d{number}", f"dead{number}") for number in range(20)]
        for each in dead:
            self.wire.gates[each.device.address] = threading.Event()
        for _ in range(3):
            for each in dead:
                self.look(each, interval=0.0)
        self.until(lambda: self.wire.count("connect") == 3, "two dead devices that take both threads")
        for _ in range(5):
            self.now += 10.0
            self.look(target)
            self.read_until(target, lambda r: r.at == self.now)
        self.assertEqual(1, self.wire.together)
        self.assertEqual(3, self.wire.count("connect"))


class LifeTest(MonitorCase):
    """What is kept, and for how long."""

    def test_a_target_that_nobody_observes_is_forgotten_and_then_the_session_closed(self) -> None:
        self.wire.answers = {"a": "up", "b": "up"}
        self.look(self.target("a"), self.target("b"))
        self.settled()
        for _ in range(7):
            self.now += 10.0
            self.monitor.sweep()
            self.look(self.target("a"))
            self.settled()
        self.assertEqual(("read", "r1", "wire", "a"), self.wire.log[-1])
        self.now += 61.0
        self.monitor.sweep()
        self.assertEqual(("close", "r1"), self.wire.log[-1])
        self.assertEqual({}, self.monitor._states)

    def test_a_long_interval_is_not_forgotten_in_between(self) -> None:
        self.wire.answers["a"] = "up"
        self.look(self.target("a"), interval=100.0)
        self.settled()
        self.now += 299.0
        self.monitor.sweep()
        self.assertEqual("up", self.look(self.target("a"), interval=1e9)["a"].status)

    def test_closing(self) -> None:
        self.wire.answers["a"] = "up"
        self.read_until(self.target("a"), lambda r: r.status)
        self.monitor.close()
        self.assertEqual(("close", "r1"), self.wire.log[-1])
        self.now += 100.0
        self.assertEqual("up", self.look(self.target("a"))["a"].status)
        self.assertEqual(1, self.wire.count("read"))

    def test_a_session_that_opens_while_it_closes_is_closed(self) -> None:
        gate = self.wire.gates["r1"] = threading.Event()
        self.look(self.target("a"))
        self.until(lambda: self.wire.count("connect"), "the connection")
        self.monitor.close()
        gate.set()
        self.until(lambda: self.wire.count("close"), "its end")


class ParseTest(MonitorCase):
    """Targets from templates and from records."""

    def test_the_probe_checks(self) -> None:
        target = self.monitor.parse("a", {"type": "wire", "host": "r1"})
        self.assertEqual(api.Target("a", "wire", api.Device("r1"), {"what": "a"}, "up"), target)

    def test_unknown_types(self) -> None:
        with self.assertRaisesRegex(api.PermanentError, "target x: there is no probe 'ping'; installed: other, wire"):
            self.monitor.parse("x", {"type": "ping"})
        for properties in ({}, {"type": 3}, {"type": ""}):
            with self.assertRaisesRegex(api.PermanentError, "target x: type is missing"):
                self.monitor.parse("x", properties)

    def test_trust_asks_nobody(self) -> None:
        with self.assertLogs("esi_worker.pipeline.monitor", "WARNING"):
            trusting = monitor.DeviceMonitor({"wire": self.probe("wire")}, mode="trust", clock=lambda: self.now)
        self.addCleanup(trusting.close)
        given = {"a": {"type": "wire"}, "b": {"type": "ping"}, "c": {"type": "ping", "wanted_status": "backup"}}
        targets = [trusting.parse(name, properties) for name, properties in given.items()]
        readings = trusting.observe(targets, 1.0)
        self.assertEqual({"a": "up", "b": "ACTIVE", "c": "backup"}, {n: r.status for n, r in readings.items()})
        shown = [trusting.published(each, readings[each.name]) for each in targets]
        self.assertEqual(["UP", "UP", "BACKUP"], shown)
        self.assertEqual([], self.wire.log)

    def test_no_other_mode(self) -> None:
        with self.assertRaises(api.ConfigError):
            monitor.DeviceMonitor({}, mode="guess")

    def test_restoring_secrets(self) -> None:
        reference = {"resource_type": "edge_router", "resource_id": "e1", "field": "password"}
        properties = {"host": "r1", "password": {"secret": reference}, "users": [{"key": {"secret": reference}}, 7]}
        restored = monitor.restore(properties, lambda each: f"{each['resource_id']}-{each['field']}")
        secret = "e1-password"
        self.assertEqual({"host": "r1", "password": secret, "users": [{"key": secret}, 7]}, restored)


if __name__ == "__main__":
    unittest.main()
