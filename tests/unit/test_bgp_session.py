"""The probe bgp_session, without a device."""

from __future__ import annotations

import unittest

from esi_worker import api
from esi_worker.probes import bgp_session
from esi_worker.testing import context
from tests.unit import test_vrrp_session as vrrp

PROPERTIES = {"type": "bgp_session", "host": "192.0.2.1", "login": "netops", "password": "x"}
PEER = "<bgp-peer><peer-address>{}</peer-address><peer-state>{}</peer-state></bgp-peer>"


def reply(**states: str) -> str:
    peers = "".join(PEER.format(name.replace("_", "."), state) for name, state in states.items())
    return f"<rpc-reply><bgp-information>{peers}</bgp-information></rpc-reply>"


class BgpSessionTest(unittest.TestCase):
    """Properties and answers."""

    def setUp(self) -> None:
        self.probe = bgp_session.BgpSession(context.settings(bgp_session.BgpSession, "bgp_session"))

    def target(self, peer: str, **more: str) -> api.Target:
        return self.probe.targets(peer, {**PROPERTIES, "peer_ip": peer, **more})

    def test_defaults_and_other_names(self) -> None:
        target = self.target("192.0.2.9")
        self.assertEqual(("ESTABLISHED", 300.0, 830), (target.wanted_status, target.timeout, target.device.port))
        for name in ("peer", "neighbor"):
            self.assertEqual(target, self.probe.targets("192.0.2.9", {**PROPERTIES, name: "192.0.2.9"}))
        with self.assertRaisesRegex(api.PermanentError, "target t: peer_ip or peer or neighbor is missing"):
            self.probe.targets("t", PROPERTIES)

    def test_one_question_for_each_instance(self) -> None:
        session = vrrp.ScriptedSession(
            reply(**{"10_0_0_1": "Established", "10_0_0_2": "Active"}), reply(**{"10_0_0_1": "Idle"})
        )
        first, second, unknown = self.target("10.0.0.1"), self.target("10.0.0.2"), self.target("10.0.0.3")
        red = self.target("10.0.0.1", instance="red")
        found = self.probe.read(session, [first, second, unknown, red])  # type: ignore[arg-type]
        expected = {api.key(first): "ESTABLISHED", api.key(second): "ACTIVE", api.key(red): "IDLE"}
        self.assertEqual(expected, found)
        self.assertEqual(2, len(session.asked))
        self.assertIn("<instance>red</instance>", session.asked[1])

    def test_it_shares_its_sessions_with_the_other_probes_by_netconf(self) -> None:
        self.assertEqual("netconf", self.probe.transport)


if __name__ == "__main__":
    unittest.main()
