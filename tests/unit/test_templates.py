"""Templates from files and from etcd: read, or refused naming what is wrong."""

import json
import pathlib
import sys
import unittest

import fixtures
import testtools

from esi_worker import api
from esi_worker.clients import rendering
from esi_worker.pipeline import templates
from tests import builtin


class TestFiles(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, name, description="handler: h\nparameter_mappings: {a: Pa}\n", text="x: {{ a }}\n"):
        (self.root / name).parent.mkdir(exist_ok=True)
        if description is not None:
            (self.root / f"{name}.yaml").write_text(description)
        if text is not None:
            (self.root / f"{name}.j2").write_text(text)

    def refused(self, text):
        error = self.assertRaises(api.ConfigError, templates.read_directory, self.root)
        self.assertIn(text, str(error))
        return str(error)

    def test_two_files_make_a_template(self):
        self.write("port/port", "id: port\nhandler: heat_worker\nparameter_mappings: {a: Pa}\n", "text")
        self.write("net/net")
        found = templates.read_directory(self.root)
        self.assertEqual({"port", "net"}, set(found))
        self.assertEqual(api.Template("port", "heat_worker", "text", {"a": "Pa"}), found["port"])

    def test_one_id_twice_names_both_files(self):
        self.write("a/port")
        self.write("b/port")
        text = self.refused("two files have the template 'port'")
        self.assertIn("a/port.yaml", text)
        self.assertIn("b/port.yaml", text)

    def test_broken_files_are_named(self):
        self.write("a/port", "handler: [")
        self.assertIn("port.yaml", self.refused("can't be read"))
        self.write("a/port", "- 1")
        self.assertIn("port.yaml", self.refused("is a list, not an object"))
        self.write("a/port", "handler: h\nmappings: {}")
        self.assertIn("port.yaml", self.refused("unknown member 'mappings'"))
        self.write("a/port", "id: other\nhandler: h")
        self.assertIn("port.yaml", self.refused("its id is 'other'"))
        self.write("a/port", "parameter_mappings: {}")
        self.assertIn("port.yaml", self.refused("'handler' is null"))
        self.write("a/port", "handler: h\nparameter_mappings: {a: nonsense}")
        self.assertIn("port.yaml", self.refused("parameter 'a': 'nonsense' is no compact mapping"))

    def test_half_a_template_is_named(self):
        self.write("a/port", text=None)
        self.assertIn("port.yaml", self.refused("can't be read"))
        self.write("a/port")
        self.write("a/net", description=None)
        self.assertIn("net.j2", self.refused("has no net.yaml beside it"))

    def test_no_directory(self):
        self.assertRaises(api.ConfigError, templates.read_directory, self.root / "none")

    def test_default_directories_are_those_that_are_there(self):
        share = self.root / "share" / "esi-worker" / "templates"
        self.useFixture(fixtures.MonkeyPatch("sys.prefix", str(self.root)))
        self.assertEqual([builtin.ROOT / "templates"], templates.default_directories())
        share.mkdir(parents=True)
        self.assertEqual([share, builtin.ROOT / "templates"], templates.default_directories())
        self.assertEqual(str(self.root), sys.prefix)


class TestDocuments(unittest.TestCase):
    BODY = {"id": "t", "handler": "h", "watch": [], "template_file": "text", "parameter_mappings": {"a": "Pa"}}

    def test_an_object_its_text_and_mappings_as_text_are_the_same(self):
        expected = api.Template("t", "h", "text", {"a": "Pa"})
        packed = {**self.BODY, "parameter_mappings": json.dumps(self.BODY["parameter_mappings"])}
        for body in (self.BODY, json.dumps(self.BODY), packed, json.dumps(packed)):
            self.assertEqual(expected, templates.parse_document("t", body))

    def test_there_and_back(self):
        template = templates.parse_document("t", self.BODY)
        self.assertEqual(self.BODY, templates.to_document(template))
        self.assertEqual(template, templates.parse_document("t", templates.to_document(template)))

    def test_absent_mappings_are_none(self):
        for value in (None, ""):
            body = {**self.BODY, "parameter_mappings": value}
            self.assertEqual({}, dict(templates.parse_document("t", body).parameter_mappings))

    def test_a_mapping_that_can_not_be_read_harms_only_who_uses_it(self):
        body = {**self.BODY, "parameter_mappings": {"a": "nonsense"}}
        self.assertEqual({"a": "nonsense"}, templates.parse_document("t", body).parameter_mappings)

    def test_what_is_wrong_is_named_with_the_template(self):
        for body, reason in [
            (None, "the body is null"),
            ("{", "the body is not JSON"),
            ("[]", "the body is a list"),
            ("[" * 100_000, "nested too deeply"),
            ({**self.BODY, "id": "u"}, "its id is 'u'"),
            ({**self.BODY, "id": None}, "its id is null"),
            ({**self.BODY, "handler": 5}, "'handler' is a number"),
            ({**self.BODY, "template_file": None}, "'template_file' is null"),
            ({**self.BODY, "parameter_mappings": []}, "'parameter_mappings' is a list"),
            ({**self.BODY, "parameter_mappings": "{"}, "'parameter_mappings' is not JSON"),
        ]:
            with self.subTest(str(body)[:40]), self.assertRaises(api.DocumentError) as caught:
                templates.parse_document("t", body)
            self.assertIn("template t: ", str(caught.exception))
            self.assertIn(reason, str(caught.exception))

    def test_an_id_that_must_not_be_part_of_a_key(self):
        with self.assertRaises(api.DocumentError):
            templates.parse_document("a/b", self.BODY)


class TestTheProjectsOwn(unittest.TestCase):
    def test_all_of_them_can_be_parsed(self):
        for template in builtin.templates().values():
            with self.subTest(template.id):
                rendering.check(template)

    def test_each_is_installed_with_the_wheel(self):
        setup = (builtin.ROOT / "setup.cfg").read_text()
        for folder in (builtin.ROOT / "templates").iterdir():
            self.assertIn(f"share/esi-worker/templates/{folder.name} = templates/{folder.name}/*\n", setup)
