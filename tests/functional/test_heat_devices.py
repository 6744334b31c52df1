"""The stand-in for Heat configures the stand-in for a router, over NETCONF."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from collections.abc import Mapping
from typing import Any

import requests

from esi_worker import api
from esi_worker.handlers import heat_worker
from esi_worker.testing import context as stand_in
from esi_worker.testing import heat
from esi_worker.testing import heat_devices
from esi_worker.testing import junos_config
from esi_worker.testing import junos_engine
from esi_worker.testing import router
from tests.functional import heat_base

DEVICE = {"device_ip": "198.51.100.5", "port": "830"}
UNIT = (
    {"config_type": "tag", "xml_type": "tag", "tag": "interfaces"},
    {"config_type": "name", "xml_type": "named_tag", "tag": "interface", "name": "lt-0/0/0"},
    {"config_type": "named_tag", "xml_type": "named_tag", "tag": "unit", "name": 1025},
)
SET = (
    {"config_type": "tag", "xml_type": "tag", "tag": "services"},
    {"config_type": "named_tag", "xml_type": "named_tag", "tag": "service-set", "name": "vrf-1\n"},
)


def template(*configs: dict[str, Any], password: str = "router-password") -> dict[str, Any]:
    properties = {**DEVICE, "username": "netops", "password": password, "lock_timeout": 3000, "configs": list(configs)}
    resource = {"type": heat_devices.TYPE, "properties": properties}
    return {"heat_template_version": "2013-05-23", "resources": {"configure": resource}}


class RouterTest(heat_base.HeatCase):
    """NetconfNamedConfigs, carried out."""

    def setUp(self) -> None:
        self.router = router.RouterServer()
        self.router.start()
        self.addCleanup(self.router.close)
        devices = heat.Devices({"198.51.100.5:830": f"{self.router.host}:{self.router.port}"})
        self.server = heat.HeatServer(devices)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.stacks = self.server.stacks

    def run_job(self, document: Any, action: str = api.CREATE, version: int = 1) -> api.Done:
        context = stand_in.StandInContext(tenant_id=heat_base.TENANT, document=document)
        worker = self.worker()
        return self.settle(heat_base.job(action, version), context, lambda: worker)

    @property
    def counts(self) -> Mapping[str, int]:
        return self.router.engine.counts

    def commands(self) -> set[str]:
        return set(junos_config.Configuration(self.router.engine.configuration()).set_commands())

    def test_create_update_delete(self) -> None:
        before = self.commands()
        unit = {"config": "peer-unit 2025;\nfamily inet;\n", "path": UNIT}
        services = {"config": "nat-rules one;\nnat-rules two;\n", "path": SET}
        self.run_job(template(unit, services))
        added = {
            "set interfaces lt-0/0/0 unit 1025 peer-unit 2025",
            "set interfaces lt-0/0/0 unit 1025 family inet",
            "set services service-set vrf-1 nat-rules one",
            "set services service-set vrf-1 nat-rules two",
        }
        self.assertEqual(added, self.commands() - before)
        self.run_job(template({"config": "nat-rules three;", "path": SET}), api.MODIFY, 2)
        self.assertEqual({"set services service-set vrf-1 nat-rules three"}, self.commands() - before)
        self.run_job(None, api.LOGICAL_DELETE, 3)
        self.assertEqual(before, self.commands() - {"set interfaces lt-0/0/0", "set services"})
        self.assertEqual((3, 3), (self.counts["lock"], self.counts["unlock"]))

    def test_a_wrong_password_fails_the_stack_and_is_not_shown(self) -> None:
        with self.assertRaisesRegex(api.PermanentError, "Resource failed.*198.51.100.5") as caught:
            self.run_job(template({"config": "", "path": UNIT}, password="wrong-canary"))
        self.assertNotIn("canary", caught.exception.message)

    def test_a_syntax_error_fails_the_stack_and_leaves_the_router_alone(self) -> None:
        before = self.commands()
        documents = template({"config": "nat-rules one;", "path": SET}, {"config": "peer-unit {", "path": UNIT})
        with self.assertRaisesRegex(api.PermanentError, "Resource failed"):
            self.run_job(documents)
        self.assertEqual(before, self.commands())
        self.assertEqual((1, 1), (self.counts["lock"], self.counts["unlock"]))

    def test_a_router_that_refuses(self) -> None:
        self.router.fault(junos_engine.Fault.REFUSED)
        with self.assertRaisesRegex(api.PermanentError, "Resource failed"):
            self.run_job(template({"config": "", "path": UNIT}))


class ProcessTest(unittest.TestCase):
    """python -m esi_worker.testing.heat"""

    def test_it_serves_until_it_is_told_to_end(self) -> None:
        command = [sys.executable, "-m", "esi_worker.testing.heat", "--port", "0", "--devices", "1.2.3.4:830=h:1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            assert process.stdout is not None
            endpoint = process.stdout.readline().strip()
            options = {"endpoint": endpoint}
            worker = heat_worker.HeatWorker(stand_in.settings(heat_worker.HeatWorker, "heat_worker", **options))
            self.addCleanup(worker.close)
            context = stand_in.StandInContext(tenant_id="t", document=heat_base.TEMPLATE, params={"name": "n"})
            self.assertIsInstance(worker.apply(heat_base.job(), context), api.Again)
            shown = requests.get(endpoint % {"tenant_id": "t"} + "/stacks", timeout=5).json()
            self.assertEqual(
                ["CREATE_COMPLETE"], [stack["stack_status"] for stack in shown["stacks"]], json.dumps(shown)
            )
            process.terminate()
            self.assertEqual(0, process.wait(10))
