"""What is built in keeps to what is asked of a stranger's plug-ins."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import unittest

from esi_worker import api
from esi_worker.probes import vrrp_session
from esi_worker.resolvers import device_credentials
from esi_worker.resolvers import pool_groups
from esi_worker.resolvers import vrids
from esi_worker.testing import conformance
from esi_worker.testing import junos_engine
from tests.functional import heat_base
from tests.functional import netconf_base


class HeatWorkerTest(conformance.HandlerConformance, heat_base.HeatCase):
    def make_handler(self):
        return self.worker(timeout=0.5)

    def make_job(self, number=0):
        params = {"name": f"port {number}", "device_password": heat_base.PASSWORD}
        ref = api.Ref("port", f"p{number}")
        return conformance.job("heat_worker", ref, params, body={"tenant_id": heat_base.TENANT})

    def make_context(self, job, record):
        made = super().make_context(job, record)
        return dataclasses.replace(made, tenant_id=heat_base.TENANT, document=heat_base.TEMPLATE)

    def make_modified(self, job):
        params = (api.Param("name", api.VALUE, "another name"), *job.params[1:])
        job_id = job.id.replace("create:", "modify:").replace(":1:", ":2:")
        return dataclasses.replace(job, id=job_id, action=api.MODIFY, version=2, params=params)

    def observe(self):
        """Names and parameters; what Heat calls the last action is not what the stack is."""
        return sorted((stack.name, stack.status, dict(stack.parameters)["name"]) for stack in self.stacks.all())

    def pass_time(self, seconds):
        # The stand-in has threads of its own, which bring stacks about while the handler waits.
        threading.Event().wait(seconds)

    @contextlib.contextmanager
    def silence(self):
        self.server.faults.add("reset", times=1000)
        yield
        self.server.faults.clear()


class VrrpSessionTest(conformance.ProbeConformance, netconf_base.RouterCase):
    def setUp(self):
        super().setUp()
        self.router.engine.configure(netconf_base.units(2))

    def questions(self):
        return self.router.engine.counts["rpcs"]

    def make_probe(self):
        self.set(rpc_timeout=0.5, connect_timeout=2.0)
        return vrrp_session.VrrpSession(api.Settings(self.conf, "vrrp_session"))

    def make_properties(self, number=0):
        return {
            "type": "vrrp_session",
            "host": self.router.host,
            "port": self.router.port,
            "login": netconf_base.USERNAME,
            "password": netconf_base.PASSWORD,
            "interface": f"ae0.{number}",
            "vrid": 41,
        }

    def make_unknown(self):
        return {**self.make_properties(), "interface": "ae99.1"}

    @contextlib.contextmanager
    def silence(self):
        self.router.fault(junos_engine.Fault.SILENT_RPC)
        yield
        self.router.fault(None)


GATEWAY = api.Ref("common_function_gateway", "g")
RELATIONS = {
    "common_function_gateway": {"downlink_interface_id": "ha_interface", "common_function_pool_id": "pool"},
    "ha_interface": {"ha_router_id": "ha_router"},
    "ha_router": {"primary_router_id": "edge_router", "secondary_router_id": "edge_router"},
}
RELATIVES = [
    api.Resource(api.Ref("ha_interface", "i"), {"id": "i", "ha_router_id": "h"}),
    api.Resource(api.Ref("ha_router", "h"), {"id": "h", "primary_router_id": "a", "secondary_router_id": "b"}),
    api.Resource(api.Ref("edge_router", "a"), {"id": "a", "ip": "192.0.2.1", "password": "s3cret"}),
    api.Resource(api.Ref("edge_router", "b"), {"id": "b", "ip": "192.0.2.2", "password": "s3cret"}),
    api.Resource(api.Ref("pool", "p"), {"id": "p", "group": "one", "vrrp_config": [{"vrid": 41}, {"vrid": 42}]}),
]


class GatewayResolver(conformance.ResolverConformance):
    def make_resource(self):
        return api.Resource(GATEWAY, {"id": "g", "downlink_interface_id": "i", "common_function_pool_id": "p"})

    def make_relatives(self):
        return RELATIVES

    def relations(self):
        return RELATIONS


class DeviceCredentialsTest(GatewayResolver, unittest.TestCase):
    name = "device_credentials"

    def make_resolver(self):
        return device_credentials.DeviceCredentials()

    def make_arguments(self):
        return {"role": "secondary", "attribute": "password"}


class PoolGroupsTest(GatewayResolver, unittest.TestCase):
    name = "pool_groups"

    def make_resolver(self):
        return pool_groups.PoolGroups()

    def make_arguments(self):
        return {"attribute": "group"}


class VridsTest(GatewayResolver, unittest.TestCase):
    name = "vrids"

    def make_resolver(self):
        return vrids.Vrids()
