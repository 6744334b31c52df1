"""Several sources of resource types: who is believed, what contradicts, and where everything stands."""

import json
import pathlib
import tempfile
import unittest

from esi_worker import api
from esi_worker.pipeline import catalog_sources
from esi_worker.store import keys
from tests import builtin

BOAT = api.ResourceType("boat", "boats", "v2.0", {"pier_id": "pier"}, {"heat_worker": "Cboat"})
PIER = api.ResourceType("pier", "piers", "port/v1", two_step_deletion=False)


def merged(*documents, installed=()):
    statements = catalog_sources.installed({each.id: each for each in installed})
    for number, document in enumerate(documents, 1):
        statements += catalog_sources.read(document, f"file {number}")
    return catalog_sources.merge(statements)


def types(found):
    return {each.id: each for each in found.types}


class MergeTest(unittest.TestCase):
    def test_one_source_says_it_all(self):
        found = merged(installed=[PIER, BOAT])
        self.assertEqual({"boat": BOAT, "pier": PIER}, types(found))
        self.assertEqual(((), ()), (found.contradictions, found.any_prefix))
        self.assertEqual(("entry point boat",), found.places["boat"])

    def test_sources_add_to_each_other(self):
        more = {"relations": {"boat": {"crew_id": "crew"}}, "templates": {"monitoring_worker": {"boat": "Cwatch"}}}
        found = merged(more, installed=[BOAT])
        boat = types(found)["boat"]
        self.assertEqual({"pier_id": "pier", "crew_id": "crew"}, boat.relations)
        self.assertEqual({"heat_worker": "Cboat", "monitoring_worker": "Cwatch"}, boat.templates)
        self.assertEqual(("v2.0", "boats"), (boat.prefix, boat.plural))
        self.assertEqual(((), ()), (found.contradictions, found.any_prefix))
        self.assertEqual(("entry point boat", "file 1 (relations)", "file 1 (templates)"), found.places["boat"])
        self.assertEqual("file 1 (relations)", found.place("boat", "relations", "crew_id"))
        self.assertEqual("entry point boat", found.place("boat", "plural"))

    def test_the_last_one_is_believed_and_both_are_told(self):
        first = {"types": [{"id": "boat", "plural": "ships", "prefix": "v3.0", "two_step_deletion": False}]}
        second = {"types": [{"id": "boat", "templates": {"heat_worker": "Cship"}, "relations": {"pier_id": "dock"}}]}
        found = merged(first, second, installed=[BOAT])
        boat = api.ResourceType("boat", "ships", "v3.0", {"pier_id": "dock"}, {"heat_worker": "Cship"}, False)
        self.assertEqual(boat, types(found)["boat"])
        self.assertEqual(
            [
                'plural of boat is "boats" in entry point boat and "ships" in file 1, which is believed',
                'prefix of boat is "v2.0" in entry point boat and "v3.0" in file 1, which is believed',
                "two_step_deletion of boat is true in entry point boat and false in file 1, which is believed",
                'relations pier_id of boat is "pier" in entry point boat and "dock" in file 2, which is believed',
                'templates heat_worker of boat is "Cboat" in entry point boat and "Cship" in file 2, which is believed',
            ],
            [str(each) for each in found.contradictions],
        )

    def test_within_one_file_the_place_tells_which_part(self):
        document = {
            "relations": {"boat": {"pier_id": "quay"}},
            "types": [{"id": "boat", "relations": {"pier_id": "x"}}],
        }
        [found] = merged(document).contradictions
        self.assertEqual(("file 1 (relations)", "file 1"), (found.earlier.place, found.later.place))

    def test_the_same_in_other_words_is_no_contradiction(self):
        same = {"types": [{"id": "boat", "plural": "boats", "templates": {"heat_worker": {"constant": "boat"}}}]}
        self.assertEqual((), merged(same, same, installed=[BOAT]).contradictions)

    def test_null_takes_a_template_away(self):
        found = merged({"templates": {"heat_worker": {"boat": None}}}, installed=[BOAT])
        self.assertEqual({}, types(found)["boat"].templates)
        [contradiction] = found.contradictions
        self.assertIsNone(contradiction.later.value)

    def test_what_nobody_says_is_derived(self):
        found = merged({"relations": {"ferry": {}}})
        self.assertEqual(("ferries", ("ferry",)), (types(found)["ferry"].plural, found.any_prefix))
        catalog = found.catalog()
        self.assertEqual("ferry", catalog.at("any/v9", "ferries").id)

    def test_a_type_that_some_source_gives_a_prefix_has_it(self):
        found = merged({"relations": {"pier": {}}}, {"types": [{"id": "pier", "prefix": "port/v1"}]})
        self.assertEqual(("port/v1", ()), (types(found)["pier"].prefix, found.any_prefix))
        self.assertIsNone(found.catalog().at("v2.0", "piers"))

    def test_two_types_under_the_same_keys_are_refused_with_both_places(self):
        with self.assertRaises(api.CatalogError) as caught:
            merged({"types": [{"id": "vessel", "plural": "boats", "prefix": "v2.0"}]}, installed=[BOAT])
        self.assertEqual(
            "two resource types stand under v2.0/boats: 'boat' (entry point boat) and 'vessel' (file 1)",
            str(caught.exception),
        )

    def test_an_open_world(self):
        found = merged(installed=[PIER])
        path = keys.Path("v2.0", "ropes", "r")
        self.assertIsNone(found.catalog().type_of_path(path))
        self.assertEqual("rope", found.catalog(open_world=True).type_of_path(path).id)

    def test_the_built_in_types_come_through_unchanged(self):
        installed = builtin.resource_types()
        found = catalog_sources.merge(catalog_sources.installed(installed))
        self.assertEqual(installed, types(found))


class FileTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_a_directory_stands_for_its_files_in_order(self):
        for name in ("b.json", "a.yaml", "c.yml", "notes.txt", ".hidden.yaml"):
            self.write(name, "{}")
        single = self.write("z.conf", "{}")
        found = list(catalog_sources.files([str(single), str(self.folder)]))
        self.assertEqual(["z.conf", "a.yaml", "b.json", "c.yml"], [each.name for each in found])

    def test_json_and_yaml(self):
        document = {"types": [{"id": "boat", "prefix": "v2.0"}]}
        for text in (json.dumps(document, indent="\t"), "types:\n- {id: boat, prefix: v2.0}\n", "{types: []}"):
            statements = catalog_sources.read_file(self.write("x", text))
            self.assertEqual({str(self.folder / "x")} if "boat" in text else set(), {s.place for s in statements})

    def test_what_cannot_be_used_names_the_file(self):
        for text, said in (
            ("types: {", "neither JSON nor YAML"),
            ("\x00", "neither JSON nor YAML"),
            ("", "a catalog is an object, this is null"),
            ("[]", "esictl catalog import"),
            ('{"schemas": []}', "esictl catalog import"),
            ("types: [{id: a, size: 1}]", "the type 'a' has the unknown member 'size'"),
            ("types: [{id: a, templates: {h: Xa}}]", "the template of h for 'a'"),
            ("[" * 100000, "neither JSON nor YAML"),
        ):
            path = self.write("catalog.yaml", text)
            with self.subTest(text[:40]), self.assertRaises(api.CatalogError) as caught:
                catalog_sources.read_file(path)
            self.assertIn(f"the catalog file {path} can't be used: ", str(caught.exception))
            self.assertIn(said, str(caught.exception))

    def test_files_that_cannot_be_read(self):
        binary = self.folder / "binary.yaml"
        binary.write_bytes(b"\xff\xfe\xfd")
        for path in (self.folder / "absent.yaml", binary):
            with self.subTest(path.name), self.assertRaisesRegex(api.CatalogError, path.name):
                catalog_sources.read_file(path)
