"""The NETCONF client against a router over a real socket: what works, and every way in which it doesn't."""

from __future__ import annotations

import logging
import socket
import threading
import unittest

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.testing import junos_replies
from esi_worker.testing import router
from tests import waiting
from tests.functional import netconf_base

Fault = router.Fault


class SessionTest(netconf_base.RouterCase):
    """A router that is well."""

    def setUp(self) -> None:
        super().setUp()
        self.router.engine.configure(netconf_base.units(2))

    def test_replies_of_every_style(self) -> None:
        expected = {(f"ae0.{unit}", vrid): "master" for unit in (0, 1) for vrid in (41, 42)}
        for style in junos_replies.Style:
            for declared in (False, True):
                for chunked in (False, True):
                    with self.subTest(style=style, declared=declared, chunked=chunked):
                        engine = self.router.engine
                        engine.style, engine.declares_xml, engine.chunked = style, declared, chunked
                        self.assertEqual(expected, junos.vrrp_states(self.connect().rpc(junos.vrrp_question())))

    def test_many_questions_use_one_session(self) -> None:
        session = self.connect()
        for _ in range(30):
            session.rpc("<get-vrrp-information><summary/></get-vrrp-information>")
        self.assertEqual(1, self.router.engine.counts["connections"])
        self.assertEqual(30, self.router.engine.counts["get-vrrp-information"])

    def test_a_reply_of_thousands_of_groups_with_characters_of_several_bytes(self) -> None:
        self.router.engine.chunked = False
        self.router.engine.configure(netconf_base.units(1500))
        self.router.engine.force_vrrp("ae0.0", 41, "主" * 5000)
        states = junos.vrrp_states(self.connect().rpc(junos.vrrp_question()))
        self.assertEqual(3000, len(states))
        self.assertEqual("主" * 5000, states["ae0.0", 41])

    def test_an_rpc_error_is_an_answer(self) -> None:
        session = self.connect()
        self.router.fault(Fault.RPC_ERROR)
        with self.assertRaisesRegex(netconf.Refused, "the daemon did not answer"):
            session.rpc(junos.vrrp_question())
        self.router.fault(None)
        self.assertTrue(junos.vrrp_states(session.rpc(junos.vrrp_question())))
        self.assertEqual(1, self.router.engine.counts["connections"])

    def test_a_warning_is_no_error(self) -> None:
        self.router.fault(Fault.NOT_RUNNING)
        reply = self.connect().rpc(junos.vrrp_question())
        self.assertEqual({}, junos.vrrp_states(reply))
        self.assertIn("not running", junos.errors(reply)[0].message)

    def test_no_secret_and_no_payload_reaches_a_log(self) -> None:
        records: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
        root, level = logging.getLogger(), logging.getLogger().level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        self.addCleanup(root.setLevel, level)
        self.addCleanup(root.removeHandler, handler)
        self.connect().rpc("<get-vrrp-information><secret>payload-93c1</secret></get-vrrp-information>")
        with self.assertRaises(api.PermanentError):
            self.connect(password="canary-wrong")
        self.assertTrue(records, "nothing was logged at all: this test would not notice")
        said = "\n".join(records)
        for canary in (netconf_base.PASSWORD, "canary-wrong", "payload-93c1", "vrrp-state"):
            self.assertNotIn(canary, said)


class HostKeyTest(netconf_base.RouterCase):
    """Who the router is."""

    def test_an_unknown_key_is_refused(self) -> None:
        self.known_hosts.write_text("")
        with self.assertRaisesRegex(api.PermanentError, r"shows a host key .* ssh-ed25519 SHA256:"):
            self.connect()
        self.assertEqual(0, self.router.engine.counts["rpcs"])

    def test_another_key_is_refused(self) -> None:
        other = self.start_router()
        self.known_hosts.write_text(other.known_hosts_line(self.router.host, self.router.port))
        with self.assertRaises(api.PermanentError):
            self.connect()

    def test_without_a_file_no_key_is_known(self) -> None:
        self.known_hosts.unlink()
        with self.assertLogs("esi_worker.clients.netconf", "WARNING"), self.assertRaises(api.PermanentError):
            self.connect()

    def test_the_check_turned_off_is_logged(self) -> None:
        self.known_hosts.write_text("")
        self.set(host_key_check=False)
        with self.assertLogs("esi_worker.clients.netconf", "WARNING") as logged:
            self.connect().rpc(junos.vrrp_question())
        self.assertIn("host_key_check is off", "".join(logged.output))

    def test_a_device_behind_an_endpoint_is_known_by_its_own_name(self) -> None:
        device = api.Device("192.0.2.1", 830, netconf_base.USERNAME, netconf_base.PASSWORD)
        self.set(endpoints=[f"192.0.2.1:830={self.router.host}:{self.router.port}"])
        with self.assertRaises(api.PermanentError):
            netconf.connect(device, self.conf.netconf)
        self.known_hosts.write_text(self.router.known_hosts_line("192.0.2.1", 830))
        session = netconf.connect(device, self.conf.netconf)
        self.addCleanup(session.close)
        session.rpc(junos.vrrp_question())
        self.assertEqual(1, self.router.engine.counts["rpcs"])


class TroubleTest(netconf_base.RouterCase):
    """A router that isn't well.  Nothing is closed in these tests but by the client itself."""

    def setUp(self) -> None:
        super().setUp()
        self.router.engine.configure(netconf_base.units(1))
        self.set(connect_timeout=0.3, rpc_timeout=0.3)

    def failing_connect(self, fault: Fault, error: type[api.JobError], text: str) -> None:
        self.router.fault(fault)
        with self.assertRaisesRegex(error, text) as raised:
            netconf.connect(self.device(), self.conf.netconf)
        self.assertNotIn(netconf_base.PASSWORD, str(raised.exception) + raised.exception.detail)

    def failing_rpc(self, fault: Fault, text: str) -> None:
        self.set(connect_timeout=10.0)
        session = self.connect()
        self.router.fault(fault)
        with self.assertRaisesRegex(api.Unreachable, text):
            session.rpc(junos.vrrp_question())
        self.router.fault(None)
        with self.assertRaises(api.Unreachable):
            session.rpc(junos.vrrp_question())

    def test_refused(self) -> None:
        self.failing_connect(Fault.REFUSED, api.Unreachable, "Connection refused")

    def test_no_banner(self) -> None:
        self.failing_connect(Fault.NO_BANNER, api.Unreachable, "within 0.3 s")

    def test_silence_instead_of_a_hello(self) -> None:
        self.set(connect_timeout=1.0)
        self.failing_connect(Fault.SILENT_HELLO, api.Unreachable, "within 1 s")

    def test_a_wrong_password_is_no_silence(self) -> None:
        self.set(connect_timeout=10.0)
        self.failing_connect(Fault.LOGIN_REFUSED, api.PermanentError, "refused the login of user netops")

    def test_something_that_is_no_ssh(self) -> None:
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        device = api.Device("127.0.0.1", listener.getsockname()[1], "a", "b")

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"220 mail.example.com ESMTP\r\n" * 200)

        thread = threading.Thread(target=greet)
        thread.start()
        self.addCleanup(thread.join)
        self.set(connect_timeout=5.0)
        with self.assertRaises(api.Unreachable):
            netconf.connect(device, self.conf.netconf)

    def test_a_name_that_does_not_exist(self) -> None:
        with self.assertRaises(api.Unreachable):
            netconf.connect(api.Device("no-such-router.invalid", 830, "a", "b"), self.conf.netconf)

    def test_silence(self) -> None:
        self.failing_rpc(Fault.SILENT_RPC, "did not answer within 0.3 s")

    def test_cut_in_the_middle_of_a_reply(self) -> None:
        self.failing_rpc(Fault.CUT_REPLY, "cut the connection")

    def test_malformed_xml(self) -> None:
        self.failing_rpc(Fault.MALFORMED, "malformed XML")

    def test_a_doctype(self) -> None:
        self.failing_rpc(Fault.DOCTYPE, "a DOCTYPE is not allowed")

    def test_a_session_cut_while_nobody_uses_it(self) -> None:
        self.set(connect_timeout=10.0, rpc_timeout=10.0)
        session = self.connect()
        self.router.drop()
        with self.assertRaisesRegex(api.Unreachable, "cut the connection"):
            session.rpc(junos.vrrp_question())

    def test_closing_ends_a_question_under_way(self) -> None:
        self.set(connect_timeout=10.0, rpc_timeout=60.0)
        session = self.connect()
        self.router.fault(Fault.SILENT_RPC)
        failed = threading.Event()

        def ask() -> None:
            with self.assertRaises(api.Unreachable):
                session.rpc(junos.vrrp_question())
            failed.set()

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        waiting.wait_for(lambda: self.router.engine.counts["rpcs"], "the question")
        session.close()
        self.assertTrue(failed.wait(10))

    def test_nothing_leaks(self) -> None:
        self.failing_rpc(Fault.SILENT_RPC, "did not answer")  # whatever is made once is made now
        self.set(connect_timeout=0.1)
        self.failing_connect(Fault.NO_BANNER, api.Unreachable, "within 0.1 s")
        self.router.drop()
        threads, descriptors = threading.active_count(), netconf_base.descriptors()
        for _ in range(20):
            self.failing_connect(Fault.NO_BANNER, api.Unreachable, "within 0.1 s")
        self.router.fault(None)
        for _ in range(5):
            self.failing_rpc(Fault.SILENT_RPC, "did not answer")
        self.router.drop()
        waiting.wait_for(lambda: threading.active_count() <= threads, "the end of all threads")
        waiting.wait_for(lambda: netconf_base.descriptors() <= descriptors, "the end of all descriptors")


if __name__ == "__main__":
    unittest.main()
