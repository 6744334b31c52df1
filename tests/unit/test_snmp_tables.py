"""What a device's clock tells, from readings that a test has written down."""

from __future__ import annotations

import unittest
from typing import cast

from esi_worker.clients import snmp
from esi_worker.clients import snmp_messages
from esi_worker.clients import snmp_tables

WRAP = 2**32


class ScriptedSession:
    """An agent with nothing but a clock."""

    def __init__(self) -> None:
        self.ticks: int | None = None

    def __str__(self) -> str:
        return "192.0.2.1:161"

    def get(self, oids: list[snmp_messages.Oid]) -> dict[snmp_messages.Oid, snmp_messages.Value]:
        return {} if self.ticks is None else dict.fromkeys(oids, self.ticks)


class UptimeTest(unittest.TestCase):
    """A clock that grows, restarts, stands still or comes to its end."""

    def setUp(self) -> None:
        self.now = 1000.0
        self.agent = ScriptedSession()
        self.uptime = snmp_tables.Uptime(cast(snmp.SnmpSession, self.agent), lambda: self.now)

    def reading(self, ticks: int | None, after: float = 60.0) -> bool | None:
        self.now += after
        self.agent.ticks = ticks
        return self.uptime.grows()

    def test_the_first_reading_counts(self) -> None:
        self.assertTrue(self.reading(0))

    def test_a_clock_that_grows(self) -> None:
        self.assertEqual([True, True, True], [self.reading(ticks) for ticks in (100, 6100, 12100)])

    def test_a_restart_shows_once_and_in_the_log(self) -> None:
        self.reading(500000)
        with self.assertLogs("esi_worker.clients.snmp_tables", "WARNING") as logged:
            self.assertFalse(self.reading(300))
        self.assertIn("192.0.2.1:161 has restarted", logged.output[0])
        self.assertTrue(self.reading(6300))

    def test_a_restart_after_a_standstill_shows_too(self) -> None:
        self.assertEqual([True, False, False], [self.reading(ticks) for ticks in (500, 500, 20)])

    def test_the_end_of_the_counter_is_no_restart(self) -> None:
        self.assertTrue(self.reading(WRAP - 3000))
        self.assertTrue(self.reading(3000))
        self.assertFalse(self.reading(100))

    def test_a_standstill_is_noticed_after_a_while_and_however_often_one_looks(self) -> None:
        self.reading(700)
        self.assertEqual([True] * 9, [self.reading(700, after=1) for _ in range(9)])
        self.assertEqual([False] * 3, [self.reading(700, after=1) for _ in range(3)])
        self.assertTrue(self.reading(701, after=1))

    def test_an_agent_without_a_clock(self) -> None:
        self.assertIsNone(self.reading(None))
