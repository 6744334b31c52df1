"""What ``switch`` and ``router`` have in common: a device that answers, and whose clock goes on.

Beside what every probe by SNMP takes (:mod:`esi_worker.probes.snmp_probe`):

========  =================================================
``ip``    address of the device
``mibs``  taken for the sake of older templates, and unused
========  =================================================

``ACTIVE`` where sysUpTime answers and grows.  After a restart the device is ``DOWN`` for one reading, so that it can be
seen; the log says so too.  It is ``DOWN`` as well while its clock stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.probes import snmp_probe


class UptimeProbe(snmp_probe.SnmpProbe):
    """One GET answers for the device."""

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties.

        :raises PermanentError: naming the target and the property
        """
        return self.target(name, properties, "ip", {"object": "sysUpTime"})

    def read(self, session: snmp_probe.DeviceSession, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Ask once, for there is one clock.

        :raises Unreachable: if the device does not answer
        :raises TemporaryError: if it answers with an error
        """
        grows = session.uptimes[self.settings.name].grows()
        if grows is None:
            return {}
        return {api.key(each): snmp_probe.ACTIVE if grows else snmp_probe.DOWN for each in targets}
