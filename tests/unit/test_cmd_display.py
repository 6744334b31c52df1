"""How values are shown."""

import unittest

from esi_worker.cmd import display


class TestMasked(unittest.TestCase):
    def test_by_name_and_wherever_the_text_comes_again(self):
        shown = display.masked({"password": "correct horse", "note": ["say correct horse"], "name": "n"})
        self.assertEqual({"password": "***", "note": ["say ***"], "name": "n"}, shown)

    def test_json_as_text_is_opened(self):
        shown = display.masked({"body": '{"password": "correct horse", "list": "[1]"}'})
        self.assertEqual({"body": {"password": "***", "list": [1]}}, shown)

    def test_text_that_only_looks_like_json(self):
        self.assertEqual("{nonsense", display.masked("{nonsense"))

    def test_the_secrets_of_another_document(self):
        self.assertEqual("it is ***", display.masked("it is correct horse", {"body": '{"password": "correct horse"}'}))

    def test_params(self):
        param = {"param": "device_password", "type": "value", "value": "correct horse", "resources": []}
        self.assertEqual("***", display.masked([param])[0]["value"])


class TestCell(unittest.TestCase):
    def test_for_people_and_for_programs(self):
        for value, shown in ((None, "-"), ("", "-"), ([], "-"), (0, "0"), (["a", "b"], "a\nb"), ({"a": 1}, "a: 1")):
            self.assertEqual(shown, display.Cell(value).human_readable())
            self.assertEqual(value, display.Cell(value).machine_readable())
