"""The probe ``dns_answer``: whether a name server gives a name its addresses.

=============  =====================================================================================
``host``       address of the name server
``port``       53 if not given
``name``       the name to ask for
``addresses``  the addresses that it shall have; any, if not given
=============  =====================================================================================

The status is ``up``; ``stale`` where the name has other addresses; a name that the server does not have is left out.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
from oslo_config import cfg

from esi_worker import api
from esi_worker_dns import nameserver


class DnsAnswer(api.Probe):
    """DNS has one question per message, so all of them are sent at once over one connection."""

    options: ClassVar[Sequence[cfg.Opt]] = (
        cfg.FloatOpt("timeout", default=5.0, min=0.1, help="How long a name server may take to answer (seconds)."),
    )
    wanted_status = "up"
    timeout = 60.0

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties.

        :raises PermanentError: naming the target and the property
        """
        asked = _text(name, properties, "name")
        try:
            asked = dns.name.from_text(asked).to_text()
        except dns.exception.DNSException:
            raise api.PermanentError(f"target {name}: name is no DNS name") from None
        device = api.Device(_text(name, properties, "host"), _number(name, properties, "port", 53, 1, 65535))
        question = {"name": asked, "addresses": _addresses(name, properties)}
        wanted = _text(name, properties, "wanted_status", self.wanted_status)
        timeout = float(_number(name, properties, "timeout", int(self.timeout), 0, 86400))
        return api.Target(name, self.settings.name, device, question, wanted, timeout)

    def connect(self, device: api.Device) -> api.Session:
        """Open a connection.

        :raises Unreachable: if the server does not answer
        """
        with nameserver.translated(f"the name server {device}"):
            return socket.create_connection((device.address, device.port or 53), timeout=self.settings.options.timeout)

    def read(self, session: socket.socket, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Send all questions, then read all answers.

        :raises Unreachable: if the connection is broken
        """
        names = sorted({str(each.question["name"]) for each in targets})
        questions = {
            (name, kind): dns.message.make_query(name, kind, flags=dns.flags.Flag(0))
            for name in names
            for kind in nameserver.TYPES
        }
        found: dict[str, set[str]] = {}
        with nameserver.translated("the name server"):
            for (name, _), reply in _ask(session, questions, self.settings.options.timeout).items():
                for records in reply.answer:
                    found.setdefault(name, set()).update(record.to_text() for record in records)
        return {
            api.key(each): _status(each, found[name]) for each in targets if (name := each.question["name"]) in found
        }


def _ask(
    session: socket.socket, questions: Mapping[tuple[str, str], dns.message.Message], timeout: float
) -> dict[tuple[str, str], dns.message.Message]:
    """Answers may come in any order (RFC 7766): they are told apart by their ids."""
    ends = time.time() + timeout
    for place, question in enumerate(questions.values()):
        question.id = place
        dns.query.send_tcp(session, question, ends)
    by_place = list(questions)
    answers: dict[tuple[str, str], dns.message.Message] = {}
    while len(answers) < len(by_place):
        reply, _ = dns.query.receive_tcp(session, ends)
        if reply.id < len(by_place):
            answers[by_place[reply.id]] = reply
    return answers


def _status(target: api.Target, found: set[str]) -> str:
    wanted = target.question["addresses"]
    return "up" if not wanted or set(wanted.split()) == found else "stale"


def _addresses(target: str, properties: Mapping[str, Any]) -> str:
    """The addresses as one text: a question's values must be hashable."""
    if properties.get("addresses") is None:
        return ""
    try:
        wanted = nameserver.addresses(properties["addresses"])
    except api.PermanentError as error:
        raise api.PermanentError(f"target {target}: {error.message}") from None
    return " ".join(sorted(address for each in wanted.values() for address in each))


def _text(target: str, properties: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = properties.get(name, default)
    if not isinstance(value, str) or not value:
        raise api.PermanentError(f"target {target}: {name} is missing or no text")
    return value


def _number(target: str, properties: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = properties.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise api.PermanentError(f"target {target}: {name} must be a whole number from {least} to {most}")
    return value
