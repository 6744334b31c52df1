"""The probe ``logical_port``: whether a logical interface is up, such as ``ae0`` or ``ae0.1025``.

See :mod:`esi_worker.probes.snmp_interface`.
"""

from __future__ import annotations

from esi_worker.probes import snmp_interface


class LogicalPort(snmp_interface.InterfaceProbe):
    """An interface that the configuration makes of others."""
