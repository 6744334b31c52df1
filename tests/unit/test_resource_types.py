"""The built-in resource types and templates: together they make every job of a gateway and all it stands on."""

import unittest

import yaml

from esi_worker import api
from esi_worker.clients import rendering
from esi_worker.mapping import evaluation
from tests import builtin
from tests import recorded
from tests import worlds

FIXTURES = builtin.ROOT / "tests" / "fixtures"


def params(world, resource, handler):
    """Name -> (type, value, resources as text) of a resource's job."""
    template_id = builtin.catalog().template_id(resource, handler)
    if template_id is None:
        return None
    found = {}
    for name, mapping in builtin.templates()[template_id].parameter_mappings.items():
        param = evaluation.evaluate(name, mapping, resource, world, builtin.RESOLVERS)
        resources = [f"{each.resource_type}/{each.resource_id}" for each in param.resources]
        found[name] = {"type": param.type, "value": param.value, "resources": resources}
    return found


def variables(world, resource, handler):
    """What a handler would give the template; outputs of other stacks are made up."""
    made = {}
    for name, param in params(world, resource, handler).items():
        value = param["value"]
        if param["type"] == api.LIST:
            value = [f"output of {each['value']['resource_id']}" for each in value]
        elif param["type"] == api.OUTPUT_KEY:
            value = f"output of {value['resource_id']}"
        made[name] = value
    return made


class TestCatalog(unittest.TestCase):
    def test_entry_points_are_named_like_the_types(self):
        types = builtin.resource_types()
        self.assertEqual(18, len(types))
        for name, each in types.items():
            self.assertIsInstance(each, api.ResourceType)
            self.assertEqual(name, each.id)

    def test_relations_lead_to_types_that_are_described(self):
        types = builtin.resource_types()
        for each in types.values():
            self.assertLessEqual(set(each.relations.values()), set(types))

    def test_constant_choices_name_templates_that_are_there(self):
        for each in builtin.resource_types().values():
            for handler, choice in each.templates.items():
                if "constant" in choice:
                    self.assertEqual(handler, builtin.templates()[choice["constant"]].handler)

    def test_relations_and_choices_are_those_of_the_recorded_deployment(self):
        theirs = recorded.load("cases.json")["catalog"]
        types = builtin.resource_types()
        for name, relations in theirs["relations"].items():
            self.assertEqual(relations, dict(types[name].relations))
        for handler, choices in theirs["templates"].items():
            own = {name for name, each in types.items() if handler in each.templates}
            self.assertEqual(set(choices), own)


class TestGatewayWorld(unittest.TestCase):
    def setUp(self):
        self.world = worlds.read(builtin.ROOT / "examples" / "gateway-world")

    def test_relatives_come_first(self):
        known = worlds.World([])
        made = 0
        for resource in self.world.order:
            known.resources[resource.ref] = resource
            for handler in builtin.catalog().handlers(resource.ref.resource_type):
                made += params(known, resource, handler) is not None
        self.assertEqual(25, made)
        print(f"\nexamples/gateway-world: {len(self.world.order)} resources, {made} jobs")

    def test_each_template_renders(self):
        for resource in self.world.order:
            for handler in builtin.catalog().handlers(resource.ref.resource_type):
                template_id = builtin.catalog().template_id(resource, handler)
                if template_id is None:
                    continue
                with self.subTest(template_id):
                    given = variables(self.world, resource, handler)
                    found = rendering.render_document(builtin.templates()[template_id], given)
                    if handler == "heat_worker":
                        self.check_heat(found, given)
                    elif template_id in ("network_monitoring", "port_monitoring"):
                        self.assertIsNone(found)
                    else:
                        self.assertTrue(all("type" in target for target in found.values()), found)

    def check_heat(self, found, given):
        """The stack's parameters are those that it is given, and each is used."""
        sent = {name for name in given if not name.startswith("jinja_") and name != "heat_timeout"}
        self.assertEqual(sent, set(found["parameters"]))
        self.assertEqual("2013-05-23", found["heat_template_version"])
        text = str({**found, "parameters": None})
        unused = {name for name in sent if f"'get_param': '{name}'" not in text}
        self.assertLessEqual(unused, {"name"})
        hidden = {name for name, each in found["parameters"].items() if each.get("hidden")}
        self.assertEqual({name for name in sent if "password" in name}, hidden)

    def test_the_gateways_targets(self):
        gateway = self.world.only("common_function_gateway")
        given = variables(self.world, gateway, "monitoring_worker")
        found = rendering.render_document(builtin.templates()["common_function_gateway_monitoring"], given)
        self.assertEqual(["primary_71", "secondary_71", "primary_72", "secondary_72"], list(found))
        common = {"type": "vrrp_session", "port": 830, "login": "netconf", "interface": "ae1.2041", "timeout": 360}
        primary = {**common, "host": "192.0.2.11", "password": "example-only-a", "vrid": 71, "wanted_status": "master"}
        secondary = {
            **common,
            "host": "192.0.2.12",
            "password": "example-only-b",
            "vrid": 72,
            "wanted_status": "backup",
        }
        self.assertEqual(primary, found["primary_71"])
        self.assertEqual(secondary, found["secondary_72"])

    def test_the_gateways_configuration(self):
        gateway = self.world.only("common_function_gateway")
        given = variables(self.world, gateway, "heat_worker")
        found = rendering.render_document(builtin.templates()["common_function_gateway"], given)["resources"]
        self.assertEqual({"primary_router", "secondary_router"}, set(found))
        self.assertEqual("primary_router", found["secondary_router"]["depends_on"])
        for role in ("primary", "secondary"):
            resource = found[f"{role}_router"]
            self.assertEqual("OS::Contrail::NetconfNamedConfigs", resource["type"])
            self.assertEqual({"get_param": f"{role}_device_ip"}, resource["properties"]["device_ip"])
            configs = {" ".join(_step(each) for each in one["path"]): one["config"]
                       for one in resource["properties"]["configs"]}  # fmt: skip
            self.assertEqual(_expected_configs(role), configs)

    def test_addresses_are_nobodys(self):
        text = "".join(each.read_text() for each in (builtin.ROOT / "examples" / "gateway-world").iterdir())
        for line in text.splitlines():
            if "_address:" in line or " ip: " in line or "nat_ip:" in line:
                self.assertRegex(line, r"192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|169\.254\.|00:00:5e:00:53:")


class TestSeed(unittest.TestCase):
    """The gateway of the recorded deployment, from the project's own fixture."""

    maxDiff = None

    def test_the_params_of_both_jobs(self):
        world = worlds.read(FIXTURES / "seed_world.yaml")
        expected = yaml.safe_load((FIXTURES / "seed_expected.yaml").read_text())
        gateway = world.only("common_function_gateway")
        for handler, wanted in expected.items():
            self.assertEqual(wanted, params(world, gateway, handler))
        self.assertEqual([28, 11], [len(each) for each in expected.values()])

    def test_the_fixture_says_what_the_users_document_says(self):
        expected = yaml.safe_load((FIXTURES / "seed_expected.yaml").read_text())
        jobs = [each["value"][1] for each in recorded.load("seed.json") if each["point"] == 2]
        for job in jobs:
            wanted = {}
            for document in job["params"]:
                param = api.Param.from_document(document)
                resources = [f"{each.resource_type}/{each.resource_id}" for each in param.resources]
                wanted[param.param] = {"type": param.type, "value": param.value, "resources": resources}
            self.assertEqual(wanted, expected[job["handler"]])

    def test_each_relative_has_what_its_own_templates_need(self):
        world = worlds.read(FIXTURES / "seed_world.yaml")
        for resource in world.order:
            for handler in builtin.catalog().handlers(resource.ref.resource_type):
                with self.subTest(resource.ref, handler=handler):
                    template_id = builtin.catalog().template_id(resource, handler)
                    rendering.render_document(builtin.templates()[template_id], variables(world, resource, handler))


def _step(element):
    return element["tag"] + ("=" + str(element["name"]) if "name" in element else "")


def _expected_configs(role):
    vrf, vlan = "gw_edge-downlink_2041", "2041"
    service_set = f"family inet service input service-set {vrf};\nfamily inet service output service-set {vrf};\n"
    downlink = "{'get_param': '" + role + "_device_physical_downlink_interface'}"
    return {
        f"services service-set={vrf}":
            f"nat-rules {vrf}-SNAPT;\nnat-rules {vrf}-DNAT;\n"
            f"interface-service service-interface ms-1/0/0.{vlan};\n",
        f"services nat pool={vrf}-SNAPT-POOL": "apply-groups GW-SNAPT-POOL;\naddress 203.0.113.20/32;\n",
        f"services nat rule={vrf}-SNAPT":
            f"apply-groups GW-SNAPT-RULE;\nterm source then translated source-pool {vrf}-SNAPT-POOL;\n",
        f"services nat pool={vrf}-GW-DNAT-POOL-1": "apply-groups GW-DNAT-POOL-1;\n",
        f"services nat pool={vrf}-GW-DNAT-POOL-2": "apply-groups GW-DNAT-POOL-2;\n",
        f"services nat rule={vrf}-DNAT":
            "apply-groups GW-DNAT-RULE;\n"
            f"term 1 then translated destination-pool {vrf}-GW-DNAT-POOL-1;\n"
            f"term 2 then translated destination-pool {vrf}-GW-DNAT-POOL-2;\n",
        f"interfaces interface=lt-1/0/0 unit={vlan}": f"peer-unit 12041;\n{service_set}",
        "interfaces interface=lt-1/0/0 unit=12041": f"peer-unit {vlan};\n",
        f"interfaces interface=ms-1/0/0 unit={vlan}": "family inet;\n",
        f"interfaces interface={downlink} unit={vlan}":
            f"apply-groups GW-VRRP;\ndescription {vrf};\nvlan-id {vlan};\n{service_set}",
        "routing-instances instance=SERVICES interface=lt-1/0/0.12041": "",
        "routing-instances instance=SERVICES routing-options static route=203.0.113.20/32":
            "next-hop lt-1/0/0.12041;",
        f"routing-instances instance={vrf}": {
            "str_replace": {
                "params": {"$DOWNLINK": {"get_param": f"{role}_device_logical_downlink_interface"}},
                "template": "instance-type virtual-router;\ninterface lt-1/0/0.2041;\ninterface ms-1/0/0.2041;\n"
                "interface $DOWNLINK;\nrouting-options static route 0.0.0.0/0 next-hop lt-1/0/0.2041;\n",
            }
        },
    }  # fmt: skip
