"""The catalog: types checked against each other, documents read in both forms, places and choices told."""

import unittest

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_document
from esi_worker.store import keys

DOCUMENT = {
    "relations": {"port": {"network_id": "network", "policy_id": "policy"}, "network": {}},
    "templates": {
        "heat_worker": {
            "network": "Cnetwork",
            "port": {
                "if_mapping": {"regexp": [{"field": "owner"}, "internal"]},
                "then_mapping": {"constant": None},
                "else_mapping": "ACport_&Pkind",
            },
        },
        "monitoring_worker": {"port": "Cport_monitoring"},
    },
}


def path(text):
    return keys.parse_path(text)


class TestCatalog(unittest.TestCase):
    def test_two_types_with_one_id_are_refused_naming_both(self):
        types = [api.ResourceType("a", "as"), api.ResourceType("a", "others")]
        with self.assertRaisesRegex(api.CatalogError, "id 'a': v2.0/as and v2.0/others"):
            catalogs.Catalog(types)

    def test_two_types_in_one_place_are_refused_naming_both(self):
        types = [api.ResourceType("a", "xs"), api.ResourceType("b", "xs")]
        with self.assertRaisesRegex(api.CatalogError, "v2.0/xs: 'a' and 'b'"):
            catalogs.Catalog(types)
        catalogs.Catalog([api.ResourceType("a", "xs"), api.ResourceType("b", "xs", "v3.0")])

    def test_where_a_type_stands(self):
        port, tenant = api.ResourceType("port", "ports"), api.ResourceType("tenant", "tenants", "common/v1.0")
        catalog = catalogs.Catalog([port, tenant])
        self.assertIs(port, catalog.at("v2.0", "ports"))
        self.assertIs(tenant, catalog.type_of_path(path("common/v1.0/tenants/t")))
        self.assertIsNone(catalog.type_of_path(path("v2.0/tenants/t")))
        self.assertIsNone(catalog.type_of_path(path("v2.0/unknowns/u")))
        self.assertEqual(path("common/v1.0/tenants/t"), catalog.path(api.Ref("tenant", "t")))
        self.assertEqual({"port": port, "tenant": tenant}, dict(catalog.types))

    def test_the_path_of_an_unknown_type_or_a_bad_id(self):
        catalog = catalogs.Catalog([api.ResourceType("port", "ports")])
        with self.assertRaisesRegex(api.CatalogError, "unknown resource type 'x' of x:1"):
            catalog.path(api.Ref("x", "1"))
        with self.assertRaises(api.DocumentError):
            catalog.path(api.Ref("port", "a/b"))

    def test_what_is_only_referred_to_exists_without_templates(self):
        catalog = catalogs.Catalog([api.ResourceType("port", "ports", relations={"rack_id": "rack"})])
        self.assertEqual("rack", catalog.type_of_path(path("v2.0/racks/r")).id)
        self.assertEqual(path("v2.0/racks/r"), catalog.path(api.Ref("rack", "r")))
        self.assertEqual((), catalog.handlers("rack"))
        self.assertNotIn("rack", catalog.types)

    def test_relations_are_scoped_by_type(self):
        catalog = catalogs.Catalog.from_document(DOCUMENT)
        self.assertEqual("network", catalog.relation("port", "network_id"))
        self.assertIsNone(catalog.relation("network", "network_id"))
        self.assertIsNone(catalog.relation("unknown", "network_id"))


class TestTemplateChoice(unittest.TestCase):
    def setUp(self):
        self.catalog = catalogs.Catalog.from_document(DOCUMENT)

    def choose(self, resource_type, handler="heat_worker", **body):
        return self.catalog.template_id(api.Resource(api.Ref(resource_type, "1"), body), handler)

    def test_by_the_resources_own_body(self):
        self.assertEqual("network", self.choose("network"))
        self.assertEqual("port_new", self.choose("port", owner="user", kind="new"))
        self.assertIsNone(self.choose("port", owner="internal"))
        self.assertIsNone(self.choose("network", "monitoring_worker"))
        self.assertIsNone(self.choose("policy"))
        self.assertIsNone(self.choose("unknown"))

    def test_handlers_of_a_type(self):
        self.assertEqual(("heat_worker", "monitoring_worker"), self.catalog.handlers("port"))
        self.assertEqual(("heat_worker",), self.catalog.handlers("network"))
        self.assertEqual((), self.catalog.handlers("unknown"))

    def test_a_choice_that_can_not_be_made_names_type_and_handler(self):
        with self.assertRaisesRegex(api.PermanentError, "template of heat_worker for port.*'kind' is null"):
            self.choose("port", owner="user")

    def test_a_choice_must_be_a_string(self):
        for choice in ({"constant": 5}, {"output_key": "k"}):
            catalog = catalogs.Catalog([api.ResourceType("a", "as", templates={"h": choice})])
            with self.assertRaisesRegex(api.PermanentError, "template of h for a.*gives no string"):
                catalog.template_id(api.Resource(api.Ref("a", "1"), {}), "h")

    def test_a_resolver_may_choose(self):
        class Chooser(api.Resolver):
            def resolve(self, arguments, resource, lookup):
                return resource.body["wish"]

        catalog = catalogs.Catalog([api.ResourceType("a", "as", templates={"h": {"resolver": "chooser"}})])
        resource = api.Resource(api.Ref("a", "1"), {"wish": "this"})
        self.assertEqual("this", catalog.template_id(resource, "h", {"chooser": Chooser()}))


class TestDocuments(unittest.TestCase):
    def test_the_same_as_yaml(self):
        text = "relations: {port: {network_id: network}}\ntemplates: {heat_worker: {port: Cport}}\n"
        catalog = catalogs.Catalog.from_document(text)
        self.assertEqual("network", catalog.relation("port", "network_id"))
        self.assertEqual(("heat_worker",), catalog.handlers("port"))

    def test_a_type_without_a_prefix_is_found_under_any(self):
        catalog = catalogs.Catalog.from_document(DOCUMENT)
        self.assertEqual("port", catalog.type_of_path(path("other/v9/ports/p")).id)
        self.assertEqual("port", catalog.type_of_path(path("v2.0/ports/p")).id)
        self.assertEqual(path("v2.0/ports/q"), catalog.path(api.Ref("port", "q")))
        self.assertFalse(catalog.tells("port"))

    def test_a_type_that_is_only_referred_to_is_found_under_any_prefix(self):
        catalog = catalogs.Catalog.from_document(DOCUMENT)
        self.assertNotIn("policy", catalog.types)
        self.assertEqual("policy", catalog.type_of_path(path("other/v9/policies/p")).id)
        self.assertFalse(catalog.tells("policy"))

    def test_a_type_with_a_prefix_is_found_there_only(self):
        catalog = catalogs.Catalog.from_document({"types": [{"id": "port", "prefix": "v3.0"}]}, open=True)
        self.assertTrue(catalog.tells("port"))
        self.assertEqual("ports", catalog.type_of_path(path("other/v9/ports/p")).id)
        self.assertFalse(catalog.tells("ports"))

    def test_descriptions_say_what_tables_can_not(self):
        description = {"id": "tenant", "plural": "tenantry", "prefix": "common/v1.0", "two_step_deletion": False,
                       "relations": {"parent_id": "tenant"}, "templates": {"h": "Cx"}}  # fmt: skip
        catalog = catalogs.Catalog.from_document({"types": [description]})
        expected = api.ResourceType("tenant", "tenantry", "common/v1.0", {"parent_id": "tenant"}, {"h": "Cx"}, False)
        self.assertEqual(expected, catalog.types["tenant"])
        self.assertIsNone(catalog.at("v2.0", "tenantry"))

    def test_tables_and_descriptions_complete_each_other(self):
        catalog = catalogs.Catalog.from_document({**DOCUMENT, "types": [{"id": "port", "prefix": "v3.0"}]})
        self.assertEqual("v3.0", catalog.types["port"].prefix)
        self.assertEqual("network", catalog.relation("port", "network_id"))
        self.assertIsNone(catalog.at("v2.0", "ports"))

    def test_strict_or_open(self):
        self.assertIsNone(catalogs.Catalog.from_document(DOCUMENT).type_of_path(path("v2.0/policy_groups/p")))
        catalog = catalogs.Catalog.from_document(DOCUMENT, open=True)
        self.assertEqual("reserve_address", catalog.type_of_path(path("v2.0/reserve_addresses/r")).id)
        self.assertEqual("gateway", catalog.type_of_path(path("v5/gateways/g")).id)
        with self.assertRaisesRegex(api.CatalogError, "unknown resource type 'gateway'"):
            catalog.path(api.Ref("gateway", "g"))
        self.assertEqual("port", catalog.type_of_path(path("v2.0/ports/p")).id)

    def test_plurals(self):
        for one, many in [("port", "ports"), ("reserve_address", "reserve_addresses"), ("policy", "policies"),
                          ("gateway", "gateways"), ("box", "boxes"), ("switch", "switches")]:  # fmt: skip
            self.assertEqual(many, catalog_document.plural(one))
            self.assertEqual(one, catalog_document.singular(many))

    def test_what_can_not_be_used_is_named(self):
        for document, reason in [
            ([], "the catalog is a list, not an object"),
            ("a: [", "the catalog is not YAML"),
            ({"relation": {}}, "unknown member 'relation'"),
            ({"relations": {"a": 5}}, "'relations' of 'a' is a number"),
            ({"relations": {"a": {"b": 5}}}, "'relations' of 'a' is a number, not a name"),
            ({"templates": {"h": {"a": "nonsense"}}}, "the template of h for 'a': 'nonsense' is no compact mapping"),
            ({"templates": {"h": []}}, "'templates' of 'h' is a list"),
            ({"types": {}}, "'types' is an object, not a list"),
            ({"types": [5]}, "an element of 'types' is a number"),
            ({"types": [{}]}, "'id' of an element of 'types' is null"),
            ({"types": [{"id": "a", "plurals": "b"}]}, "the type 'a' has the unknown member 'plurals'"),
            ({"types": [{"id": "a", "prefix": 2.0}]}, "'prefix' of the type 'a' is a number"),
            ({"types": [{"id": "a", "two_step_deletion": "no"}]}, "is no boolean"),
            ({"types": [{"id": "a"}, {"id": "a"}]}, "describes the type 'a' twice"),
            ({"types": [{"id": "a", "plural": "x"}, {"id": "b", "plural": "x"}]}, "v2.0/x: 'a' and 'b'"),
        ]:
            with self.subTest(document), self.assertRaises(api.CatalogError) as caught:
                catalogs.Catalog.from_document(document)
            self.assertIn(reason, str(caught.exception))
