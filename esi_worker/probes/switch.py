"""The probe ``switch``: whether a switch is alive; see :mod:`esi_worker.probes.snmp_uptime`."""

from __future__ import annotations

from esi_worker.probes import snmp_uptime


class Switch(snmp_uptime.UptimeProbe):
    """A switch."""
