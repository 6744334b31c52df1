"""The stand-in router without sockets."""

from __future__ import annotations

import unittest

from lxml import etree

from esi_worker.clients import framing
from esi_worker.clients import junos
from esi_worker.testing import junos_engine
from esi_worker.testing import junos_sessions

UNIT = "interfaces { ae0 { unit 5 { apply-groups G; } } }"


def hello(*capabilities: str) -> bytes:
    offered = "".join(f"<capability>{each}</capability>" for each in capabilities)
    return framing.frame(f"<hello><capabilities>{offered}</capabilities></hello>".encode(), chunked=False)


class SessionsTest(unittest.TestCase):
    """States follow from the configuration and from time."""

    def setUp(self) -> None:
        self.now = 100.0

    def engine(self, role: str = "master") -> junos_engine.JunosEngine:
        return junos_engine.JunosEngine(role, {"G": [41, 42]}, settle=3.0, clock=lambda: self.now)

    def state(self, engine: junos_engine.JunosEngine, group: int = 41) -> str | None:
        return engine.sessions.states().get(junos_sessions.Vrrp("ae0.5", group))

    def test_a_group_comes_up_in_steps(self) -> None:
        for role in ("master", "backup"):
            engine = self.engine(role)
            self.assertIsNone(self.state(engine))
            engine.configure(UNIT)
            seen = [self.state(engine)]
            for _ in range(3):
                self.now += 1.0
                seen.append(self.state(engine))
            self.assertEqual(["init", "init", "transition", role], seen)

    def test_a_commit_that_leaves_a_group_alone_does_not_restart_it(self) -> None:
        engine = self.engine()
        engine.configure(UNIT)
        self.now += 3.0
        engine.configure("interfaces { ae0 { unit 6 { apply-groups G; } } }")
        self.assertEqual("master", self.state(engine))
        engine.configure("interfaces { ae0 { delete: unit 5; } }")
        self.assertIsNone(self.state(engine))

    def test_where_groups_come_from(self) -> None:
        for text in (
            "interfaces { ae0 { apply-groups G; unit 5 { vlan-id 5; } } }",
            "interfaces { apply-groups G; ae0 { unit 5 { vlan-id 5; } } }",
            "interfaces { ae0 { unit 5 { family inet { address 192.0.2.2/24 { vrrp-group 41 { priority 9; } } } } } }",
        ):
            engine = self.engine()
            engine.configure(text)
            self.assertEqual("init", self.state(engine), text)

    def test_a_configuration_group_for_other_interfaces_gives_none(self) -> None:
        engine = self.engine()
        engine.configure("groups { H { interfaces { <xe-*> { unit <*> { vrrp-group 41; } } } } }")
        engine.configure("interfaces { ae0 { unit 5 { apply-groups H; } } xe-0/0/1 { unit 5 { apply-groups H; } } }")
        self.assertEqual([junos_sessions.Vrrp("xe-0/0/1.5", 41)], list(engine.sessions.states()))

    def test_forced_for_ever_until_let_go(self) -> None:
        engine = self.engine()
        engine.configure(UNIT)
        engine.force_vrrp("ae0.5", 41, "bringup")
        self.now += 1000.0
        self.assertEqual(("bringup", "master"), (self.state(engine), self.state(engine, 42)))
        engine.force_vrrp("ae0.5", 41, None)
        self.assertEqual("master", self.state(engine))

    def test_bgp_peers(self) -> None:
        engine = self.engine()
        engine.configure("protocols { bgp { group core { neighbor 192.0.2.9 { peer-as 65001; } } } }")
        engine.configure("routing-instances { red { protocols { bgp { group x { neighbor 192.0.2.8; } } } } }")
        peers = [junos_sessions.Bgp("master", "192.0.2.9"), junos_sessions.Bgp("red", "192.0.2.8")]
        self.assertEqual(dict.fromkeys(peers, "Idle"), engine.sessions.states())
        self.now += 3.0
        self.assertEqual(dict.fromkeys(peers, "Established"), engine.sessions.states())


class ProtocolTest(unittest.TestCase):
    """Bytes in, bytes out."""

    def setUp(self) -> None:
        self.engine = junos_engine.JunosEngine(groups={"G": [41]})
        self.session = self.engine.open()

    def rpc(self, text: str) -> junos.Element:
        sent = self.session.receive(framing.frame(f'<rpc message-id="7"><{text}/></rpc>'.encode(), chunked=False))
        return junos.parse(sent.removesuffix(framing.DELIMITER))

    def test_the_hello_decides_the_framing(self) -> None:
        for ours, theirs, chunked in ((True, True, True), (True, False, False), (False, True, False)):
            self.engine.chunked = ours
            session = self.engine.open()
            self.assertEqual(ours, b"base:1.1" in session.hello())
            version = "1.1" if theirs else "1.0"
            self.assertEqual(b"", session.receive(hello(f"urn:ietf:params:netconf:base:{version}")))
            asked = b'<rpc message-id="7"><close-session/></rpc>'
            answer = session.receive(framing.frame(asked, chunked=chunked))
            self.assertEqual(chunked, answer.startswith(b"\n#"))
            self.assertTrue(session.closed)

    def test_the_message_id_comes_back(self) -> None:
        self.session.receive(hello())
        self.assertEqual("7", self.rpc("get-bgp-summary-information").get("message-id"))

    def test_without_vrrp_groups_it_warns(self) -> None:
        self.session.receive(hello())
        self.assertEqual(["warning"], [each.severity for each in junos.errors(self.rpc("get-vrrp-information"))])

    def test_a_check_commits_nothing(self) -> None:
        self.session.receive(hello())
        load = f"<load-configuration><configuration-text>{UNIT}</configuration-text></load-configuration>"
        for operation in (load, "<commit-configuration><check/></commit-configuration>"):
            self.session.receive(framing.frame(f"<rpc>{operation}</rpc>".encode(), chunked=False))
        self.assertNotIn("ae0", self.engine.configuration())
        self.rpc("commit")
        self.assertIn("ae0", self.engine.configuration())

    def test_nonsense_ends_the_session_and_nothing_else(self) -> None:
        for nonsense in (b"<rpc", b"<rpc/>", b"<other/>"):
            session = self.engine.open()
            session.receive(hello())
            self.assertEqual(b"", session.receive(framing.frame(nonsense, chunked=False)))
            self.assertTrue(session.closed)

    def test_replies_are_counted_by_name(self) -> None:
        self.session.receive(hello())
        self.rpc("get-vrrp-information")
        self.rpc("lock")
        self.assertEqual((2, 1, 1), tuple(self.engine.counts[n] for n in ("rpcs", "get-vrrp-information", "lock")))

    def test_an_element_is_in_the_namespace_of_its_part(self) -> None:
        self.session.receive(hello())
        self.engine.configure(UNIT)
        entry = next(self.rpc("get-vrrp-information").iter("{*}vrrp-interface"))
        self.assertTrue(etree.QName(entry).namespace.endswith("junos-vrrpd"))


if __name__ == "__main__":
    unittest.main()
