"""The probe ``bgp_session``: the state of a BGP peer of a Junos router.

Beside what every probe by NETCONF takes (:mod:`esi_worker.probes.netconf_probe`):

============  =========================================================================================
``peer_ip``   the peer's address; ``peer`` and ``neighbor`` say the same
``instance``  the routing instance that the peer is in; without it, the first peer with that address
============  =========================================================================================

The status is in upper case; ``ESTABLISHED`` is wanted where the template says nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.probes import netconf_probe


class BgpSession(netconf_probe.NetconfProbe):
    """One ``show bgp summary`` answers for all peers of a router, or of a routing instance.

    The summary names the instance of a peer only while the peer is up, so each instance is asked for by name.
    """

    wanted_status = junos.ESTABLISHED

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties.

        :raises PermanentError: naming the target and the property
        """
        question = {
            "peer": netconf_probe.text(name, properties, "peer_ip", "peer", "neighbor"),
            "instance": netconf_probe.text(name, properties, "instance", default=""),
        }
        return self.target(name, properties, question)

    def read(self, session: netconf.NetconfSession, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Ask once for all targets of a routing instance.

        :raises Unreachable: if the session is broken
        :raises TemporaryError: if the device answers with an error
        """
        found: dict[str, str] = {}
        for instance in sorted({str(each.question["instance"]) for each in targets}):
            states = junos.bgp_states(session.rpc(junos.bgp_question(instance)))
            for each in targets:
                if each.question["instance"] == instance and each.question["peer"] in states:
                    found[api.key(each)] = states[each.question["peer"]]
        return found
