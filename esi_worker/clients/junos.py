"""The XML that Junos routers speak: questions are built, replies are read by local names at any depth.

The namespace of a reply carries the release (``.../junos/16.1R1/junos-vrrpd``), some releases send none, and a router
with two routing engines wraps the reply: so neither namespaces nor the place within the reply count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import Final

from lxml import etree

Element = Any
"""An lxml element."""

MASTER: Final = "master"
BACKUP: Final = "backup"
ESTABLISHED: Final = "ESTABLISHED"


class MalformedXML(ValueError):
    """What the device sent can't be read as XML, or holds what no device has reason to send."""


@dataclasses.dataclass(frozen=True, slots=True)
class RpcError:
    """An ``rpc-error`` of a reply.

    :ivar severity: ``error`` or ``warning``
    :ivar tag: such as ``operation-failed``
    :ivar message: on one line, for people
    """

    severity: str
    tag: str
    message: str

    @property
    def is_syntax(self) -> bool:
        """Whether the device doesn't know what it was asked."""
        return self.tag in ("unknown-element", "bad-element") or "syntax error" in self.message.lower()


def parse(data: bytes) -> Element:
    """Read a message without resolving entities, without loading anything, without a DOCTYPE.

    :raises MalformedXML: saying what is wrong, without the message's text
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser=parser)
    except etree.XMLSyntaxError as error:
        raise MalformedXML(f"malformed XML: {error.msg}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedXML("malformed XML: a DOCTYPE is not allowed")
    return root


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname)


def text(element: Element, name: str) -> str:
    """The text of the first descendant of that name; empty where there is none."""
    found = next(element.iter(f"{{*}}{name}"), None)
    return "" if found is None or found.text is None else str(found.text).strip()


def errors(reply: Element) -> list[RpcError]:
    """All errors and warnings in a reply."""
    return [
        RpcError(
            text(each, "error-severity") or "error",
            text(each, "error-tag"),
            " ".join(text(each, "error-message").split())[:200],
        )
        for each in reply.iter("{*}rpc-error")
    ]


def vrrp_question(*, summary: bool = True) -> Element:
    """``show vrrp summary``; without summary what the oldest releases understand too."""
    question = etree.Element("get-vrrp-information")
    if summary:
        etree.SubElement(question, "summary")
    return question


def vrrp_states(reply: Element) -> Mapping[tuple[str, int], str]:
    """(interface, group) -> state as the device spells it.

    Where a reply names a group twice (two routing engines, two address families) the first counts.
    """
    states: dict[tuple[str, int], str] = {}
    for entry in reply.iter("{*}vrrp-interface"):
        interface, group, state = text(entry, "interface"), text(entry, "group"), text(entry, "vrrp-state")
        if interface and group.isdecimal() and state:
            states.setdefault((interface, int(group)), state)
    return states


def bgp_question(instance: str = "") -> Element:
    """``show bgp summary``.

    :param instance: only the peers of this routing instance; empty: those of all
    """
    question = etree.Element("get-bgp-summary-information")
    if instance:
        etree.SubElement(question, "instance").text = instance
    return question


def bgp_states(reply: Element) -> Mapping[str, str]:
    """Peer address -> state in upper case.

    An address may have the port behind a plus sign; ``Establ`` is how some releases shorten the state.  Where a reply
    names a peer twice the first counts.
    """
    states: dict[str, str] = {}
    for entry in reply.iter("{*}bgp-peer"):
        address, state = text(entry, "peer-address").partition("+")[0], text(entry, "peer-state").upper()
        if address and state:
            states.setdefault(address, ESTABLISHED if state.startswith("ESTAB") else state)
    return states
