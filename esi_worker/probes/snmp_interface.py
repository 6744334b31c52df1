"""What ``physical_port`` and ``logical_port`` have in common: an interface, and whether it is up.

Beside what every probe by SNMP takes (:mod:`esi_worker.probes.snmp_probe`):

=============  ===============================================
``device_ip``  address of the device
``name``       the interface, as the device's ifName has it
=============  ===============================================

``ACTIVE`` where ifOperStatus is up, ``DOWN`` where it is anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.clients import snmp_tables
from esi_worker.probes import netconf_probe
from esi_worker.probes import snmp_probe


class InterfaceProbe(snmp_probe.SnmpProbe):
    """One GET answers for 20 interfaces; their names are looked up once per session."""

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties.

        :raises PermanentError: naming the target and the property
        """
        question = {"interface": netconf_probe.text(name, properties, "name")}
        return self.target(name, properties, "device_ip", question)

    def read(self, session: snmp_probe.DeviceSession, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Ask for all targets together.

        :raises Unreachable: if the device does not answer
        :raises TemporaryError: if it answers with an error
        """
        interfaces = {api.key(each): str(each.question["interface"]) for each in targets}
        statuses = session.interfaces.statuses(dict.fromkeys(interfaces.values()))
        return {
            key: snmp_probe.ACTIVE if statuses[interface] == snmp_tables.UP else snmp_probe.DOWN
            for key, interface in interfaces.items()
            if interface in statuses
        }
