"""The stand-in router, asked by ncclient as it comes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import unittest

from ncclient import manager
from ncclient.operations import rpc as ncclient_rpc

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.testing import router
from tests import waiting
from tests.functional import netconf_base


class NcclientTest(netconf_base.RouterCase):
    """Locks, loads, commits."""

    def open(self) -> manager.Manager:
        client = manager.connect(
            host=self.router.host,
            port=self.router.port,
            username=netconf_base.USERNAME,
            password=netconf_base.PASSWORD,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
            device_params={"name": "junos"},
        )
        self.addCleanup(client._session.close)
        return client

    def test_sessions_follow_from_a_commit(self) -> None:
        client = self.open()
        client.lock("candidate")
        client.load_configuration(action="merge", format="text", config=netconf_base.units(1))
        self.assertEqual({}, self.router.engine.sessions.states())
        client.commit()
        client.unlock("candidate")
        entries = client.rpc("<get-vrrp-information/>").xpath("//vrrp-interface")
        found = {(each.findtext("interface"), each.findtext("group"), each.findtext("vrrp-state")) for each in entries}
        self.assertEqual({("ae0.0", "41", "master"), ("ae0.0", "42", "master")}, found)
        client.load_configuration(action="merge", format="text", config="interfaces { ae0 { delete: unit 0; } }")
        client.commit()
        self.assertEqual({}, self.router.engine.sessions.states())

    def test_a_lock_keeps_others_out_until_its_session_ends(self) -> None:
        first, second = self.open(), self.open()
        first.lock("candidate")
        first.load_configuration(action="merge", format="text", config="system { host-name lost; }")
        with self.assertRaisesRegex(ncclient_rpc.RPCError, "locked"):
            second.lock("candidate")
        with self.assertRaisesRegex(ncclient_rpc.RPCError, "locked"):
            second.load_configuration(action="merge", format="text", config="system { host-name mine; }")
        first.close_session()

        def locked() -> bool:
            try:
                second.lock("candidate")
            except ncclient_rpc.RPCError:
                return False
            return True

        waiting.wait_for(locked, "the lock")
        second.commit()
        self.assertNotIn("host-name", self.router.engine.configuration())

    def test_set_commands_and_both_forms_of_showing_them(self) -> None:
        client = self.open()
        client.load_configuration(action="set", config="set interfaces ae1 unit 7 vlan-id 7")
        shown = client.get_configuration(format="text").xpath("//configuration-text")[0].text
        self.assertIn("unit 7 {", shown)
        shown = client.get_configuration(format="set").xpath("//configuration-set")[0].text
        self.assertIn("set interfaces ae1 unit 7 vlan-id 7", shown)
        client.discard_changes()
        self.assertNotIn("ae1", client.get_configuration(format="text").xpath("//configuration-text")[0].text)

    def test_what_it_does_not_know_is_an_error(self) -> None:
        client = self.open()
        with self.assertRaisesRegex(ncclient_rpc.RPCError, "syntax error"):
            client.rpc("<get-chassis-inventory/>")
        with self.assertRaisesRegex(ncclient_rpc.RPCError, "syntax error"):
            client.load_configuration(action="merge", format="text", config="interfaces { ae0 {")


class ProcessTest(unittest.TestCase):
    """A process of its own, as in a demo."""

    def test_it_says_where_it_is_and_ends_when_told(self) -> None:
        command = [sys.executable, "-m", "esi_worker.testing.router", "--role", "backup", "--settle", "0"]
        command += ["--name", "192.0.2.7:830", "--password", "secret-7", "--group", "G=41,42"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        said = json.loads(process.stdout.readline())
        self.assertTrue(said["known_hosts"].startswith("[192.0.2.7]:830 ssh-ed25519 "))
        conf = netconf_base.configuration("", host_key_check=False)
        session = netconf.connect(api.Device("127.0.0.1", said["port"], "netops", "secret-7"), conf.netconf)
        self.addCleanup(session.close)
        session.rpc(
            "<load-configuration><configuration-text>interfaces { ae0 { unit 1 { apply-groups G; } } }"
            "</configuration-text></load-configuration>"
        )
        session.rpc("<commit/>")
        states = junos.vrrp_states(session.rpc(junos.vrrp_question()))
        self.assertEqual({("ae0.1", 41): "backup", ("ae0.1", 42): "backup"}, states)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(10))


class ServerTest(unittest.TestCase):
    """Its life."""

    def test_refusing_keeps_the_port(self) -> None:
        server = router.RouterServer()
        with server:
            port = server.port
            server.fault(router.Fault.REFUSED)
            server.fault(None)
            self.assertEqual(port, server.port)
            conf = netconf_base.configuration("", host_key_check=False)
            netconf.connect(api.Device("127.0.0.1", port, "netops", "router-password"), conf.netconf).close()
            self.assertEqual(1, server.engine.counts["connections"])

    def test_closing_twice_and_without_a_start(self) -> None:
        server = router.RouterServer()
        server.close()
        server.close()


if __name__ == "__main__":
    unittest.main()
