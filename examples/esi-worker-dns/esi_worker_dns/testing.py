"""A name server for tests: answers QUERY by UDP and TCP and takes UPDATE with TSIG, on 127.0.0.1.

``python -m esi_worker_dns.testing --zone example.org. --key tests:c2VjcmV0`` runs one until it is interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from collections.abc import Mapping

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update

Records = dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset]


class NameServer:
    """One zone, in memory.  Used as a context manager, or by :meth:`start` and :meth:`close`.

    :param zone: its name
    :param key: TSIG key that updates must be signed with: name -> secret in base64
    :ivar connections: how many TCP connections were made so far
    :ivar updates: how many updates were taken so far
    """

    def __init__(self, zone: str = "example.org.", key: Mapping[str, str] | None = None, port: int = 0) -> None:
        self.zone = dns.name.from_text(zone)
        self.connections = 0
        self.updates = 0
        self._keyring = dns.tsigkeyring.from_text(dict(key)) if key else None
        self._records: Records = {}
        self._lock = threading.Lock()
        self._mute = threading.Event()
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", port), _tcp_handler(self))
        self._tcp.daemon_threads = True
        self.port: int = self._tcp.server_address[1]
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", self.port), _udp_handler(self))

    def start(self) -> NameServer:
        """Serve in threads of its own."""
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def close(self) -> None:
        """Stop serving."""
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def __enter__(self) -> NameServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Connections are taken, but no question is answered meanwhile."""
        self._mute.set()
        try:
            yield
        finally:
            self._mute.clear()

    def records(self) -> dict[str, list[str]]:
        """All records: ``www.example.org. A 300`` -> addresses, sorted."""
        with self._lock:
            return {
                f"{name} {dns.rdatatype.to_text(kind)} {rrset.ttl}": sorted(each.to_text() for each in rrset)
                for (name, kind), rrset in sorted(self._records.items())
            }

    def answer(self, wire: bytes) -> bytes | None:
        """The reply to one message; None where there is none to give."""
        if self._mute.is_set():
            return None
        try:
            question = dns.message.from_wire(wire, keyring=self._keyring)
        except dns.message.UnknownTSIGKey:
            return _unsigned(wire, dns.rcode.BADKEY)
        except dns.tsig.BadSignature:
            return _unsigned(wire, dns.rcode.BADSIG)
        except dns.exception.DNSException:
            return None
        reply = dns.message.make_response(question)
        with self._lock:
            if question.opcode() == dns.opcode.UPDATE:
                reply.set_rcode(self._update(question))
            elif question.opcode() == dns.opcode.QUERY and len(question.question) == 1:
                self._query(question, reply)
            else:
                reply.set_rcode(dns.rcode.NOTIMP)
        return bytes(reply.to_wire())

    def _query(self, question: dns.message.Message, reply: dns.message.Message) -> None:
        asked = question.question[0]
        if not asked.name.is_subdomain(self.zone):
            reply.set_rcode(dns.rcode.REFUSED)
            return
        reply.flags |= dns.flags.AA
        rrset = self._records.get((asked.name, asked.rdtype))
        if rrset is not None:
            reply.answer.append(rrset)
        elif not any(name == asked.name for name, _ in self._records):
            reply.set_rcode(dns.rcode.NXDOMAIN)

    def _update(self, message: dns.message.Message) -> dns.rcode.Rcode:
        if self._keyring is not None and not message.had_tsig:
            return dns.rcode.REFUSED
        if not isinstance(message, dns.update.UpdateMessage) or message.zone[0].name != self.zone:
            return dns.rcode.NOTZONE
        if message.prerequisite:
            return dns.rcode.NOTIMP
        for each in message.update:
            if not each.name.is_subdomain(self.zone):
                return dns.rcode.NOTZONE
        for each in message.update:
            self._change(each)
        self.updates += 1
        return dns.rcode.NOERROR

    def _change(self, each: dns.rrset.RRset) -> None:
        """RFC 2136, 3.4.2: class ANY removes all of a name or type, NONE one record, the zone's own class adds."""
        if each.deleting == dns.rdataclass.ANY:
            for name, kind in list(self._records):
                if name == each.name and each.rdtype in (kind, dns.rdatatype.ANY):
                    del self._records[name, kind]
            return
        known = self._records.setdefault(
            (each.name, each.rdtype), dns.rrset.RRset(each.name, dns.rdataclass.IN, each.rdtype)
        )
        for record in each:
            if each.deleting == dns.rdataclass.NONE:
                known.discard(record)
            else:
                known.add(record, each.ttl)
                known.ttl = each.ttl
        if not known:
            del self._records[each.name, each.rdtype]


def _unsigned(wire: bytes, code: dns.rcode.Rcode) -> bytes:
    """The reply to a message whose signature is not accepted: RFC 8945, 5.2."""
    question = dns.message.from_wire(wire, keyring=False)
    reply = dns.message.make_response(question)
    reply.set_rcode(dns.rcode.NOTAUTH)
    if question.tsig is not None:
        reply.tsig = dns.rrset.from_rdata(question.tsig.name, 0, question.tsig[0].replace(mac=b"", error=code))
    return bytes(reply.to_wire())


def _udp_handler(server: NameServer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reply = server.answer(self.request[0])
            if reply is not None:
                self.request[1].sendto(reply, self.client_address)

    return Handler


def _tcp_handler(server: NameServer) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            server.connections += 1
            while len(size := self.rfile.read(2)) == 2:
                reply = server.answer(self.rfile.read(struct.unpack("!H", size)[0]))
                if reply is not None:
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

    return Handler


def main() -> None:
    """Run a name server until it is interrupted."""
    parser = argparse.ArgumentParser(prog="esi_worker_dns.testing", description="A name server for trials.")
    parser.add_argument("--zone", default="example.org.")
    parser.add_argument(
        "--key", default="", metavar="NAME:SECRET", help="secret in base64; without it anyone may update"
    )
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    name, _, secret = arguments.key.partition(":")
    with NameServer(arguments.zone, {name: secret} if name else None, arguments.port) as server:
        print(f"serving {arguments.zone} on 127.0.0.1:{server.port}", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
