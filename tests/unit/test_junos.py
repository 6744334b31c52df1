"""XML of Junos routers, and NETCONF's framing."""

from __future__ import annotations

import unittest

from lxml import etree

from esi_worker.clients import framing
from esi_worker.clients import junos

NAMESPACED = b"""<?xml version="1.0" encoding="UTF-8"?>
<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:junos="http://xml.juniper.net/junos/18.4R3/junos">
 <vrrp-information xmlns="http://xml.juniper.net/junos/18.4R3/junos-vrrpd" junos:style="summary">
  <vrrp-interface><interface>ae0.5</interface><group> 41 </group><vrrp-state>
   master
  </vrrp-state></vrrp-interface>
  <vrrp-interface><interface>ae0.5</interface><group>41</group><vrrp-state>backup</vrrp-state></vrrp-interface>
  <vrrp-interface><interface>ae0.6</interface><group>41</group></vrrp-interface>
  <vrrp-interface><interface>ae0.7</interface><group>none</group><vrrp-state>init</vrrp-state></vrrp-interface>
 </vrrp-information>
</rpc-reply>"""

DETAIL = b"""<rpc-reply><multi-routing-engine-results><multi-routing-engine-item><re-name>node0</re-name>
 <vrrp-information><vrrp-interface><interface>ge-0/0/1.0</interface><interface-index>72</interface-index>
  <group>7</group><vrrp-state>transition</vrrp-state><vrrp-mode>Active</vrrp-mode><priority>100</priority>
 </vrrp-interface></vrrp-information></multi-routing-engine-item></multi-routing-engine-results></rpc-reply>"""

BGP = b"""<rpc-reply><bgp-information xmlns="http://xml.juniper.net/junos/18.4R3/junos-routing">
 <bgp-peer><peer-address>192.0.2.1+179</peer-address><peer-state>Established</peer-state></bgp-peer>
 <bgp-peer><peer-address>192.0.2.2</peer-address><peer-state>Establ</peer-state></bgp-peer>
 <bgp-peer><peer-address>2001:db8::1</peer-address><peer-state>Active</peer-state></bgp-peer>
 <bgp-peer><peer-address>192.0.2.1</peer-address><peer-state>Idle</peer-state></bgp-peer>
</bgp-information></rpc-reply>"""

ERRORS = b"""<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">
 <rpc-error><error-severity>warning</error-severity><error-message>
  vrrp subsystem not running
 </error-message></rpc-error>
 <rpc-error><error-tag>operation-failed</error-tag><error-severity>error</error-severity>
  <error-message>syntax error</error-message><error-info><bad-element>summary</bad-element></error-info></rpc-error>
 <rpc-error><error-message>no severity</error-message></rpc-error></rpc-reply>"""


class ReplyTest(unittest.TestCase):
    """What is found in replies."""

    def test_vrrp_the_first_entry_counts_and_what_lacks_a_part_does_not(self) -> None:
        self.assertEqual({("ae0.5", 41): "master"}, junos.vrrp_states(junos.parse(NAMESPACED)))

    def test_vrrp_detail_within_a_wrapper_and_without_namespaces(self) -> None:
        self.assertEqual({("ge-0/0/1.0", 7): "transition"}, junos.vrrp_states(junos.parse(DETAIL)))

    def test_bgp(self) -> None:
        states = junos.bgp_states(junos.parse(BGP))
        self.assertEqual({"192.0.2.1": "ESTABLISHED", "192.0.2.2": "ESTABLISHED", "2001:db8::1": "ACTIVE"}, states)

    def test_errors(self) -> None:
        found = junos.errors(junos.parse(ERRORS))
        self.assertEqual(["warning", "error", "error"], [each.severity for each in found])
        self.assertEqual("vrrp subsystem not running", found[0].message)
        self.assertEqual([False, True, False], [each.is_syntax for each in found])

    def test_a_long_message_is_cut(self) -> None:
        reply = b"<r><rpc-error><error-message>%b</error-message></rpc-error></r>" % (b"x" * 5000)
        self.assertEqual(200, len(junos.errors(junos.parse(reply))[0].message))

    def test_questions(self) -> None:
        self.assertEqual(
            b"<get-vrrp-information><summary/></get-vrrp-information>", etree.tostring(junos.vrrp_question())
        )
        self.assertEqual(b"<get-vrrp-information/>", etree.tostring(junos.vrrp_question(summary=False)))
        self.assertIn(b"<instance>a&lt;b</instance>", etree.tostring(junos.bgp_question("a<b")))


class ParserTest(unittest.TestCase):
    """What is refused."""

    def test_malformed(self) -> None:
        for data in (b"", b"<a>", b"<a></b>", b"no xml", b"<a>\xff\xfe</a>", b"<a/><b/>"):
            with self.subTest(data), self.assertRaises(junos.MalformedXML):
                junos.parse(data)

    def test_a_doctype_is_refused_and_its_entities_are_never_expanded(self) -> None:
        for declaration in (
            b'<!DOCTYPE a [<!ENTITY x "secret">]>',
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
        ):
            with self.subTest(declaration), self.assertRaises(junos.MalformedXML) as raised:
                junos.parse(declaration + b"<a>&x;</a>")
            self.assertNotIn("root:", str(raised.exception))

    def test_depth_is_bounded(self) -> None:
        with self.assertRaises(junos.MalformedXML):
            junos.parse(b"<a>" * 5000 + b"</a>" * 5000)


class FramingTest(unittest.TestCase):
    """Messages, cut anywhere."""

    messages = ("<a>é主</a>".encode(), b"<b>]] > # \n#5\n</b>", b"<c/>")

    def test_every_cut(self) -> None:
        for chunked in (False, True):
            stream = b"".join(framing.frame(each, chunked=chunked) for each in self.messages)
            for size in range(1, len(stream) + 1):
                deframer = framing.Deframer()
                deframer.chunked = chunked
                pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
                found = [message for piece in pieces for message in deframer.feed(piece)]
                self.assertEqual(list(self.messages), found, f"chunked={chunked}, pieces of {size}")

    def test_a_message_in_several_chunks(self) -> None:
        deframer = framing.Deframer()
        deframer.chunked = True
        self.assertEqual([b"<a></a>"], list(deframer.feed(b"\n#3\n<a>\n#4\n</a>\n##\n")))

    def test_what_is_no_chunk(self) -> None:
        for data in (b"<a/>", b"\n#0\n", b"\n#x\n", b"\n#99999999999\n", b"\n#1\nab"):
            deframer = framing.Deframer()
            deframer.chunked = True
            with self.subTest(data), self.assertRaises(framing.FramingError):
                list(deframer.feed(data))

    def test_a_message_without_end(self) -> None:
        for chunked, data in ((False, b"x" * 50), (True, b"\n#50\n" + b"x" * 10), (True, b"\n#9\n123456789" * 9)):
            deframer = framing.Deframer(limit=40)
            deframer.chunked = chunked
            with self.subTest(data), self.assertRaisesRegex(framing.FramingError, "longer than 40"):
                list(deframer.feed(data))


if __name__ == "__main__":
    unittest.main()
