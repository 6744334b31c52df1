"""A stand-in for the SNMP agent of a switch or router: v2c over UDP on a loopback port.

::

    with snmp_agent.SnmpAgent(["ae0", "xe-0/0/3"], community="lab") as agent:
        ...                                        # ask agent.host, agent.port
        agent.mib.set("ae0", up=False)
        agent.fault(snmp_agent.Fault.SILENT)

As a process: ``python -m esi_worker.testing.snmp_agent --interface ae0 --interface xe-0/0/3=down``; it prints one line
of JSON with its port and runs until it is told to end.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import enum
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto.api import v2c

from esi_worker.testing import snmp_mib

_LONGEST = 65535
_TOO_BIG = 1
_GEN_ERR = 5


class Fault(enum.Enum):
    """What an agent does wrong."""

    SILENT = "answers nothing"
    LOSSY = "answers every other datagram, beginning with the second"
    ERROR = "answers genErr"
    GARBAGE = "sends what is no SNMP, and then nothing"
    FOREIGN = "sends answers to requests that nobody made, and then the right one"
    CIRCLE = "walks in a circle"


class SnmpAgent:
    """An agent in a thread of its own.

    :param interfaces: names of interfaces that are up, for a :class:`~esi_worker.testing.snmp_mib.Mib` of its own
    :param mib: what it knows, in place of that
    :param community: whom it answers
    :param host: the address to listen on
    :param port: the port; 0 takes a free one
    :param longest: bytes of the longest answer that it sends
    :ivar mib: what it knows: changed at any time
    :ivar port: where it listens
    :ivar counts: ``received``, ``answered``, ``get``, ``bulk``
    """

    def __init__(
        self,
        interfaces: Iterable[str] = (),
        *,
        mib: snmp_mib.Mib | None = None,
        community: str = "public",
        host: str = "127.0.0.1",
        port: int = 0,
        longest: int = 1472,
    ) -> None:
        self.mib = mib or snmp_mib.Mib(interfaces)
        self.host = host
        self.port = port
        self.counts: collections.Counter[str] = collections.Counter()
        self._community = community.encode()
        self._longest = longest
        self._fault: Fault | None = None
        self._sock: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SnmpAgent:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Listen.

        :raises OSError: if the port is taken
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind((self.host, self.port))
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        self._sock = sock
        self._thread = threading.Thread(target=self._serve, args=[sock], name="snmp-agent", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; it may be started again on the same port."""
        if self._sock is None or self._thread is None:
            return
        with contextlib.suppress(OSError):  # it ends recvfrom(), and says that there was no connection
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._sock.close()
        self._sock = self._thread = None

    def fault(self, fault: Fault | None) -> None:
        """Misbehave from now on; None: behave."""
        self._fault = fault

    def _serve(self, sock: socket.socket) -> None:
        while True:
            try:
                data, sender = sock.recvfrom(_LONGEST)
                if sender is None:  # the socket was shut down
                    return
                self.counts["received"] += 1
                for answer in self._answers(data):
                    # Counted first: whoever has the answer may look at the count.
                    self.counts["answered"] += 1
                    sock.sendto(answer, sender)
            except OSError:
                return

    def _answers(self, data: bytes) -> list[bytes]:
        """The datagrams that are sent back."""
        if self._fault is Fault.SILENT or (self._fault is Fault.LOSSY and self.counts["received"] % 2):
            return []
        if self._fault is Fault.GARBAGE:
            return [b"", b"\x30\x82", b"who is there?"]
        try:
            message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        except PyAsn1Error:
            return []
        if bytes(v2c.apiMessage.get_community(message)) != self._community:
            return []
        right = self._answer(message)
        return [self._foreign(message), right] if self._fault is Fault.FOREIGN else [right]

    def _answer(self, message: Any) -> bytes:
        request = v2c.apiMessage.get_pdu(message)
        asked = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(request)]
        bulk = request.isSameTypeWith(v2c.GetBulkRequestPDU())
        self.counts["bulk" if bulk else "get"] += 1
        if self._fault is Fault.ERROR:
            return _response(message, [(oid, v2c.null) for oid in asked], error=_GEN_ERR)
        if not bulk:
            answer = _response(message, self.mib.get(asked))
            return answer if len(answer) <= self._longest else _response(message, [], error=_TOO_BIG)
        rows = self.mib.following(asked[0], int(v2c.apiBulkPDU.get_max_repetitions(request)))
        if self._fault is Fault.CIRCLE:
            rows = self.mib.following(snmp_mib.IF_NAME, 2)
        while len(answer := _response(message, rows)) > self._longest and rows:
            rows = rows[:-1]
        return answer

    def _foreign(self, message: Any) -> bytes:
        """What looks like an answer to another request, with values that are not true."""
        request = v2c.apiMessage.get_pdu(message)
        bindings = [(tuple(oid), v2c.Integer32(2)) for oid, _ in v2c.apiPDU.get_varbinds(request)]
        return _response(message, bindings, request_id=(int(v2c.apiPDU.get_request_id(request)) + 1) % 2**31)


def _response(message: Any, bindings: Sequence[tuple[Any, Any]], *, error: int = 0, request_id: int = -1) -> bytes:
    answer = v2c.apiMessage.get_response(message)
    pdu = v2c.apiMessage.get_pdu(answer)
    if request_id >= 0:
        v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_error_status(pdu, error)
    v2c.apiPDU.set_error_index(pdu, 0)
    v2c.apiPDU.set_varbinds(pdu, bindings)
    return bytes(encoder.encode(answer))


def main(argv: Sequence[str] | None = None) -> int:
    """Run an agent until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="esi_worker.testing.snmp_agent", description="A stand-in for the SNMP agent of a device."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--community", default="public", help="the community of v2c that is answered")
    parser.add_argument(
        "--interface", action="append", default=[], metavar="NAME[=down]", help="an interface; up unless =down follows"
    )
    given = parser.parse_args(argv)
    mib = snmp_mib.Mib()
    for interface in given.interface:
        name, _, status = interface.partition("=")
        mib.set(name, up=status != "down")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with SnmpAgent(mib=mib, community=given.community, host=given.host, port=given.port) as agent:
        sys.stdout.write(json.dumps({"port": agent.port}) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
