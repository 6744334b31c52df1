"""The probe ``physical_port``: whether a port of a device is up, such as ``xe-0/0/3``.

See :mod:`esi_worker.probes.snmp_interface`.
"""

from __future__ import annotations

from esi_worker.probes import snmp_interface


class PhysicalPort(snmp_interface.InterfaceProbe):
    """A port that a cable is put into."""
