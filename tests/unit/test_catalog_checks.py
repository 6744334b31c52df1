"""What is wrong with a catalog and its templates as a whole."""

import unittest

from esi_worker import api
from esi_worker.pipeline import catalog_checks
from esi_worker.pipeline import catalog_sources
from tests import builtin

HANDLERS = ("heat_worker", "monitoring_worker")


def template(template_id, mappings=None, handler="heat_worker", text="x: 1"):
    return catalog_checks.Located(api.Template(template_id, handler, text, mappings or {}), "etcd")


def check(document, *templates, complete=True, resolvers=("vrids",), installed=()):
    statements = catalog_sources.installed({each.id: each for each in installed})
    statements += catalog_sources.read(document, "file")
    around = catalog_checks.Surroundings(
        {each.template.id: each for each in templates}, complete, HANDLERS, list(resolvers)
    )
    return [
        (each.subject, each.place, each.problem)
        for each in catalog_checks.check(catalog_sources.merge(statements), around)
    ]


def boat(**members):
    return {"types": [{"id": "boat", "prefix": "v2.0", **members}]}


class CheckTest(unittest.TestCase):
    def test_nothing_is_wrong(self):
        document = boat(templates={"heat_worker": "ACboat_&Psize"})
        self.assertEqual([], check(document, template("boat_small"), template("other", {"x": "Px"})))

    def test_a_contradiction(self):
        found = check(boat(plural="ships"), installed=[api.ResourceType("boat", "boats")])
        [(subject, place, problem)] = found
        self.assertEqual(("boat", "entry point boat; file"), (subject, place))
        self.assertIn('"boats" in entry point boat and "ships" in file', problem)

    def test_a_relation_to_nobody(self):
        [found] = check(boat(relations={"pier_id": "pier", "tow_id": "boat"}))
        self.assertEqual(
            ("boat", "file", "the relation pier_id refers to the type pier, which nobody describes"), found
        )

    def test_templates_that_are_not_there(self):
        choice = {
            "if_mapping": {"regexp": [{"field": "a"}, "b"]},
            "then_mapping": {"if_mapping": {"equal": ["a", "a"]}, "then_mapping": "Cone", "else_mapping": "Ctwo"},
            "else_mapping": {"constant": None},
        }
        found = check(boat(templates={"heat_worker": choice}), template("two"))
        self.assertEqual(
            [("boat", "file", "there is no template one for heat_worker, neither in etcd nor among the files")], found
        )

    def test_a_choice_that_the_resource_makes(self):
        document = boat(templates={"heat_worker": "ACboat.&Psize&C_&Psort"})
        [(_, _, problem)] = check(document, template("boatXsmall_sail"), template("boat.small"))
        self.assertIn("there is no template boat.*_* for heat_worker", problem)
        self.assertEqual([], check(document, template("boat.small_sail")))
        self.assertEqual([], check(boat(templates={"heat_worker": "Pkind"}), template("anything")))

    def test_if_not_all_templates_are_known_none_is_missing(self):
        self.assertEqual([], check(boat(templates={"heat_worker": "Cboat"}), complete=False))

    def test_a_template_for_another_handler(self):
        found = check(boat(templates={"monitoring_worker": "Cboat"}), template("boat"))
        self.assertEqual("the template boat is for heat_worker, not for monitoring_worker", found[0][2])

    def test_handlers_that_are_not_installed(self):
        found = check(boat(templates={"smoke": "Cboat"}), template("boat", handler="smoke"))
        self.assertEqual("its templates are for smoke; installed are heat_worker, monitoring_worker", found[0][2])
        self.assertEqual(
            ("boat", "etcd", "it is for the handler smoke; installed are heat_worker, monitoring_worker"), found[1]
        )

    def test_a_choice_that_an_installed_package_got_wrong(self):
        kite = api.ResourceType("kite", "kites", templates={"heat_worker": "Xkite"})
        found = check({}, installed=[kite])
        self.assertIn("the choice of a template for heat_worker can't be read", found[0][2])

    def test_mappings_of_templates(self):
        mappings = {
            "bad": "Xyz",
            "resolved": {"for_field": "a", "for_mapping": {"concatenate": [{"resolver": "nobody"}]}},
            "far": "Mlighthouse:lighthouse_id:lamp",
            "perhaps": {"field": "a", "path": [{"type": "lighthouse", "id": "x"}], "ignore_missing": True},
            "branch": {"if_mapping": {"equal": ["a", "b"]}, "then_mapping": "Fnet+n:x", "else_mapping": "Ca"},
            "condition": {
                "if_mapping": {"equal": [{"field": "a", "path": [{"type": "reef", "id": "x"}]}, "b"]},
                "then_mapping": "Ca",
                "else_mapping": "Cb",
            },
            "fine": {"resolver": "vrids"},
        }
        found = [problem for _, _, problem in check(boat(), template("boat", mappings))]
        self.assertEqual(
            [
                "parameter bad: 'Xyz' is no compact mapping: it begins with none of C, P, O, F, M, V, A",
                "parameter condition: it goes to the type reef, which the catalog does not know",
                "parameter far: it goes to the type lighthouse, which the catalog does not know",
                "parameter resolved: there is no resolver 'nobody'; installed are: vrids",
            ],
            found,
        )

    def test_a_type_that_is_referred_to_is_known(self):
        document = boat(relations={"pier_id": "pier"})
        self.assertEqual(1, len(check(document, template("boat", {"x": "Fpier+pier_id:name"}))))

    def test_a_template_that_does_not_parse(self):
        [(subject, place, problem)] = check(boat(), template("boat", text="a\n{% if %}"))
        self.assertEqual(("boat", "etcd"), (subject, place))
        self.assertIn("line 2", problem)

    def test_what_comes_with_the_project_is_right(self):
        merged = catalog_sources.merge(catalog_sources.installed(builtin.resource_types()))
        located = {name: catalog_checks.Located(each, "file") for name, each in builtin.templates().items()}
        around = catalog_checks.Surroundings(located, True, HANDLERS, list(builtin.RESOLVERS))
        self.assertEqual([], catalog_checks.check(merged, around))
