"""The probes by SNMP, without a device: what templates may say."""

from __future__ import annotations

import unittest
from typing import Any

from esi_worker import api
from esi_worker.probes import logical_port
from esi_worker.probes import physical_port
from esi_worker.probes import router
from esi_worker.probes import switch
from esi_worker.testing import context

COMMUNITY = "canary-81aa"
PORT = {"device_ip": "192.0.2.1", "name": "xe-0/0/3", "community_name": COMMUNITY}
DEVICE = {"ip": "192.0.2.1", "community_name": COMMUNITY, "mibs": ["SNMPv2-MIB"]}
PROBES: list[tuple[str, type[api.Probe], dict[str, Any]]] = [
    ("physical_port", physical_port.PhysicalPort, PORT),
    ("logical_port", logical_port.LogicalPort, PORT),
    ("switch", switch.Switch, DEVICE),
    ("router", router.Router, DEVICE),
]


def probe(name: str, kind: type[api.Probe]) -> api.Probe:
    return kind(context.settings(kind, name))


class TargetsTest(unittest.TestCase):
    """From a template's properties to a target."""

    def test_what_is_left_out(self) -> None:
        for name, kind, properties in PROBES:
            target = probe(name, kind).targets("uplink", {"type": name, **properties})
            self.assertEqual(api.Device("192.0.2.1", 161, password=COMMUNITY), target.device)
            self.assertEqual((name, "ACTIVE", 300.0), (target.probe, target.wanted_status, target.timeout))

    def test_what_may_be_given(self) -> None:
        given = {"port": "1161", "wanted_status": "DOWN", "timeout": 5}
        for name, kind, properties in PROBES:
            target = probe(name, kind).targets("uplink", {"type": name, **properties, **given})
            self.assertEqual((1161, "DOWN", 5.0), (target.device.port, target.wanted_status, target.timeout))

    def test_all_of_one_device_and_community_share_their_session(self) -> None:
        found = [probe(name, kind) for name, kind, _ in PROBES]
        targets = [each.targets("t", properties) for each, (_, _, properties) in zip(found, PROBES, strict=True)]
        self.assertEqual(1, len({(each.transport, target.device) for each, target in zip(found, targets, strict=True)}))

    def test_a_missing_property_is_named_with_its_target(self) -> None:
        for name, kind, properties in PROBES:
            for missing in set(properties) - {"mibs"}:
                rest = {key: value for key, value in properties.items() if key != missing}
                with self.assertRaises(api.PermanentError) as caught:
                    probe(name, kind).targets("uplink", rest)
                self.assertEqual(f"target uplink: {missing} is missing", caught.exception.message)

    def test_the_community_shows_nowhere(self) -> None:
        for name, kind, properties in PROBES:
            target = probe(name, kind).targets("uplink", properties)
            self.assertNotIn("canary", f"{target!r} {target.device} {api.key(target)}")


class PublishedTest(unittest.TestCase):
    """What /monitoring shows."""

    def test_up_or_fail(self) -> None:
        for name, kind, _ in PROBES:
            shown = [probe(name, kind).published(status) for status in ("ACTIVE", "DOWN", "whatever")]
            self.assertEqual(["UP", "FAIL", "FAIL"], shown)
