"""The params of 31 jobs recorded in a real deployment, evaluated anew."""

import unittest

from esi_worker import api
from esi_worker.mapping import evaluation
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import templates
from tests import builtin
from tests import recorded


class World:
    """The documents of one recorded job."""

    def __init__(self, documents, catalog):
        self._resources = {}
        for key, body in documents.items():
            ref = api.Ref(*key.split("/"))
            if body is not None:  # null: not there at that moment
                self._resources[ref] = api.Resource(ref, body)
        self._catalog = catalog

    def get(self, ref):
        return self._resources.get(ref)

    def relation(self, resource_type, field):
        return self._catalog.relation(resource_type, field)


def evaluated(case, mappings, catalog):
    """The params of a job as the planner makes them: values from one body, resources from both."""
    world = World(case["documents"], catalog)
    ref = api.Ref(case["resource_type"], case["resource_id"])
    now = api.Resource(ref, case["resource_input"], case["version"])
    before = api.Resource(ref, case["previous_body"], case["version"] - 1) if case["previous_body"] else now
    found = {}
    for name, mapping in mappings.items():
        of_now = evaluation.evaluate(name, mapping, now, world, builtin.RESOLVERS)
        of_before = evaluation.evaluate(name, mapping, before, world, builtin.RESOLVERS)
        value = of_before if case["action"] == api.DELETE else of_now
        resources = tuple(dict.fromkeys(of_now.resources + of_before.resources))
        found[name] = (value.type, value.value, resources if before is not now else of_now.resources)
    return found


def expected(case):
    found = {}
    for document in case["expected_params"]:
        param = api.Param.from_document(document)
        resources = tuple(dict.fromkeys(param.resources)) if case["previous_body"] else param.resources
        found[param.param] = (param.type, param.value, resources)
    return found


class TestRecordedParams(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.cases = recorded.load("cases.json")

    def test_with_the_recorded_mappings(self):
        catalog = catalogs.Catalog.from_document(self.cases["catalog"])
        for case in self.cases["jobs"]:
            with self.subTest(case["job_id"]):
                self.assertEqual(expected(case), evaluated(case, case["parameter_mappings"], catalog))

    def test_with_the_projects_own_catalog_and_templates(self):
        own = builtin.templates()
        catalog = builtin.catalog()
        for case in self.cases["jobs"]:
            with self.subTest(case["job_id"]):
                ref = api.Ref(case["resource_type"], case["resource_id"])
                resource = api.Resource(ref, case["resource_input"], case["version"])
                template_id = catalog.template_id(resource, case["handler"])
                self.assertEqual(case["template"], template_id)
                mappings = own[template_id].parameter_mappings
                self.assertEqual(expected(case), evaluated(case, mappings, catalog))
        print(f"\nown catalog and templates: {len(self.cases['jobs'])} recorded jobs tried")

    def test_the_two_catalogs_choose_the_same_templates(self):
        theirs = catalogs.Catalog.from_document(self.cases["catalog"])
        own = builtin.catalog()
        for case in self.cases["jobs"]:
            resource = api.Resource(api.Ref(case["resource_type"], case["resource_id"]), case["resource_input"])
            for handler in ("heat_worker", "monitoring_worker"):
                self.assertEqual(theirs.template_id(resource, handler), own.template_id(resource, handler))

    def test_every_recorded_template_can_be_read(self):
        events = recorded.load("common_function_gateway.json")
        bodies = {
            each["key"].split("/")[-1]: each["value"]["body"] for each in events if "heat_templates" in each["key"]
        }
        for template_id, body in bodies.items():
            self.assertEqual(body["handler"], templates.parse_document(template_id, body).handler)
        self.assertEqual(58, len(bodies))
