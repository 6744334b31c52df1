"""The door to SNMP, against an agent over a real socket."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import unittest

from esi_worker import api
from esi_worker.clients import snmp
from esi_worker.clients import snmp_tables
from esi_worker.testing import snmp_agent
from esi_worker.testing import snmp_mib
from tests import waiting
from tests.functional import snmp_base

Fault = snmp_agent.Fault
UPTIME = snmp_mib.SYS_UP_TIME


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


class SessionTest(snmp_base.AgentCase):
    """Questions and answers."""

    def test_get_leaves_out_what_is_not_there(self) -> None:
        agent = self.start_agent("ae0")
        name, absent = (*snmp_mib.IF_NAME, 501), (*snmp_mib.IF_NAME, 502)
        found = self.connect(agent).get([name, absent, UPTIME])
        self.assertEqual({name, UPTIME}, set(found))
        self.assertEqual(b"ae0", found[name])

    def test_walk_ends_with_the_column(self) -> None:
        agent = self.start_agent(*(f"ge-0/0/{number}" for number in range(100)))
        rows = list(self.connect(agent).walk(snmp_mib.IF_NAME))
        self.assertEqual([((501 + number,), f"ge-0/0/{number}".encode()) for number in range(100)], rows)
        self.assertEqual(3, agent.counts["bulk"])

    def test_walk_ends_with_the_agent(self) -> None:
        agent = self.start_agent("ae0", "ae1")
        self.assertEqual(2, len(list(self.connect(agent).walk(snmp_mib.AFTER_IF_NAME))))

    def test_an_answer_that_is_too_big_is_asked_for_in_parts(self) -> None:
        agent = self.start_agent(*(f"ge-0/0/{number}" for number in range(40)), longest=484)
        oids = [(*snmp_mib.IF_NAME, 501 + number) for number in range(40)]
        self.assertEqual(40, len(self.connect(agent).get(oids)))

    def test_a_lost_datagram_is_sent_again(self) -> None:
        agent = self.start_agent()
        agent.fault(Fault.LOSSY)
        self.assertIn(UPTIME, self.connect(agent).get([UPTIME]))
        self.assertEqual((2, 1), (agent.counts["received"], agent.counts["answered"]))

    def test_only_the_answer_to_the_question_counts(self) -> None:
        agent = self.start_agent()
        agent.mib.freeze(12345)
        agent.fault(Fault.FOREIGN)
        self.assertEqual({UPTIME: 12345}, self.connect(agent).get([UPTIME]))

    def test_endpoints_lead_elsewhere(self) -> None:
        agent = self.start_agent()
        self.set(endpoints=[f"192.0.2.7:161={agent.host}:{agent.port}"])
        session = snmp.connect(api.Device("192.0.2.7", 161, password=snmp_base.COMMUNITY), self.conf.snmp)
        self.addCleanup(session.close)
        self.assertIn(UPTIME, session.get([UPTIME]))


class TroubleTest(snmp_base.AgentCase):
    """Agents that don't do as they should."""

    def expect_unreachable(self, session: snmp.SnmpSession, text: str) -> None:
        with self.assertRaises(api.Unreachable) as caught:
            session.get([UPTIME])
        self.assertIn(text, caught.exception.message)
        self.assertNotIn("canary", caught.exception.message + caught.exception.detail)

    def test_who_has_the_wrong_community_gets_no_answer(self) -> None:
        agent = self.start_agent()
        self.expect_unreachable(
            self.connect(agent, "canary-guess"), "did not answer by SNMP within 0.2 s, asked 2 times"
        )
        self.assertEqual((2, 0), (agent.counts["received"], agent.counts["answered"]))

    def test_silence(self) -> None:
        agent = self.start_agent()
        agent.fault(Fault.SILENT)
        self.set(retries=3, timeout=0.05)
        self.expect_unreachable(self.connect(agent), "asked 4 times")
        self.assertEqual(4, agent.counts["received"])

    def test_garbage_is_no_answer(self) -> None:
        agent = self.start_agent()
        agent.fault(Fault.GARBAGE)
        self.expect_unreachable(self.connect(agent), "did not answer")

    def test_a_closed_port_is_noticed_at_once(self) -> None:
        agent = self.start_agent()
        session = self.connect(agent)
        self.set(timeout=60)
        agent.close()
        self.expect_unreachable(session, "can't be reached: Connection refused")

    def test_a_name_without_an_address(self) -> None:
        with self.assertRaises(api.Unreachable):
            snmp.connect(api.Device("no-such-host.invalid", 161), self.conf.snmp)

    def test_an_error_is_told_and_the_session_lives_on(self) -> None:
        agent = self.start_agent()
        session = self.connect(agent)
        agent.fault(Fault.ERROR)
        with self.assertRaises(snmp.Refused) as caught:
            session.get([UPTIME])
        self.assertIn("answered with the error genErr", caught.exception.message)
        agent.fault(None)
        self.assertIn(UPTIME, session.get([UPTIME]))

    def test_a_walk_in_a_circle_ends(self) -> None:
        agent = self.start_agent("ae0", "ae1", "ae2")
        agent.fault(Fault.CIRCLE)
        with self.assertRaises(snmp.Refused) as caught:
            list(self.connect(agent).walk(snmp_mib.IF_NAME))
        self.assertIn("in a circle", caught.exception.message)

    def test_close_ends_a_question_under_way(self) -> None:
        agent = self.start_agent()
        agent.fault(Fault.SILENT)
        self.set(timeout=60)
        session = self.connect(agent)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asking = pool.submit(session.get, [UPTIME])
            waiting.wait_for(lambda: agent.counts["received"], "the question")
            session.close()
            with self.assertRaises(api.Unreachable) as caught:
                asking.result(20)
        self.assertIn("session was closed", caught.exception.message)

    def test_no_socket_is_left(self) -> None:
        agent = self.start_agent("ae0")
        self.set(timeout=0.05, retries=0)
        before = open_files()
        for number in range(50):
            agent.fault(Fault.SILENT if number % 5 == 0 else None)
            session = snmp.connect(api.Device(agent.host, agent.port, password=snmp_base.COMMUNITY), self.conf.snmp)
            try:
                session.get([UPTIME])
            except api.Unreachable:
                self.assertEqual(0, number % 5)
            finally:
                session.close()
        self.assertEqual(before, open_files())
        self.assertEqual(50, agent.counts["received"])


class InterfacesTest(snmp_base.AgentCase):
    """Interfaces, by name."""

    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0

    def interfaces(self, agent: snmp_agent.SnmpAgent) -> snmp_tables.Interfaces:
        return snmp_tables.Interfaces(self.connect(agent), lambda: self.now)

    def test_five_hundred_take_few_datagrams(self) -> None:
        names = [f"xe-0/0/{number}.{1000 + number}" for number in range(500)]
        agent = self.start_agent(*names)
        interfaces = self.interfaces(agent)
        self.assertEqual(dict.fromkeys(names, 1), interfaces.statuses(names))
        first = agent.counts["received"]
        self.assertLessEqual(first, 40)
        interfaces.statuses(names)
        self.assertEqual(25, agent.counts["received"] - first)
        interfaces.statuses(names[:20])
        self.assertEqual(26, agent.counts["received"] - first)

    def test_each_value_of_the_status(self) -> None:
        agent = self.start_agent()
        for status in range(1, 8):
            agent.mib.set(f"ae{status}", status=status)
        wanted = {f"ae{status}": status for status in range(1, 8)}
        self.assertEqual(wanted, self.interfaces(agent).statuses(wanted))

    def test_a_device_that_renumbers_is_read_anew(self) -> None:
        agent = self.start_agent("ae0", "ae1", "ae2")
        agent.mib.set("ae1", up=False)
        interfaces = self.interfaces(agent)
        self.assertEqual({"ae0": 1, "ae1": 2}, interfaces.statuses(["ae0", "ae1"]))
        agent.mib.renumber({"ae0": 502, "ae1": 501})
        self.assertEqual({"ae0": 1, "ae1": 2}, interfaces.statuses(["ae0", "ae1"]))
        self.assertEqual(2, agent.counts["bulk"])

    def test_what_is_taken_out_is_left_out_and_what_comes_is_found(self) -> None:
        agent = self.start_agent("ae0")
        interfaces = self.interfaces(agent)
        self.assertEqual({"ae0": 1}, interfaces.statuses(["ae0", "ae9"]))
        agent.mib.remove("ae0")
        agent.mib.set("ae9")
        self.assertEqual({"ae9": 1}, interfaces.statuses(["ae0", "ae9"]))

    def test_what_is_not_there_is_not_looked_for_all_the_time(self) -> None:
        agent = self.start_agent("ae0")
        interfaces = self.interfaces(agent)
        for _ in range(20):
            interfaces.statuses(["ae0", "ae9"])
        self.assertEqual(1, agent.counts["bulk"])
        agent.mib.set("ae9")
        self.now += 10
        self.assertEqual({"ae0": 1, "ae9": 1}, interfaces.statuses(["ae0", "ae9"]))


class ProcessTest(unittest.TestCase):
    """The stand-in as a process, as the demo runs it."""

    def test_it_tells_its_port_and_answers(self) -> None:
        command = [
            sys.executable,
            "-m",
            "esi_worker.testing.snmp_agent",
            "--interface",
            "ae0",
            "--interface",
            "ae1=down",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                port = json.loads(process.stdout.readline())["port"]
                options = snmp_base.configuration(timeout=5).snmp
                session = snmp.connect(api.Device("127.0.0.1", port, password="public"), options)
                self.addCleanup(session.close)
                found = snmp_tables.Interfaces(session).statuses(["ae0", "ae1"])
            finally:
                process.send_signal(signal.SIGTERM)
        self.assertEqual({"ae0": 1, "ae1": 2}, found)
        self.assertEqual(0, process.returncode)
