"""ncclient's SSH session with what has to be mended in it; :mod:`esi_worker.clients.netconf` is how it is used.

What ncclient 0.7.1 does and what is done here instead:

======================================================  ==========================================================
looks at its queue every 0.1 s before it sends          the caller's thread sends
logs whole messages, passwords in them                  they reach no logger
raises raw lxml errors, expands entities                :func:`esi_worker.clients.junos.parse`
its session thread ends on a split character            :mod:`esi_worker.clients.framing`
waits again in ``close_session()`` and leaks            :meth:`Session.close` cuts the connection
takes a login that timed out for a refused one          Paramiko's own errors come through
======================================================  ==========================================================
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any
from typing import Final

import paramiko
from ncclient.devices import junos as junos_handler
from ncclient.operations import rpc as operations
from ncclient.transport import errors as transport_errors
from ncclient.transport import session as transport_session
from ncclient.transport import ssh

from esi_worker.clients import framing
from esi_worker.clients import junos

_BUFFER: Final = 64 * 1024


def shut(sock: socket.socket) -> None:
    """Shut a socket down in both directions: whoever waits on it wakes up."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _Handler(junos_handler.JunosDeviceHandler):  # type: ignore[misc]
    """Junos as ncclient knows it, but for the replies: those are handed on as parsed elements."""

    def transform_reply(self) -> None:
        """No transformation by XSLT."""

    def get_xml_parser(self, session: Any) -> Any:
        """:returns: the session's own."""
        return session.parser


class _Parser:
    """What the session thread feeds with all that it reads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deframer = framing.Deframer()

    def parse(self, data: bytes) -> None:
        """Hand each message that is complete to those who wait for it, parsed once."""
        self._deframer.chunked = self._session.chunked
        for message in self._deframer.feed(data):
            self._session.dispatch(junos.parse(message))


class Session(ssh.SSHSession):  # type: ignore[misc]
    """ncclient's SSH session with its own way of sending, reading, logging in and closing.

    :ivar sock: the socket that it runs over
    :param send_timeout: seconds after which a device that takes nothing any more counts as silent
    :param host_keys: the keys that are known
    """

    def __init__(self, sock: socket.socket, send_timeout: float, host_keys: paramiko.HostKeys) -> None:
        super().__init__(_Handler({"name": "junos"}))
        self.parser = _Parser(self)
        self.sock = sock
        self._host_keys = host_keys
        self._send_timeout = send_timeout
        self._sending = threading.Lock()

    @property
    def chunked(self) -> bool:
        """Whether messages go in chunks: both sides' hello said so."""
        return bool(self._base == transport_session.NetconfBase.BASE_11)

    def load_known_hosts(self, filename: str | None = None) -> None:
        """Only the configured file counts (:func:`esi_worker.clients.netconf.connect`), not the home directory's."""

    def ask(self, question: junos.Element, timeout: float) -> junos.Element:
        """Send an rpc and wait for its reply.

        :param question: the element within ``<rpc>``
        :param timeout: seconds
        :returns: the ``rpc-reply`` element
        :raises Exception: of ncclient, of Paramiko, of the wire or of the parser: the session is broken then
        """
        return _Call(self, self._device_handler, timeout=timeout).request(question)

    def send(self, message: str) -> None:
        """Send from the caller's thread."""
        data = framing.frame(message.encode(), chunked=self.chunked)
        with self._sending:
            channel = self._channel
            if channel is None:
                raise transport_errors.TransportError("the session is closed")
            channel.settimeout(self._send_timeout)
            channel.sendall(data)

    def run(self) -> None:
        """Read until the connection ends: blocked in recv instead of looking ten times a second."""
        channel = self._channel
        try:
            while True:
                try:
                    data = channel.recv(_BUFFER)
                except TimeoutError:
                    continue
                if not data:
                    raise transport_errors.SessionError("the device ended the session")
                self.parser.parse(data)
        except Exception as error:  # noqa: BLE001  (whatever it is, whoever waits for a reply must learn of it)
            self._dispatch_error(error)
            self.close()

    def dispatch(self, root: junos.Element) -> None:
        """Hand a message to those who wait for it; ncclient takes an element where it expects text."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.callback((root.tag, root.attrib), root)

    def close(self) -> None:
        """Cut the connection; its threads end with it."""
        self._closing.set()
        self._connected = False
        # Paramiko's thread looks up every 0.1 s; a socket that is shut down wakes it at once.
        shut(self.sock)
        if self._transport is not None:
            self._transport.close()
        self.sock.close()
        if self.is_alive() and self is not threading.current_thread():
            self.join(1)

    def _auth(self, username: str, password: str, *unused: Any) -> None:
        # ncclient makes one error of all that can happen here: a cut line must not count as a refused login.
        self._transport.auth_password(username, password)


class _Reply(operations.RPCReply):  # type: ignore[misc]
    """A reply as it is: errors are judged by :class:`esi_worker.clients.netconf.NetconfSession`, namespaces or not."""

    def parse(self) -> None:
        """Nothing is left to parse."""
        self._parsed = True


class _Call(operations.RPC):  # type: ignore[misc]
    REPLY_CLS = _Reply

    def request(self, question: junos.Element) -> junos.Element:
        """:returns: the reply's element."""
        return self._request(question).xml
