"""What goes over the wire, and what is made of whatever comes back."""

from __future__ import annotations

import unittest
from typing import Any

from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from esi_worker.clients import snmp_messages

COMMUNITY = b"canary-5c77"
NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1, 501)


def response(bindings: list[tuple[Any, Any]], pdu: Any = None, error: int = 0, version: int = 1) -> bytes:
    pdu = v2c.ResponsePDU() if pdu is None else pdu
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, 7)
    v2c.apiPDU.set_error_status(pdu, error)
    v2c.apiPDU.set_varbinds(pdu, bindings)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_version(message, version)
    v2c.apiMessage.set_community(message, COMMUNITY)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


class RequestTest(unittest.TestCase):
    """Known bytes: an agent of another make must read them too."""

    def test_get(self) -> None:
        wanted = (
            "302602010104067075626c6963a01902022711020100020100300d300b06072b060102010103"  # up to sysUpTime's name
            "0500"
        )
        self.assertEqual(wanted, snmp_messages.get_request(b"public", 10001, [(1, 3, 6, 1, 2, 1, 1, 3)]).hex())

    def test_bulk(self) -> None:
        data = snmp_messages.bulk_request(b"public", 5, NAME, 40)
        message, rest = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        self.assertEqual(b"", rest)
        self.assertTrue(pdu.isSameTypeWith(v2c.GetBulkRequestPDU()))
        self.assertEqual((5, 0, 40), tuple(int(pdu.getComponentByPosition(place)) for place in range(3)))

    def test_the_largest_get_fits_into_a_packet(self) -> None:
        self.assertLess(len(snmp_messages.get_request(b"c" * 32, 2**31 - 1, [(*NAME[:-1], 2**31 - 1)] * 40)), 1472)


class ParseTest(unittest.TestCase):
    """Answers."""

    def test_values(self) -> None:
        data = response(
            [
                (NAME, v2c.OctetString(b"ae0")),
                ((1, 3, 1), v2c.Integer32(-2)),
                ((1, 3, 2), v2c.TimeTicks(2**32 - 1)),
                ((1, 3, 3), v2c.NoSuchInstance("")),
                ((1, 3, 4), v2c.NoSuchObject("")),
                ((1, 3, 5), v2c.EndOfMibView("")),
            ]
        )
        answer = snmp_messages.parse(data)
        self.assertEqual((COMMUNITY, 7, 0), (answer.community, answer.request_id, answer.error))
        self.assertEqual((NAME, b"ae0"), answer.bindings[0])
        self.assertEqual([-2, 2**32 - 1, None, None, None], [value for _, value in answer.bindings[1:]])

    def test_an_error_has_a_name(self) -> None:
        self.assertEqual("genErr", snmp_messages.parse(response([], error=5)).error_name)

    def test_requests_and_other_versions_are_no_answers(self) -> None:
        for data in (response([], pdu=v2c.GetRequestPDU()), response([], version=0), response([], version=3)):
            with self.assertRaises(snmp_messages.Malformed):
                snmp_messages.parse(data)

    def test_whatever_is_cut_or_bent_is_malformed_and_tells_no_secret(self) -> None:
        whole = response([(NAME, v2c.OctetString(b"ae0"))])
        cut = [whole[:length] for length in range(len(whole))]
        bent = [whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in range(len(whole))]
        deep = b"\x30\x80" * 5000
        refused = 0
        for data in (*cut, *bent, deep, whole + b"\0", b"\x00" * 40):
            try:
                snmp_messages.parse(data)
            except snmp_messages.Malformed as error:
                refused += 1
                self.assertNotIn("canary", str(error))
        self.assertGreaterEqual(refused, len(cut) + 3)

    def test_a_response_does_not_show_its_community(self) -> None:
        self.assertNotIn("canary", repr(snmp_messages.parse(response([]))))
