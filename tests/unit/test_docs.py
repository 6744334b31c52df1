"""What the documentation claims holds: its examples are run."""

import pathlib
import re
import textwrap
import unittest

import yaml

from esi_worker import api
from esi_worker import options
from esi_worker.mapping import evaluation

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def blocks(path):
    """The YAML examples of a page."""
    found = re.findall(r"^\.\. code-block:: yaml\n\n((?: {3}.*\n|\n)+)", path.read_text(), re.MULTILINE)
    return [yaml.safe_load(textwrap.dedent(each)) for each in found]


class World:
    """The world that a page describes."""

    def __init__(self, document):
        self.relations = document["relations"]
        self.resources = {}
        for name, body in document["resources"].items():
            ref = api.Ref(*name.split(":"))
            self.resources[ref] = api.Resource(ref, body)

    def get(self, ref):
        return self.resources.get(ref)

    def relation(self, resource_type, field):
        return self.relations.get(resource_type, {}).get(field)


class MappingTest(unittest.TestCase):
    def test_each_example_gives_what_the_page_says(self):
        examples = [each for each in blocks(DOCS / "mapping.rst") if isinstance(each, dict)]
        world = World(next(each["world"] for each in examples if "world" in each))
        gateway = world.get(api.Ref("gateway", "g1"))
        tried = 0
        for example in examples:
            if "mapping" not in example:
                continue
            tried += 1
            with self.subTest(mapping=example["mapping"]):
                if "error" in example:
                    with self.assertRaisesRegex(api.JobError, example["error"]):
                        evaluation.evaluate("example", example["mapping"], gateway, world, {})
                    continue
                param = evaluation.evaluate("example", example["mapping"], gateway, world, {})
                self.assertEqual(param.type, example.get("type", "value"))
                self.assertEqual(param.value, example["value"])
                self.assertIs(type(param.value), type(example["value"]))
                self.assertEqual([str(each) for each in param.resources], example.get("resources", []))
        self.assertGreater(tried, 25)


class OptionsTest(unittest.TestCase):
    def test_options_that_pages_name_are_there(self):
        known = {(group, option.name) for group, members in options.groups() for option in members}
        known |= {("DEFAULT", each) for each in ("log_file", "debug", "use_syslog", "use_journal")}
        for page in DOCS.glob("*.rst"):
            for group, name in re.findall(r"``\[(\w+)\]\s+(\w+)", page.read_text()):
                if group not in ("greeter", "options"):
                    self.assertIn((group, name), known, page.name)


if __name__ == "__main__":
    unittest.main()
