"""Resource files: what is read, and how a bad document is named."""

import io
import pathlib
import tempfile
import unittest

from esi_worker import api
from esi_worker.cmd import documents


def parse(text):
    return list(documents.parse(text, "file.yaml"))


class TestGoodDocuments(unittest.TestCase):
    def test_several_yaml_documents_keep_their_order(self):
        found = parse("type: network\nid: n-1\nbody: {name: one}\n---\ntype: port\nbody:\n  id: p-1\n")
        self.assertEqual([api.Ref("network", "n-1"), api.Ref("port", "p-1")], [each.ref for each in found])
        self.assertEqual({"name": "one", "id": "n-1"}, found[0].body)

    def test_a_list_in_a_document(self):
        found = parse("- {type: port, id: a, body: {}}\n- {type: port, id: b, body: {}}\n")
        self.assertEqual(["a", "b"], [each.ref.resource_id for each in found])

    def test_json_documents_one_after_another(self):
        found = parse('\n{"type": "port", "id": "a", "body": {"x": 1.5}}\n\t{"type": "port", "id": "b", "body": {}}\n')
        self.assertEqual(["a", "b"], [each.ref.resource_id for each in found])
        self.assertEqual("file.yaml: line 3, document 2", found[1].place)

    def test_a_flow_mapping_of_yaml_is_no_bad_json(self):
        self.assertEqual(api.Ref("port", "a"), parse("{type: port, id: a, body: {}}")[0].ref)

    def test_comments_and_empty_documents_are_nothing(self):
        self.assertEqual([], parse("# nothing\n---\n---\n# here\n"))

    def test_a_dash_line_within_a_text_block_is_kept(self):
        found = parse("type: port\nid: a\nbody:\n  text: |\n    ---\n    b\n")
        self.assertEqual("---\nb\n", found[0].body["text"])


class TestBadDocuments(unittest.TestCase):
    def assert_bad(self, text, reason):
        (bad,) = parse(text)
        self.assertIsInstance(bad, documents.Bad)
        self.assertIn(reason, str(bad))

    def test_a_bad_document_leaves_the_others(self):
        found = parse("type: port\nid: a\nbody: {}\n---\n]: [\n---\ntype: port\nid: b\nbody: {}\n")
        self.assertEqual([False, True, False], [isinstance(each, documents.Bad) for each in found])
        self.assertTrue(found[1].place.startswith("file.yaml: line 5, document 2"), found[1].place)

    def test_shapes(self):
        self.assert_bad("just text\n", "not str")
        self.assert_bad("id: a\nbody: {}\n", "'type' is missing")
        self.assert_bad("type: port\nid: a\n", "'body' is missing")
        self.assert_bad("type: port\nbody: {}\n", "'id' is missing")
        self.assert_bad("type: port\nid: 12\nbody: {}\n", "in quotes")
        self.assert_bad("type: port\nid: a\nbody: {}\nversion: 3\n", "'version'")
        self.assert_bad("type: port\nid: a\nbody: {id: b}\n", "differ")

    def test_an_id_that_must_not_become_part_of_a_key(self):
        self.assert_bad("type: port\nid: a/b\nbody: {}\n", "'a/b' is refused")

    def test_a_body_that_is_no_json(self):
        self.assert_bad("type: port\nid: a\nbody: {day: 2024-01-01}\n", "not JSON")
        self.assert_bad("type: port\nid: a\nbody: {x: .nan}\n", "not JSON")
        self.assert_bad("type: port\nid: a\nbody: &b {self: *b}\n", "not JSON")

    def test_no_objects_are_made_from_yaml(self):
        self.assert_bad("type: port\nid: a\nbody: !!python/object/apply:os.getcwd []\n", "not YAML")

    def test_endless_nesting(self):
        self.assert_bad("[" * 100_000, "not YAML")

    def test_an_item_is_named_by_its_place(self):
        found = parse("- {type: port, id: a, body: {}}\n- 7\n")
        self.assertEqual("file.yaml: line 1, document 1, item 2", found[1].place)


class TestFiles(unittest.TestCase):
    def test_a_directory_is_read_in_the_order_of_names(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("20-b.yaml", "10-a.json", "notes.txt"):
                text = f'{{"type": "port", "id": "{name[:2]}", "body": {{}}}}'
                pathlib.Path(folder, name).write_text(text, encoding="utf-8")
            found = documents.read([folder], io.StringIO())
            self.assertEqual(["10", "20"], [each.ref.resource_id for each in found])

    def test_standard_input(self):
        (found,) = documents.read(["-"], io.StringIO("type: port\nid: a\nbody: {}\n"))
        self.assertEqual("standard input: line 1, document 1", found.place)

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(api.ConfigError, "no such file"):
            list(documents.read(["/nowhere/at/all.yaml"], io.StringIO()))
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(api.ConfigError, "no .yaml"):
            list(documents.read([folder], io.StringIO()))
