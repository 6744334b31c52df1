"""The one door to SNMP: a socket to an agent, and questions by v2c.

pysnmp makes and reads the messages (:mod:`esi_worker.clients.snmp_messages`).  Its engine is left out: it lives on
asyncio and brings users, views and MIB files along, where three questions about known numbers are asked here.

An agent says nothing to who has the wrong community, so that looks like any other silence.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Final

from oslo_config import cfg
from oslo_config import types
from oslo_log import log as logging

from esi_worker import api
from esi_worker.clients import endpoints
from esi_worker.clients import snmp_messages

LOG = logging.getLogger(__name__)

GROUP: Final = "snmp"

_PER_MESSAGE: Final = 40
"""So many values, interface names among them, fit into a packet of 1500 bytes: firewalls lose what is cut in pieces."""
_LONGEST: Final = 65535
_REQUEST_IDS: Final = 2**31


class Refused(api.TemporaryError):
    """The agent answered with an error; the session lives on."""


def list_options() -> tuple[str, list[cfg.Opt]]:
    """The group's name and its options."""
    return GROUP, [
        cfg.FloatOpt("timeout", default=2.0, min=0.05, max=60, help="Seconds to wait for an agent's answer."),
        cfg.IntOpt("retries", default=1, min=0, max=10, help="How often a question is repeated that got no answer."),
        cfg.ListOpt(
            "endpoints",
            default=[],
            item_type=types.String(regex=endpoints.PATTERN),
            help="Where an agent is really reached, for port forwards, jump hosts and labs: "
            "10.0.0.1:161=127.0.0.1:1161,...",
        ),
    ]


class SnmpSession:
    """What an agent is asked through; one thread at a time may use it, any may close it.

    :param sock: a UDP socket that is connected to the agent: what others send does not arrive, and a closed port is
        noticed at once
    :param device: its password is the community
    :param timeout: seconds to wait for an answer
    :param retries: how often a question is repeated
    """

    def __init__(self, sock: socket.socket, device: api.Device, timeout: float, retries: int) -> None:
        self._sock = sock
        self._device = device
        self._community = device.password.encode()
        self._timeout = timeout
        self._retries = retries
        self._ids = itertools.count(random.randrange(_REQUEST_IDS))
        self._closed = False

    def __str__(self) -> str:
        return str(self._device)

    def get(self, oids: Sequence[snmp_messages.Oid]) -> dict[snmp_messages.Oid, snmp_messages.Value]:
        """Ask for these; those that the agent does not have are left out.

        :raises Refused: if the agent answers with an error
        :raises Unreachable: if it does not answer
        """
        found: dict[snmp_messages.Oid, snmp_messages.Value] = {}
        for start in range(0, len(oids), _PER_MESSAGE):
            found |= self._get(oids[start : start + _PER_MESSAGE])
        return found

    def walk(self, column: snmp_messages.Oid) -> Iterator[tuple[snmp_messages.Oid, snmp_messages.Value]]:
        """Each row's index and value of a column, in the agent's order.

        :raises Refused: if the agent answers with an error, or would never come to an end
        :raises Unreachable: if it does not answer
        """
        last = column
        while True:
            bindings = self._bulk(last)
            for oid, value in bindings:
                if oid[: len(column)] != column or value is None:
                    return
                if oid <= last:
                    raise Refused(f"{self._device} walks in a circle: {_dotted(oid)} follows {_dotted(last)}")
                last = oid
                yield oid[len(column) :], value
            if not bindings:
                return

    def close(self) -> None:
        """Give it up; a question under way ends with an error; never raises."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _get(self, oids: Sequence[snmp_messages.Oid]) -> dict[snmp_messages.Oid, snmp_messages.Value]:
        response = self._ask(lambda number: snmp_messages.get_request(self._community, number, oids))
        if response.error == snmp_messages.TOO_BIG and len(oids) > 1:
            half = len(oids) // 2
            return self._get(oids[:half]) | self._get(oids[half:])
        self._check(response)
        return {oid: value for oid, value in response.bindings if value is not None}

    def _bulk(self, after: snmp_messages.Oid) -> tuple[tuple[snmp_messages.Oid, snmp_messages.Value | None], ...]:
        response = self._ask(lambda number: snmp_messages.bulk_request(self._community, number, after, _PER_MESSAGE))
        self._check(response)
        return response.bindings

    def _check(self, response: snmp_messages.Response) -> None:
        if response.error:
            raise Refused(f"{self._device} answered with the error {response.error_name}")

    def _ask(self, question: Callable[[int], bytes]) -> snmp_messages.Response:
        """Send a question until it is answered.

        :param question: gives the datagram for a request's number; a repetition has the same, for an answer that
            comes late is an answer
        """
        number = next(self._ids) % _REQUEST_IDS
        data = question(number)
        try:
            for _ in range(1 + self._retries):
                self._sock.send(data)
                if response := self._wait(number):
                    return response
        except OSError as error:
            reason = "session was closed" if self._closed else f"can't be reached: {error.strerror}"
            raise api.Unreachable(f"{self._device} {reason}") from error
        raise api.Unreachable(
            f"{self._device} did not answer by SNMP within {self._timeout:g} s, asked {1 + self._retries} times: it is "
            "down, or does not take the community"
        )

    def _wait(self, number: int) -> snmp_messages.Response | None:
        """The answer to a request; whatever else arrives is passed over.

        :returns: None when the time is over
        :raises OSError: if the agent's port is closed, or the session
        """
        deadline = time.monotonic() + self._timeout
        while (left := deadline - time.monotonic()) > 0:
            self._sock.settimeout(left)
            try:
                data = self._sock.recv(_LONGEST)
            except TimeoutError:
                return None
            if self._closed:
                raise OSError("closed")
            try:
                response = snmp_messages.parse(data)
            except snmp_messages.Malformed as error:
                LOG.debug("%s sent what can't be read: %s", self._device, error)
                continue
            if response.request_id == number and response.community == self._community:
                return response
        return None


def connect(device: api.Device, options: Any) -> SnmpSession:
    """Make a session.  Nothing is sent: an agent that is down is noticed with the first question.

    :param device: which one, looked up in ``options.endpoints``; its password is the community
    :param options: the group ``snmp``
    :raises Unreachable: if its name has no address, or no way leads there
    """
    address, port = endpoints.place(device, options.endpoints)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise api.Unreachable(f"{device} can't be reached: {error.strerror}") from error
    try:
        sock.connect(place)
    except OSError as error:
        sock.close()
        raise api.Unreachable(f"{device} can't be reached: {error.strerror}") from error
    return SnmpSession(sock, device, options.timeout, options.retries)


def _dotted(oid: snmp_messages.Oid) -> str:
    return ".".join(str(each) for each in oid)
