"""What probes that ask by SNMP have in common: how a template names the agent, and one session for all of them.

==================  ===============================================================
``community_name``  the community of SNMP v2c, which is kept as a password is
``port``            161 if not given
``wanted_status``   what a create waits for: ``ACTIVE`` if not given
``timeout``         seconds that it waits; 300 if not given
==================  ===============================================================

A target is ``ACTIVE`` or ``DOWN``; ``/monitoring`` shows ``UP`` or ``FAIL``.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.clients import snmp
from esi_worker.clients import snmp_tables
from esi_worker.probes import netconf_probe

ACTIVE: Final = "ACTIVE"
DOWN: Final = "DOWN"


def published(status: str) -> str:
    """A status as ``/monitoring`` shows it."""
    return "UP" if status == ACTIVE else "FAIL"


class DeviceSession:
    """A session to an agent, with what was learned of it.

    :ivar interfaces: its interfaces
    :ivar uptimes: its clock, as each probe has seen it
    """

    def __init__(self, session: snmp.SnmpSession) -> None:
        self._session = session
        self.interfaces = snmp_tables.Interfaces(session)
        self.uptimes: dict[str, snmp_tables.Uptime] = collections.defaultdict(lambda: snmp_tables.Uptime(session))

    def close(self) -> None:
        """Give it up; never raises."""
        self._session.close()


class SnmpProbe(api.Probe):
    """Reads from an SNMP agent; all of these share their session to a device."""

    transport = "snmp"

    def connect(self, device: api.Device) -> api.Session:
        """Make a session; an agent that is down is noticed with the first question.

        :raises Unreachable: if no way leads to the device
        """
        return DeviceSession(snmp.connect(device, self.settings.group(snmp.GROUP)))

    def published(self, status: str) -> str:
        """The status as ``/monitoring`` shows it."""
        return published(status)

    def target(self, name: str, properties: Mapping[str, Any], address: str, question: Mapping[str, Any]) -> api.Target:
        """A target with all that doesn't depend on what is asked.

        :param address: the property that names the device
        :raises PermanentError: naming the target and the property
        """
        device = api.Device(
            netconf_probe.text(name, properties, address),
            netconf_probe.number(name, properties, "port", 1, 65535, default=161),
            password=netconf_probe.text(name, properties, "community_name"),
        )
        wanted = netconf_probe.text(name, properties, "wanted_status", default=self.wanted_status)
        timeout = netconf_probe.number(name, properties, "timeout", 0, 86400, default=int(self.timeout))
        return api.Target(name, self.settings.name, device, question, wanted, float(timeout))
