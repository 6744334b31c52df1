"""What SNMP v2c says on the wire (RFC 3416), by pysnmp: no I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import Final

from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pyasn1.type import univ
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]
Value = int | bytes

TOO_BIG: Final = 1
"""The error of an answer that doesn't fit into one message."""

_VERSION: Final = 1
"""What a message of v2c gives as its version."""


class Malformed(ValueError):
    """Not a response of SNMP v2c.  The text tells nothing of what it holds instead."""


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    :ivar community: as it came, to compare
    :ivar request_id: which request it answers
    :ivar error: RFC 3416's error-status; 0 where there is none
    :ivar bindings: name and value, in order; None in the place of a value that the agent does not have, or of a
        type other than numbers and octet strings
    """

    community: bytes = dataclasses.field(repr=False)
    request_id: int
    error: int
    bindings: tuple[tuple[Oid, Value | None], ...]

    @property
    def error_name(self) -> str:
        """The error as RFC 3416 calls it, such as ``genErr``."""
        names = dict(v2c.apiPDU._error_status.namedValues)
        return next((name for name, number in names.items() if number == self.error), str(self.error))


def get_request(community: bytes, request_id: int, oids: Sequence[Oid]) -> bytes:
    """A GET of all these."""
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    return _message(community, pdu)


def bulk_request(community: bytes, request_id: int, after: Oid, repetitions: int) -> bytes:
    """A GETBULK of what follows a name.

    :param repetitions: how many at most
    """
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_request_id(pdu, request_id)
    v2c.apiBulkPDU.set_non_repeaters(pdu, 0)
    v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
    v2c.apiBulkPDU.set_varbinds(pdu, [(after, v2c.null)])
    return _message(community, pdu)


def parse(data: bytes) -> Response:
    """Read a datagram.

    :raises Malformed: if it is no response of SNMP v2c
    """
    try:
        message, rest = decoder.decode(data, asn1Spec=v2c.Message())
        if rest or int(v2c.apiMessage.get_version(message)) != _VERSION:
            raise Malformed("not a message of SNMP v2c")
        pdu = v2c.apiMessage.get_pdu(message)
        if not pdu.isSameTypeWith(v2c.ResponsePDU()):
            raise Malformed("not a response")
        return Response(
            bytes(v2c.apiMessage.get_community(message)),
            int(v2c.apiPDU.get_request_id(pdu)),
            int(v2c.apiPDU.get_error_status(pdu)),
            tuple((tuple(name), _value(value)) for name, value in v2c.apiPDU.get_varbinds(pdu)),
        )
    except Malformed:
        raise
    except Exception as error:  # noqa: BLE001  (pyasn1 has its own error for most of what can be wrong, not for all)
        raise Malformed(f"no SNMP ({type(error).__name__})") from None


def _message(community: bytes, pdu: Any) -> bytes:
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def _value(value: Any) -> Value | None:
    # noSuchObject, noSuchInstance and endOfMibView are Nulls, which pyasn1 derives from octet strings.
    if isinstance(value, univ.Null):
        return None
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, univ.OctetString):
        return bytes(value)
    return None
