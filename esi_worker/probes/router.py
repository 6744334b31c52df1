"""The probe ``router``: whether a router is alive; see :mod:`esi_worker.probes.snmp_uptime`."""

from __future__ import annotations

from esi_worker.probes import snmp_uptime


class Router(snmp_uptime.UptimeProbe):
    """A router."""
