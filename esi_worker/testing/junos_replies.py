"""How the stand-in router words its replies: with a release's namespaces, without any, or as two routing engines do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from lxml import etree

from esi_worker.clients import junos
from esi_worker.testing import junos_config
from esi_worker.testing import junos_sessions

_BASE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
_JUNOS: Final = "http://xml.juniper.net/junos/16.1R1"
_NAMESPACES: Final = {
    "vrrp-information": f"{_JUNOS}/junos-vrrpd",
    "bgp-information": f"{_JUNOS}/junos-routing",
    "multi-routing-engine-results": f"{_JUNOS}/junos",
}


class Style(enum.StrEnum):
    """How replies look."""

    NAMESPACED = "namespaced"
    """The namespace of each part carries the release."""
    PLAIN = "plain"
    """No namespace at all."""
    MULTI_ROUTING_ENGINE = "multi-routing-engine"
    """Namespaces, and the answers wrapped once for each routing engine."""


def hello(capabilities: Sequence[str], session_id: int) -> etree._Element:
    """The first message of a session."""
    root = etree.Element("hello", nsmap={None: _BASE})
    offered = etree.SubElement(root, "capabilities")
    for capability in capabilities:
        etree.SubElement(offered, "capability").text = capability
    etree.SubElement(root, "session-id").text = str(session_id)
    return _qualified(root, _BASE)


def reply(rpc: junos.Element, content: Sequence[etree._Element], style: Style) -> etree._Element:
    """The ``rpc-reply`` to an ``rpc``."""
    root = etree.Element("rpc-reply", nsmap=None if style is Style.PLAIN else {None: _BASE, "junos": f"{_JUNOS}/junos"})
    for name, value in rpc.attrib.items():
        root.set(name, value)
    root.extend(_wrapped(content) if style is Style.MULTI_ROUTING_ENGINE else content)
    return root if style is Style.PLAIN else _qualified(root, _BASE)


def error(
    message: str, *, tag: str = "operation-failed", severity: str = "error", bad_element: str = ""
) -> etree._Element:
    """An ``rpc-error``."""
    root = etree.Element("rpc-error")
    for name, value in (("type", "protocol"), ("tag", tag), ("severity", severity), ("message", f"\n{message}\n")):
        etree.SubElement(root, f"error-{name}").text = value
    if bad_element:
        etree.SubElement(etree.SubElement(root, "error-info"), "bad-element").text = bad_element
    return root


def not_running() -> etree._Element:
    """What a router says that has no VRRP group."""
    return error("vrrp subsystem not running - not needed by configuration.", severity="warning")


def vrrp(states: Mapping[junos_sessions.Session, str]) -> list[etree._Element]:
    """``show vrrp summary``."""
    root = etree.Element("vrrp-information")
    for session, state in states.items():
        if isinstance(session, junos_sessions.Vrrp):
            entry = etree.SubElement(root, "vrrp-interface")
            _fill(entry, interface=session.interface, interface_state="up", group=session.group, vrrp_state=state)
            _fill(entry, vrrp_mode="Active")
    return [root] if len(root) else [not_running()]


def bgp(states: Mapping[junos_sessions.Session, str], instance: str) -> list[etree._Element]:
    """``show bgp summary``, of all instances or of one."""
    root = etree.Element("bgp-information")
    for session, state in states.items():
        if isinstance(session, junos_sessions.Bgp) and instance in ("", session.instance):
            entry = etree.SubElement(root, "bgp-peer")
            _fill(entry, peer_address=session.peer, peer_as=65000, peer_state=state)
    return [root]


def configuration(source: junos_config.Configuration, operation: junos.Element) -> etree._Element:
    """``show configuration`` as text (also where XML is asked for) or as set commands."""
    as_set = operation.get("format") == "set"
    root = etree.Element("configuration-set" if as_set else "configuration-text")
    root.text = "\n".join(source.set_commands()) if as_set else source.text()
    return root


def load_results(warnings: Sequence[str]) -> etree._Element:
    """The answer to a load."""
    root = etree.Element("load-configuration-results")
    root.extend(error(warning, severity="warning") for warning in warnings)
    etree.SubElement(root, "ok")
    return root


def _fill(entry: etree._Element, **values: object) -> None:
    for name, value in values.items():
        etree.SubElement(entry, name.replace("_", "-")).text = str(value)


def _wrapped(content: Sequence[etree._Element]) -> list[etree._Element]:
    if not any(each.tag in _NAMESPACES for each in content):
        return list(content)
    root = etree.Element("multi-routing-engine-results")
    item = etree.SubElement(root, "multi-routing-engine-item")
    _fill(item, re_name="re0")
    item.extend(content)
    return [root]


def _qualified(element: etree._Element, namespace: str) -> etree._Element:
    """A copy in which each element is in the namespace of its part."""
    own = _NAMESPACES.get(str(element.tag), namespace)
    copy = etree.Element(f"{{{own}}}{element.tag}", nsmap={**element.nsmap, None: own})
    copy.text = element.text
    for name, value in element.attrib.items():
        copy.set(name, value)
    copy.extend(_qualified(child, own) for child in element)
    return copy
