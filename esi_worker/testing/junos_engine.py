"""A Junos router without sockets: bytes of NETCONF in, bytes of NETCONF out.

It has a configuration database (candidate and committed, a lock, text and set commands), and VRRP and BGP sessions
that follow from what is committed.  It can misbehave on demand: :class:`Fault`.
"""

from __future__ import annotations

import collections
import enum
import itertools
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from lxml import etree

from esi_worker.clients import framing
from esi_worker.clients import junos
from esi_worker.testing import junos_config
from esi_worker.testing import junos_replies
from esi_worker.testing import junos_sessions

_BASE_11: Final = "urn:ietf:params:netconf:base:1.1"
_CAPABILITIES: Final = (
    "urn:ietf:params:netconf:base:1.0",
    _BASE_11,
    "urn:ietf:params:netconf:capability:candidate:1.0",
    "urn:ietf:params:netconf:capability:confirmed-commit:1.0",
    "urn:ietf:params:netconf:capability:validate:1.0",
    "http://xml.juniper.net/netconf/junos/1.0",
)


class Fault(enum.StrEnum):
    """What a router can do wrong."""

    REFUSED = "refused"
    """It takes no connection."""
    NO_BANNER = "no-banner"
    """It takes a connection and says nothing."""
    LOGIN_REFUSED = "login-refused"
    """No password is right."""
    SILENT_HELLO = "silent-hello"
    """It takes the login and sends no hello."""
    SILENT_RPC = "silent-rpc"
    """It answers no rpc."""
    CUT_REPLY = "cut-reply"
    """It cuts the connection in the middle of a reply."""
    MALFORMED = "malformed"
    """Its replies are no XML."""
    DOCTYPE = "doctype"
    """Its replies have a DOCTYPE with entities."""
    RPC_ERROR = "rpc-error"
    """It answers each rpc with an error."""
    NOT_RUNNING = "not-running"
    """It warns that the VRRP subsystem isn't running."""


class JunosEngine:
    """One router; any number of sessions, any threads.

    :param role: what its VRRP groups come to: ``master`` or ``backup``
    :param groups: configuration groups that it has from the beginning: name -> VRRP groups that they bring along
    :param base: more configuration that it has from the beginning
    :param settle: seconds that a new VRRP or BGP session takes to its final state
    :param clock: seconds
    :ivar fault: what it does wrong at present
    :ivar style: how replies look
    :ivar chunked: whether it offers base:1.1
    :ivar knows_summary: whether it understands ``<summary/>``
    :ivar declares_xml: whether replies begin with an XML declaration, which ncclient's own Junos handler can't take
    :ivar counts: ``connections``, ``sessions``, ``rpcs``, and each rpc by its name
    """

    def __init__(
        self,
        role: str = "master",
        groups: Mapping[str, Sequence[int]] | None = None,
        base: str = "",
        settle: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault: Fault | None = None
        self.style = junos_replies.Style.NAMESPACED
        self.chunked = True
        self.knows_summary = True
        self.declares_xml = False
        self.counts: collections.Counter[str] = collections.Counter()
        self.sessions = junos_sessions.Sessions(role, settle, clock)
        self._running = junos_config.Configuration(junos_sessions.base_configuration(groups or {}, role))
        self._running.load(base)
        self._candidate = self._running.copy()
        self._owner = 0
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self.sessions.committed(self._running)

    def open(self) -> EngineSession:
        """Begin a NETCONF session."""
        self.counts["sessions"] += 1
        return EngineSession(self, next(self._ids))

    def configure(self, text: str) -> None:
        """Load a text and commit it, as an operator at the console would."""
        with self._lock:
            self._candidate.load(text)
            self.commit()

    def configuration(self) -> str:
        """The committed configuration as text."""
        with self._lock:
            return self._running.text()

    def force_vrrp(self, interface: str, group: int, state: str | None) -> None:
        """Hold a VRRP group in a state; None lets it go."""
        self.sessions.force(junos_sessions.Vrrp(interface, group), state)

    def force_bgp(self, peer: str, state: str | None, instance: str = "master") -> None:
        """Hold a BGP peer in a state; None lets it go."""
        self.sessions.force(junos_sessions.Bgp(instance, peer), state)

    def answer(self, rpc: junos.Element, session_id: int) -> etree._Element:
        """:returns: the reply to an ``<rpc>``."""
        operation = rpc[0]
        name = junos.local_name(operation)
        self.counts["rpcs"] += 1
        self.counts[name] += 1
        with self._lock:
            if self.fault is Fault.RPC_ERROR:
                content = [junos_replies.error("the daemon did not answer")]
            elif self.fault is Fault.NOT_RUNNING and name == "get-vrrp-information":
                content = [junos_replies.not_running()]
            else:
                content = self._perform(name, operation, session_id)
        return junos_replies.reply(rpc, content, self.style)

    def end(self, session_id: int) -> None:
        """A session is over: its lock goes, and what it didn't commit."""
        with self._lock:
            if self._owner == session_id:
                self._owner = 0
                self._candidate = self._running.copy()

    def commit(self) -> None:
        """Make the candidate the running configuration."""
        with self._lock:
            self._running = self._candidate.copy()
            self.sessions.committed(self._running)

    def _perform(self, name: str, operation: junos.Element, session_id: int) -> list[etree._Element]:
        if name == "get-vrrp-information":
            if not self.knows_summary and len(operation):
                return [junos_replies.error("syntax error", bad_element="summary")]
            return junos_replies.vrrp(self.sessions.states())
        if name == "get-bgp-summary-information":
            return junos_replies.bgp(self.sessions.states(), junos.text(operation, "instance"))
        if name in ("get-configuration", "get-config"):
            committed = operation.get("database") == "committed" or junos.local_name(operation) == "get-config"
            return [junos_replies.configuration(self._running if committed else self._candidate, operation)]
        if name == "close-session":
            return [etree.Element("ok")]
        if self._owner not in (0, session_id):
            return [junos_replies.error("configuration database locked by another session", tag="lock-denied")]
        return self._change(name, operation, session_id)

    def _change(self, name: str, operation: junos.Element, session_id: int) -> list[etree._Element]:
        """What only the session that holds the lock may do, if one holds it."""
        if name in ("lock", "lock-configuration"):
            self._owner = session_id
        elif name in ("unlock", "unlock-configuration"):
            self._owner = 0
            self._candidate = self._running.copy()
        elif name in ("load-configuration", "edit-config"):
            return self._load(operation)
        elif name == "discard-changes":
            self._candidate = self._running.copy()
        elif name in ("commit", "commit-configuration"):
            if operation.find("{*}check") is None:
                self.commit()
        else:
            return [junos_replies.error("syntax error", tag="operation-not-supported", bad_element=name)]
        return [etree.Element("ok")]

    def _load(self, operation: junos.Element) -> list[etree._Element]:
        if operation.get("rollback") == "0":
            self._candidate = self._running.copy()
            return [etree.Element("ok")]
        text, commands = junos.text(operation, "configuration-text"), junos.text(operation, "configuration-set")
        if operation.get("action", "merge") not in ("merge", "set", "replace") or not (text or commands):
            return [junos_replies.error("only text and set commands can be loaded", tag="operation-not-supported")]
        try:
            warnings = [*self._candidate.load(text), *self._candidate.load_set(commands)]
        except junos_config.SyntaxProblem as problem:
            return [junos_replies.error(str(problem))]
        return [junos_replies.load_results(warnings)]


class EngineSession:
    """One NETCONF session.

    :ivar closed: whether the connection is to be closed after what was returned last is sent
    """

    def __init__(self, engine: JunosEngine, session_id: int) -> None:
        self.closed = False
        self._engine = engine
        self._id = session_id
        self._deframer = framing.Deframer()
        self._greeted = False

    def hello(self) -> bytes:
        """:returns: what the router sends first."""
        if self._engine.fault is Fault.SILENT_HELLO:
            return b""
        offered = [each for each in _CAPABILITIES if self._engine.chunked or each != _BASE_11]
        return framing.frame(etree.tostring(junos_replies.hello(offered, self._id)), chunked=False)

    def receive(self, data: bytes) -> bytes:
        """:param data: what came; :returns: what to send."""
        sent = b""
        try:
            for message in self._deframer.feed(data):
                sent += self._message(junos.parse(message))
        except (framing.FramingError, junos.MalformedXML):
            self.closed = True
        return sent

    def end(self) -> None:
        """The connection is gone."""
        self._engine.end(self._id)

    def _message(self, root: junos.Element) -> bytes:
        if not self._greeted:
            theirs = {(each.text or "").strip() for each in root.iter("{*}capability")}
            self._deframer.chunked = self._engine.chunked and _BASE_11 in theirs
            self._greeted = True
            return b""
        if junos.local_name(root) != "rpc" or not len(root):
            self.closed = True
            return b""
        answer = self._engine.answer(root, self._id)
        reply = etree.tostring(answer, xml_declaration=self._engine.declares_xml, encoding="UTF-8")
        self.closed = junos.local_name(root[0]) == "close-session"
        return self._spoilt(reply)

    def _spoilt(self, reply: bytes) -> bytes:
        """The framed reply, as the fault of the moment makes it."""
        fault = self._engine.fault
        if fault is Fault.SILENT_RPC:
            return b""
        if fault is Fault.MALFORMED:
            reply = reply.replace(b"</", b"<", 1)
        if fault is Fault.DOCTYPE:
            reply = b'<!DOCTYPE rpc-reply [<!ENTITY a "aaaaaaaa">]>' + reply
        framed = framing.frame(reply, chunked=self._deframer.chunked)
        if fault is Fault.CUT_REPLY:
            self.closed = True
            return framed[: len(framed) // 2]
        return framed
