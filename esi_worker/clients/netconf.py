"""The one door to NETCONF: a kept session to a device, by ncclient.

One deadline covers the whole connect (TCP, banner, key exchange, login, hello), where ncclient's covers neither banner
nor login; TCP_NODELAY is set; the rest of what ncclient needs is in :mod:`esi_worker.clients.netconf_session`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from typing import Final
from typing import NoReturn

import paramiko
from ncclient import NCClientError
from ncclient.operations import errors as operation_errors
from ncclient.transport import errors as transport_errors
from oslo_config import cfg
from oslo_config import types
from oslo_log import log as logging

from esi_worker import api
from esi_worker.clients import endpoints
from esi_worker.clients import framing
from esi_worker.clients import junos
from esi_worker.clients import netconf_session

LOG = logging.getLogger(__name__)

GROUP: Final = "netconf"


class Refused(api.TemporaryError):
    """The device answered with an rpc-error; the session lives on.

    :ivar errors: what it said
    """

    def __init__(self, device: str, errors: list[junos.RpcError]) -> None:
        said = "; ".join(error.message or error.tag or "no reason given" for error in errors)
        super().__init__(f"{device} refused the request: {said}")
        self.errors = errors


def list_options() -> tuple[str, list[cfg.Opt]]:
    """The group's name and its options."""
    return GROUP, [
        cfg.FloatOpt(
            "connect_timeout",
            default=10.0,
            min=0.1,
            help="Seconds for opening a session: TCP, key exchange, login and hello together.",
        ),
        cfg.FloatOpt("rpc_timeout", default=30.0, min=0.1, help="Seconds to wait for a device's answer."),
        cfg.BoolOpt(
            "host_key_check",
            default=True,
            help="Whether a device must show the host key that known_hosts has for it. Turned off, anybody in between "
            "can read the passwords of the devices.",
        ),
        cfg.StrOpt(
            "known_hosts",
            default="/etc/esi-worker/known_hosts",
            help="File with the devices' host keys, in the format of OpenSSH. A device is looked up by the address "
            "and port that its document has, wherever endpoints leads: 10.0.0.1 or [10.0.0.1]:830.",
        ),
        cfg.ListOpt(
            "endpoints",
            default=[],
            item_type=types.String(regex=endpoints.PATTERN),
            help="Where a device is really reached, for port forwards, jump hosts and labs: "
            "10.0.0.1:830=127.0.0.1:2022,...",
        ),
    ]


class NetconfSession:
    """A session to a device; one thread at a time may use it.

    :ivar refused: questions that this device did not understand, for probes that can put them in another way
    """

    def __init__(self, session: netconf_session.Session, device: str, timeout: float) -> None:
        self.refused: set[str] = set()
        self._session = session
        self._device = device
        self._timeout = timeout

    def rpc(self, question: junos.Element | str) -> junos.Element:
        """Ask, and wait for the answer.

        :param question: the element within ``<rpc>``, or its text
        :returns: the ``rpc-reply`` element, perhaps with an rpc-error of severity warning in it: "not yet"
        :raises Refused: if the device answers with an error
        :raises Unreachable: if it doesn't answer or the session is broken, which is closed then
        """
        if isinstance(question, str):
            question = junos.parse(question.encode())
        try:
            reply = self._session.ask(question, self._timeout)
        except Exception as error:
            # Never close_session() here: after a timeout it waits again and leaks two threads and four descriptors.
            self.close()
            raise api.Unreachable(f"{self._device} {_reason(error, self._timeout)}", repr(type(error))) from error
        found = junos.errors(reply)
        for warning in (each for each in found if each.severity == "warning"):
            LOG.debug("%s warns: %s", self._device, warning.message)
        if refusals := [each for each in found if each.severity != "warning"]:
            raise Refused(self._device, refusals)
        return reply

    def close(self) -> None:
        """Give the session up: the connection is cut; never raises."""
        self._session.close()


def connect(device: api.Device, options: Any) -> NetconfSession:
    """Open a session.

    :param device: which one; looked up in ``options.endpoints``
    :param options: the group ``netconf``
    :raises Unreachable: if the device doesn't come to a hello in time
    :raises PermanentError: if it refuses the login or shows a host key that isn't known
    """
    deadline = time.monotonic() + options.connect_timeout
    try:
        sock = _open(endpoints.place(device, options.endpoints), deadline)
    except OSError as error:
        raise api.Unreachable(f"{device} {_reason(error, options.connect_timeout)}") from error
    keys = _host_keys(device, options)
    session = netconf_session.Session(sock, options.rpc_timeout, keys)
    try:
        with _cut_at(deadline, sock):
            _negotiate(session, device, options)
    except Exception as error:  # noqa: BLE001  (ncclient, paramiko and the wire raise all kinds)
        try:
            _translate(error, session, device, options, overdue=time.monotonic() >= deadline)
        finally:
            session.close()
    return NetconfSession(session, str(device), options.rpc_timeout)


def _open(place: tuple[str, int], deadline: float) -> socket.socket:
    """:raises OSError: if no address of the host takes the connection before the deadline."""
    problem = OSError("has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(*place, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            problem = error
    raise problem


@contextlib.contextmanager
def _cut_at(deadline: float, sock: socket.socket) -> Iterator[None]:
    """Shut the socket down when the time is over: whatever step hangs, it ends with an error."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), netconf_session.shut, [sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _negotiate(session: netconf_session.Session, device: api.Device, options: Any) -> None:
    session.connect(
        device.address,
        port=device.port,
        sock=session.sock,
        timeout=options.connect_timeout,
        username=device.username,
        password=device.password,
        hostkey_verify=options.host_key_check,
        allow_agent=False,
        look_for_keys=False,
    )


def _host_keys(device: api.Device, options: Any) -> paramiko.HostKeys:
    keys = paramiko.HostKeys()
    if not options.host_key_check:
        LOG.warning("The host key of %s is not checked: [netconf] host_key_check is off.", device)
        return keys
    path = os.path.expanduser(options.known_hosts)
    try:
        keys.load(path)
    except OSError as error:
        LOG.warning("[netconf] known_hosts %s can't be read (%s): no device's host key is known.", path, error.strerror)
    return keys


def _translate(
    error: Exception, session: netconf_session.Session, device: api.Device, options: Any, *, overdue: bool
) -> NoReturn:
    """Raise what a failed connect means.

    :param overdue: whether the deadline was over: the error is then only what the cut line led to
    """
    if isinstance(error, transport_errors.SSHUnknownHostError):
        shown = session.transport.get_remote_server_key()
        raise api.PermanentError(
            f"{device} shows a host key that {options.known_hosts} does not have for it: {shown.get_name()} "
            f"{shown.fingerprint}"
        ) from error
    if isinstance(error, paramiko.AuthenticationException) and not overdue and _is_refusal(error):
        raise api.PermanentError(f"{device} refused the login of user {device.username}") from error
    reason = (
        f"did not come to a NETCONF session within {options.connect_timeout:g} s"
        if overdue
        else _reason(error, options.connect_timeout)
    )
    raise api.Unreachable(f"{device} {reason}", repr(type(error))) from error


def _is_refusal(error: paramiko.AuthenticationException) -> bool:
    """Whether the device said no, rather than nothing: Paramiko has one class for both."""
    return "EOF" not in str(error) and "timeout" not in str(error).lower()


def _reason(error: Exception, timeout: float) -> str:
    """What an error of ncclient, Paramiko or the wire means, without any of the data that its text may hold."""
    if isinstance(error, (TimeoutError, operation_errors.TimeoutExpiredError)):
        return f"did not answer within {timeout:g} s"
    if isinstance(error, (junos.MalformedXML, framing.FramingError)):
        return f"sent what can't be read: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"can't be reached: {error.strerror}"
    if isinstance(error, (NCClientError, paramiko.SSHException, EOFError, OSError)):
        return "cut the connection"
    return f"caused {type(error).__name__}"
