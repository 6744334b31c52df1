"""The probe vrrp_session, without a device."""

from __future__ import annotations

import unittest
from typing import Any

from lxml import etree

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.probes import vrrp_session
from esi_worker.testing import context

PROPERTIES = {
    "type": "vrrp_session",
    "host": "192.0.2.1",
    "login": "netops",
    "password": "secret-1",
    "interface": "ae0.5",
    "vrid": 41,
}
REPLY = """<rpc-reply><vrrp-information>
<vrrp-interface><interface>ae0.5</interface><group>41</group><vrrp-state>master</vrrp-state></vrrp-interface>
<vrrp-interface><interface>ae0.5</interface><group>42</group><vrrp-state>backup</vrrp-state></vrrp-interface>
<vrrp-interface><interface>ae0.50</interface><group>41</group><vrrp-state>init</vrrp-state></vrrp-interface>
</vrrp-information></rpc-reply>"""


class ScriptedSession:
    """Answers with what a test has written down; remembers what it was asked."""

    def __init__(self, *replies: str | Exception) -> None:
        self.refused: set[str] = set()
        self.replies = list(replies)
        self.asked: list[str] = []

    def rpc(self, question: junos.Element) -> junos.Element:
        self.asked.append(etree.tostring(question).decode())
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return junos.parse(reply.encode())

    def close(self) -> None:
        pass


def refusal(message: str, tag: str = "operation-failed") -> netconf.Refused:
    return netconf.Refused("r1", [junos.RpcError("error", tag, message)])


class PropertiesTest(unittest.TestCase):
    """What a template may say."""

    def setUp(self) -> None:
        self.probe = vrrp_session.VrrpSession(context.settings(vrrp_session.VrrpSession, "vrrp_session"))

    def target(self, **changes: Any) -> api.Target:
        properties = {name: value for name, value in {**PROPERTIES, **changes}.items() if value is not ...}
        return self.probe.targets("primary_41", properties)

    def test_defaults(self) -> None:
        device = api.Device("192.0.2.1", 830, "netops", "secret-1")
        question = {"interface": "ae0.5", "vrid": 41}
        self.assertEqual(api.Target("primary_41", "vrrp_session", device, question, "master", 300.0), self.target())

    def test_texts_of_digits_are_numbers(self) -> None:
        target = self.target(vrid="41", port="2022", timeout="360", wanted_status="backup")
        self.assertEqual((2022, 41), (target.device.port, target.question["vrid"]))
        self.assertEqual((360.0, "backup"), (target.timeout, target.wanted_status))
        self.assertEqual(api.key(self.target()), api.key(target))

    def test_username_says_the_same_as_login(self) -> None:
        self.assertEqual(self.target(), self.target(login=..., username="netops"))

    def test_what_can_not_be_used_is_named_and_no_secret_with_it(self) -> None:
        for name, value, said in (
            ("host", ..., "host is missing"),
            ("host", None, "host is missing"),
            ("login", ..., "login or username is missing"),
            ("interface", ["ae0"], "interface must be a text"),
            ("interface", True, "interface must be a text"),
            ("vrid", ..., "vrid is missing"),
            ("vrid", "many", "vrid must be a whole number from 1 to 255"),
            ("vrid", 256, "vrid must be a whole number"),
            ("vrid", 4.5, "vrid must be a whole number"),
            ("vrid", "٤١", "vrid must be a whole number"),
            ("port", 0, "port must be a whole number from 1 to 65535"),
            ("timeout", -1, "timeout must be a whole number"),
            ("password", {"a": "secret-1"}, "password must be a text"),
        ):
            with self.subTest(name=name, value=value), self.assertRaises(api.PermanentError) as raised:
                self.target(**{name: value})
            self.assertEqual(f"target primary_41: {said}", raised.exception.message[: len(said) + 19])
            self.assertNotIn("secret-1", str(raised.exception))


class ReadTest(unittest.TestCase):
    """What is asked, and what becomes of the answer."""

    def setUp(self) -> None:
        self.probe = vrrp_session.VrrpSession(context.settings(vrrp_session.VrrpSession, "vrrp_session"))

    def targets(self) -> list[api.Target]:
        places = (("ae0.5", 41), ("ae0.5", 42), ("ae0.5", 43), ("ae0.50", 41))
        return [self.probe.targets("t", {**PROPERTIES, "interface": i, "vrid": v}) for i, v in places]

    def test_one_question_for_all(self) -> None:
        session = ScriptedSession(REPLY)
        targets = self.targets()
        expected = {api.key(targets[0]): "master", api.key(targets[1]): "backup", api.key(targets[3]): "init"}
        self.assertEqual(expected, self.probe.read(session, targets))  # type: ignore[arg-type]
        self.assertEqual(["<get-vrrp-information><summary/></get-vrrp-information>"], session.asked)
        self.assertEqual("MASTER", self.probe.published("master"))

    def test_a_release_without_summary_is_asked_the_plain_question_from_then_on(self) -> None:
        session = ScriptedSession(refusal("syntax error"), REPLY, REPLY)
        for _ in range(2):
            self.assertEqual(3, len(self.probe.read(session, self.targets())))  # type: ignore[arg-type]
        plain = "<get-vrrp-information/>"
        self.assertEqual(["<get-vrrp-information><summary/></get-vrrp-information>", plain, plain], session.asked)

    def test_another_refusal_stays_one(self) -> None:
        session = ScriptedSession(refusal("permission denied", "access-denied"))
        with self.assertRaises(netconf.Refused):
            self.probe.read(session, self.targets())  # type: ignore[arg-type]
        self.assertEqual(set(), session.refused)


if __name__ == "__main__":
    unittest.main()
