"""``esictl new plugin``: what it writes, and what it refuses to write."""

import ast
import configparser
import io
import pathlib
import tempfile
import unittest

import yaml

from esi_worker.cmd import esictl
from esi_worker.cmd import new_plugin


def run(*argv):
    """Run esictl; :returns: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = esictl.Application(stdout=out, stderr=err).run(list(argv))
    return code, out.getvalue(), err.getvalue()


class NewPluginTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name, "made")

    def make(self, name="garden_gate"):
        return run("new", "plugin", name, "--directory", str(self.folder))

    def files(self):
        return {path.relative_to(self.folder).as_posix(): path.read_text() for path in self.folder.rglob("*.*")}

    def test_all_files_are_whole(self):
        code, out, err = self.make()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("esictl plugins check esi-worker-garden-gate", out)
        files = self.files()
        for path, text in files.items():
            self.assertNotRegex(text, r"\$\{|NAME\b|\.tmpl", path)
            self.assertNotRegex(path, r"NAME|\.tmpl")
            if path.endswith(".py"):
                ast.parse(text)
            elif path.endswith(".yaml"):
                list(yaml.safe_load_all(text))
        self.assertIn("tests/test_pipeline.py", files)
        self.assertIn("templates/garden_gate/garden_gate_monitoring.j2", files)
        self.assertIn("class GardenGateHandler(api.Handler)", files["esi_worker_garden_gate/handler.py"])

    def test_entry_points_name_what_is_there(self):
        self.make()
        setup = configparser.ConfigParser()
        setup.read(self.folder / "setup.cfg")
        for lines in setup["options.entry_points"].values():
            for line in lines.split("\n")[1:]:
                module, _, attribute = line.partition(" = ")[2].partition(":")
                text = self.folder.joinpath(*module.split(".")).with_suffix(".py").read_text()
                self.assertRegex(text, rf"(?m)^(class )?{attribute}\b")

    def test_nothing_is_overwritten(self):
        self.folder.mkdir()
        mine = self.folder / "mine.txt"
        mine.write_text("mine")
        code, out, err = self.make()
        self.assertEqual((code, out), (2, ""))
        self.assertIn("is there already", err)
        self.assertEqual([each.name for each in self.folder.iterdir()], ["mine.txt"])

    def test_an_empty_folder_will_do(self):
        self.folder.mkdir()
        self.assertEqual(self.make()[0], 0)

    def test_names_that_are_refused(self):
        for name in ("Garden", "garden-gate", "1st", "", "garden__gate", "../garden", "x" * 61):
            code, _, err = self.make(name)
            self.assertEqual(code, 2, name)
            self.assertIn("can't be used", err)
        code, _, err = self.make("network")
        self.assertEqual(code, 2)
        self.assertIn("the name network is taken: network (package esi-worker", err)
        self.assertFalse(self.folder.exists())

    def test_unwritable_place(self):
        self.folder.write_text("a file")
        self.folder = self.folder / "below"
        code, _, err = self.make()
        self.assertEqual(code, 2)
        self.assertIn("can't be written", err)

    def test_words(self):
        self.assertEqual(new_plugin.names("berry")["plural"], "berries")


if __name__ == "__main__":
    unittest.main()
