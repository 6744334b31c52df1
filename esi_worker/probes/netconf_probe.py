"""What probes that ask by NETCONF have in common: how a template names the device, and one session for all of them.

==================  ==================================================================
``host``            address of the device
``port``            830 if not given
``login``           the user; ``username`` says the same
``password``        the user's password; may be left out
``wanted_status``   what a create waits for; each probe has its own default
``timeout``         seconds that it waits; 300 if not given
==================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker.clients import netconf


class NetconfProbe(api.Probe):
    """Reads from a Junos router; all of these share their session to a device."""

    transport = "netconf"

    def connect(self, device: api.Device) -> api.Session:
        """Open a session.

        :raises Unreachable: if the device does not answer
        :raises PermanentError: if it refuses the credentials, or its host key isn't known
        """
        return netconf.connect(device, self.settings.group(netconf.GROUP))

    def target(self, name: str, properties: Mapping[str, Any], question: Mapping[str, Any]) -> api.Target:
        """A target with all that doesn't depend on what is asked.

        :raises PermanentError: naming the target and the property
        """
        device = api.Device(
            text(name, properties, "host"),
            number(name, properties, "port", 1, 65535, default=830),
            text(name, properties, "login", "username"),
            text(name, properties, "password", default=""),
        )
        wanted = text(name, properties, "wanted_status", default=self.wanted_status)
        timeout = number(name, properties, "timeout", 0, 86400, default=int(self.timeout))
        return api.Target(name, self.settings.name, device, question, wanted, float(timeout))


def text(target: str, properties: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """The first of these properties that has a value.

    :param names: names of the property, all with the same meaning
    :param default: None where it must be given
    :raises PermanentError: if it is missing or neither a string nor a number
    """
    for name in names:
        value = properties.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise api.PermanentError(f"target {target}: {name} must be a text")
        return str(value)
    if default is None:
        raise api.PermanentError(f"target {target}: {' or '.join(names)} is missing")
    return default


def number(
    target: str, properties: Mapping[str, Any], name: str, least: int, most: int, *, default: int | None = None
) -> int:
    """A property that is a whole number, or a text of digits.

    :raises PermanentError: if it is missing (without a default), no such number, or out of range
    """
    given = text(target, properties, name, default="" if default is None else str(default))
    if not given:
        raise api.PermanentError(f"target {target}: {name} is missing")
    if not given.isascii() or not given.isdecimal() or not least <= int(given) <= most:
        raise api.PermanentError(f"target {target}: {name} must be a whole number from {least} to {most}")
    return int(given)
