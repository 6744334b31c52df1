"""The probe ``vrrp_session``: the state of a VRRP group on an interface of a Junos router.

Beside what every probe by NETCONF takes (:mod:`esi_worker.probes.netconf_probe`):

=============  ===========================================
``interface``  logical interface, such as ``ae0.1025``
``vrid``       VRRP group, 1 to 255
=============  ===========================================

The status is ``idle``, ``init``, ``bringup``, ``transition``, ``backup`` or ``master``; ``master`` is wanted where
the template says nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.probes import netconf_probe

_SUMMARY = "get-vrrp-information summary"


class VrrpSession(netconf_probe.NetconfProbe):
    """One ``show vrrp summary`` answers for all groups of a router."""

    wanted_status = junos.MASTER

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties.

        :raises PermanentError: naming the target and the property
        """
        question = {
            "interface": netconf_probe.text(name, properties, "interface"),
            "vrid": netconf_probe.number(name, properties, "vrid", 1, 255),
        }
        return self.target(name, properties, question)

    def read(self, session: netconf.NetconfSession, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Ask once for all targets.

        :raises Unreachable: if the session is broken
        :raises TemporaryError: if the device answers with an error
        """
        states = junos.vrrp_states(self._ask(session))
        keys = {api.key(each): (each.question["interface"], each.question["vrid"]) for each in targets}
        return {key: states[place] for key, place in keys.items() if place in states}

    def _ask(self, session: netconf.NetconfSession) -> junos.Element:
        if _SUMMARY not in session.refused:
            try:
                return session.rpc(junos.vrrp_question())
            except netconf.Refused as refusal:
                if not any(error.is_syntax for error in refusal.errors):
                    raise
                session.refused.add(_SUMMARY)
        return session.rpc(junos.vrrp_question(summary=False))
