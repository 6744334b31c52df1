"""``esictl catalog`` as an operator types it, with a store in memory."""

import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import yaml

from esi_worker import api
from esi_worker.cmd import esictl
from esi_worker.pipeline import catalog as catalogs
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory
from tests.unit import test_gohan

FLEET = """
types:
  - {id: boat, prefix: sea/v1, relations: {pier_id: pier}, templates: {heat_worker: Cboat}, two_step_deletion: false}
relations:
  crew: {boat_id: boat}
"""
SCHEMAS = {
    "schemas": [
        {"id": "boat", "plural": "boats", "prefix": "/sea/v1", "metadata": {"state_versioning": True}},
        {"id": "schema", "plural": "schemas", "prefix": "/gohan/v0.1"},
    ]
}


class Unreachable(memory.MemoryStore):
    def list(self, *args, **kwargs):
        raise api.StoreError("etcd gave no answer")


class CatalogCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = memory.MemoryStore()
        for each in ("catalog", "templates"):
            (self.folder / each).mkdir()
        self.write("catalog/10-fleet.yaml", FLEET)
        self.write("templates/boat.yaml", "{id: boat, handler: heat_worker, parameter_mappings: {name: Pname}}")
        self.write("templates/boat.j2", "heat_template_version: 2015-04-30\n")
        self.write(
            "esi.conf",
            f"[catalog]\nentry_points = false\nfiles = {self.folder}/catalog\n"
            f"[templates]\ndirectories = {self.folder}/templates\n",
        )

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run_command(self, *arguments, expected=0):
        """:returns: what it wrote to stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        application = esictl.Application(lambda conf: self.store, stdin=io.StringIO(), stdout=out, stderr=err)
        code = application.run(["--config-file", str(self.folder / "esi.conf"), "catalog", *arguments])
        self.assertEqual(expected, code, f"{arguments}\n{out.getvalue()}\n{err.getvalue()}")
        return out.getvalue(), err.getvalue()

    def run_json(self, *arguments, expected=0):
        return json.loads(self.run_command(*arguments, "-f", "json", expected=expected)[0])


class ShowTest(CatalogCase):
    def test_all_types(self):
        boat, crew, pier = self.run_json("show")
        place = f"{self.folder}/catalog/10-fleet.yaml"
        wanted = {
            "type": "boat",
            "plural": "boats",
            "prefix": "sea/v1",
            "relations": {"pier_id": "pier"},
            "templates": {"heat_worker": "Cboat"},
            "two_step_deletion": False,
            "source": [place],
        }
        self.assertEqual(wanted, boat)
        self.assertEqual(("crews", None, [f"{place} (relations)"]), (crew["plural"], crew["prefix"], crew["source"]))
        self.assertEqual(("piers", ["referred to by boat"]), (pier["plural"], pier["source"]))

    def test_one_type_by_id_or_plural(self):
        for name in ("boat", "boats"):
            found = self.run_json("show", name)
            self.assertEqual(("boat", "sea/v1"), (found["type"], found["prefix"]))
        self.assertIn("pier_id: pier", self.run_command("show", "boat")[0])
        self.assertEqual("pier", self.run_json("show", "pier")["type"])
        self.assertIn("no resource type 'whale'", self.run_command("show", "whale", expected=2)[1])

    def test_for_people(self):
        out, _ = self.run_command("show")
        self.assertIn("| pier_id: pier ", out)

    def test_a_broken_file_is_named(self):
        self.write("catalog/20-bad.json", "{")
        self.assertIn("20-bad.json can't be used", self.run_command("show", expected=2)[1])

    def test_the_installed_types(self):
        self.write("esi.conf", "[catalog]\n")
        found = {each["type"]: each for each in self.run_json("show")}
        self.assertEqual(["entry point tenant"], found["tenant"]["source"])


class CheckTest(CatalogCase):
    def check(self, expected=1):
        return [(each["subject"], each["problem"]) for each in self.run_json("check", expected=expected)]

    def put_template(self, template_id, body):
        document = {"body": body, "version": 1, "marked_for_deletion": False}
        self.store.put(keys.heat_template(template_id), codec.encode(document))

    def test_a_relation_to_nobody(self):
        self.assertEqual(
            [("boat", "the relation pier_id refers to the type pier, which nobody describes")], self.check()
        )

    def test_nothing_is_wrong(self):
        self.write("catalog/20-more.json", '{"types": [{"id": "pier", "prefix": "sea/v1"}]}')
        self.assertEqual([], self.check(expected=0))
        self.assertEqual("nothing is wrong\n", self.run_command("check")[1])

    def test_every_broken_file_is_told_and_the_rest_checked(self):
        self.write("catalog/20-bad.json", "{")
        self.write("catalog/30-bad.yaml", "types: 3")
        self.write("catalog/40-more.yaml", "types: [{id: boat, prefix: lake/v1}]")
        found = self.check()
        self.assertEqual(["catalog", "catalog", "boat", "boat"], [subject for subject, _ in found])
        self.assertIn('prefix of boat is "sea/v1" in', found[2][1])

    def test_two_types_in_one_place(self):
        self.write("catalog/20-more.yaml", "types: [{id: ship, plural: boats, prefix: sea/v1}]")
        [(subject, problem)] = self.check()
        self.assertEqual("catalog", subject)
        self.assertIn("two resource types stand under sea/v1/boats", problem)

    def test_templates_in_etcd_hide_files_and_are_checked(self):
        self.put_template(
            "boat", {"id": "boat", "handler": "heat_worker", "template_file": "", "parameter_mappings": {"n": "?"}}
        )
        self.put_template("odd", {"id": "even"})
        self.put_template("none", None)
        found = dict(self.check())
        self.assertIn("parameter n: '?' is no compact mapping", found["boat"])
        self.assertIn("it says that its id is 'even'", found["odd"])
        self.assertIn("none", found)

    def test_template_files_that_cannot_be_used(self):
        self.write("templates/lost.j2", "")
        found = dict(self.check())
        self.assertIn("lost.j2 has no lost.yaml beside it", found["templates"])
        self.assertEqual({"templates", "boat"}, set(found))  # the boat for its relation: no template is called missing

    def test_without_etcd(self):
        self.store = Unreachable()
        self.write("catalog/20-more.yaml", "types: [{id: pier, prefix: sea/v1, templates: {heat_worker: Cpier}}]")
        out, err = self.run_command("check", "-f", "json")
        self.assertEqual([], json.loads(out))
        self.assertIn("the templates in etcd are not checked: etcd gave no answer", err)


class ImportTest(CatalogCase):
    def test_a_file(self):
        out, err = self.run_command("import", self.write("schemas.json", json.dumps(SCHEMAS)))
        self.assertEqual(["boat"], [each["id"] for each in yaml.safe_load(out)["types"]])
        self.assertEqual("esictl: schema is left out: its metadata.state_versioning is not true\n", err)
        self.assertEqual("sea/v1/boats/b", str(catalogs.Catalog.from_document(out).path(api.Ref("boat", "b"))))

    def test_yaml_into_a_file_that_is_used_at_once(self):
        schemas = self.write("schemas.yaml", yaml.safe_dump(SCHEMAS["schemas"]))
        target = self.folder / "catalog" / "20-gohan.yaml"
        out, _ = self.run_command("import", schemas, "--output", str(target))
        self.assertEqual("", out)
        self.assertEqual([target.parent / "10-fleet.yaml", target], sorted(target.parent.iterdir()))
        self.assertIn(str(target), self.run_json("show", "boat")["source"])

    def test_what_cannot_be_used(self):
        for text, said in (("{", "neither JSON nor YAML"), ("3", "Gohan's schemas are a list")):
            source = self.write("schemas.json", text)
            self.assertIn(f"{source}: ", self.run_command("import", source, expected=2)[1])
            self.assertIn(said, self.run_command("import", source, expected=2)[1])
        self.assertIn("absent.json", self.run_command("import", str(self.folder / "absent.json"), expected=2)[1])
        good = self.write("schemas.json", json.dumps(SCHEMAS))
        bad = str(self.folder / "nowhere" / "x.yaml")
        self.assertIn("x.yaml can't be written", self.run_command("import", good, "--output", bad, expected=2)[1])


class ImportUrlTest(CatalogCase):
    def test_a_gohan_that_wants_a_token(self):
        gohan = test_gohan.serve(self)
        gohan.body = json.dumps(SCHEMAS).encode()
        with mock.patch.dict(os.environ, {"OS_TOKEN": "t0ken"}):
            out, _ = self.run_command("import", gohan.url)
        self.assertEqual(["boat"], [each["id"] for each in yaml.safe_load(out)["types"]])
        self.assertEqual([("/gohan/v0.1/schemas", "t0ken")], gohan.asked)

    def test_a_gohan_that_fails(self):
        gohan = test_gohan.serve(self)
        gohan.status = 500
        self.assertIn("answers 500", self.run_command("import", gohan.url, expected=1)[1])
        gohan.status = 401
        self.assertIn("set OS_TOKEN", self.run_command("import", gohan.url, expected=2)[1])
