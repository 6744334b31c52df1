"""The door to DNS: looks and updates with a timeout each, and errors that say whether another attempt helps."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import ipaddress
import struct
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from esi_worker import api

TYPES: Final = ("A", "AAAA")

Addresses = Mapping[str, frozenset[str]]
"""Type of the record -> its addresses."""


@dataclasses.dataclass(frozen=True)
class NameServer:
    """One zone on the name server that takes updates for it.

    :param server: its address
    :param zone: the zone's name
    :param key: the TSIG key, as ``(name, secret in base64)``; None where the server wants none
    :param timeout: seconds that one question may take
    """

    server: str
    port: int
    zone: str
    key: tuple[str, str] | None = dataclasses.field(repr=False)
    timeout: float

    def addresses(self, name: str) -> tuple[Addresses, int]:
        """What the server has for a name.

        :returns: the addresses, and the smallest TTL among their records (0 where there is none)
        :raises Unreachable: if it does not answer
        """
        found: dict[str, frozenset[str]] = {}
        ttls = []
        for each in TYPES:
            question = dns.message.make_query(_name(name), each)
            question.flags = 0  # this server itself is asked, not what it could find elsewhere
            reply = self._ask(question, (dns.rcode.NOERROR, dns.rcode.NXDOMAIN))
            records = reply.get_rrset(dns.message.ANSWER, _name(name), dns.rdataclass.IN, dns.rdatatype.from_text(each))
            if records is not None:
                found[each] = frozenset(record.to_text() for record in records)
                ttls.append(records.ttl)
        return found, min(ttls, default=0)

    def replace(self, name: str, addresses: Addresses, ttl: int, *, without: str = "") -> None:
        """Let a name have these addresses and no others, in one update.

        :param without: another name that shall have none any more
        :raises JobError: saying whether another attempt helps
        """
        update = self._update()
        for each in TYPES:
            if addresses.get(each):
                update.replace(_name(name), ttl, each, *sorted(addresses[each]))
            else:
                update.delete(_name(name), each)
            if without:
                update.delete(_name(without), each)
        self._ask(update, (dns.rcode.NOERROR,))

    def remove(self, names: Iterable[str]) -> None:
        """Let these names have no address.

        :raises JobError: saying whether another attempt helps
        """
        update = self._update()
        for name in names:
            for each in TYPES:
                update.delete(_name(name), each)
        self._ask(update, (dns.rcode.NOERROR,))

    def _update(self) -> dns.update.UpdateMessage:
        update = dns.update.UpdateMessage(_name(self.zone))
        if self.key is not None:
            name, secret = self.key
            try:
                update.use_tsig({_name(name): base64.b64decode(secret, validate=True)})
            except ValueError:
                raise api.PermanentError(f"the key of the zone {self.zone} can't be used: it is not base64") from None
        return update

    def _ask(self, question: dns.message.Message, good: tuple[dns.rcode.Rcode, ...]) -> dns.message.Message:
        with translated(f"the name server {self.server}:{self.port}"):
            reply = dns.query.tcp(question, self.server, timeout=self.timeout, port=self.port)
        code = reply.rcode()
        if code in good:
            return reply
        what = f"the name server {self.server}:{self.port} said {dns.rcode.to_text(code)} for the zone {self.zone}"
        if code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NOTZONE, dns.rcode.NOTIMP, dns.rcode.FORMERR):
            raise api.PermanentError(what)
        raise api.TemporaryError(what)


def addresses(values: object) -> Addresses:
    """Sort IP addresses by the type of their record.

    :raises PermanentError: naming the first one that can't be used
    """
    if not isinstance(values, list) or not values:
        raise api.PermanentError("addresses must be a list of IP addresses, at least one")
    found: dict[str, set[str]] = {}
    for value in values:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            raise api.PermanentError(f"addresses: {value!r} is no IP address") from None
        found.setdefault("A" if address.version == 4 else "AAAA", set()).add(str(address))
    return {each: frozenset(members) for each, members in found.items()}


@contextlib.contextmanager
def translated(who: str) -> Iterator[None]:
    """Let what goes wrong on the way be one of esi-worker's errors.

    :param who: the other side, for the message
    """
    try:
        yield
    except (OSError, EOFError, dns.exception.Timeout) as error:
        raise api.Unreachable(f"{who} does not answer", repr(error)) from error
    except (dns.tsig.PeerError, dns.tsig.BadSignature) as error:
        raise api.PermanentError(f"{who} does not take the key", type(error).__name__) from None
    except (dns.exception.DNSException, struct.error) as error:
        raise api.TemporaryError(f"{who} gave an answer that can't be read", repr(error)) from error


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException as error:
        raise api.PermanentError(f"{text!r} is no DNS name: {type(error).__name__}") from error
