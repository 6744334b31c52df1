"""SIGHUP: catalog files and templates are read again by a daemon that goes on running."""

import json
import pathlib
import signal
import tempfile

from esi_worker.store import keys
from tests.functional import deployment

KITE = {"types": [{"id": "kite", "prefix": "v2.0", "relations": {"tail_id": "tail"}}]}
STRING = {"types": [{"id": "string", "prefix": "toys/v1", "templates": {"heat_worker": "Cstring"}}]}
HOT = "heat_template_version: 2015-04-30\noutputs:\n  length: {value: %d}\n"


class ReloadTest(deployment.DeploymentTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for each in ("catalog", "templates"):
            (self.folder / each).mkdir()
        self.describe("kite", KITE)
        options = {
            "catalog": {"entry_points": "false", "files": self.folder / "catalog"},
            "templates": {"directories": self.folder / "templates"},
        }
        self.deployed = self.deploy({}, options)
        self.daemon = self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")  # until then SIGHUP ends it

    def describe(self, name, document):
        text = document if isinstance(document, str) else json.dumps(document)
        (self.folder / "catalog" / f"{name}.yaml").write_text(text)

    def template(self, length):
        (self.folder / "templates" / "string.yaml").write_text("{id: string, handler: heat_worker}\n")
        (self.folder / "templates" / "string.j2").write_text(HOT % length)

    def reload(self, said):
        before = self.daemon.log.count(said)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.deployed.wait(lambda: self.daemon.log.count(said) > before, f"{said!r} in the log")

    def known(self):
        """Whether the string is there; until the new term has begun it may be told that its type is unknown."""
        state = self.deployed.state("toys/v1/strings/s")
        return state is not None and state["error"] == ""

    def outputs(self, path, version):
        state = self.deployed.wait_state(path, version)
        self.assertEqual("", state["error"])
        return json.loads(state["state"]["heat_outputs"])[0]["output_value"]

    def test_what_was_unknown_is_known(self):
        self.deployed.put("toys/v1/strings/s", {"id": "s", "tenant_id": "t"})
        state = self.deployed.wait_state("toys/v1/strings/s")
        self.assertIn("unknown resource type: the catalog has no toys/v1/strings", state["error"])
        self.describe("string", STRING)
        self.template(30)
        self.reload("read again: 2 resource types, 1 templates in files")
        self.deployed.wait(self.known, "the string")
        self.assertEqual(30, self.outputs("toys/v1/strings/s", 1))
        self.template(40)
        self.reload("read again")
        self.deployed.put("toys/v1/strings/s", {"id": "s", "tenant_id": "t"}, 2)
        self.assertEqual(40, self.outputs("toys/v1/strings/s", 2))
        print("\nreload: a type and a template taken up, a template replaced")

    def test_a_broken_file_changes_nothing(self):
        self.deployed.put("v2.0/kites/k", {"id": "k"})
        self.deployed.wait_state("v2.0/kites/k")
        for name, text in (("broken", "types: [{id: kite, plurel: kites}]"), ("broken", "types: {"), ("broken", "- x")):
            self.describe(name, text)
            self.reload("SIGHUP: the configuration stays as it was: the catalog file")
        self.describe("broken", {"types": [{"id": "dragon", "plural": "kites", "prefix": "v2.0"}]})
        self.reload("two resource types stand under v2.0/kites")
        self.deployed.put("v2.0/kites/k", {"id": "k"}, 2)
        self.assertEqual("READ_COMPLETE", self.deployed.wait_state("v2.0/kites/k", 2)["state"]["worker_state"])
        self.assertIsNone(self.daemon.process.poll())

    def test_a_type_that_goes_away_is_left_alone(self):
        self.describe("string", STRING)
        self.template(30)
        self.reload("read again: 2 resource types")
        self.deployed.put("toys/v1/strings/s", {"id": "s", "tenant_id": "t"})
        self.deployed.wait(self.known, "the string")
        self.deployed.heat.stacks.hold("string_s")
        self.deployed.put("toys/v1/strings/s", {"id": "s", "tenant_id": "t"}, 2)
        claim = "/jobs/claims/modify:heat_worker:string:s:2"
        self.deployed.wait(lambda: self.deployed.store.list(claim).entries, "the claim")
        (self.folder / "catalog" / "string.yaml").unlink()
        self.reload("the catalog has no string any more")
        self.deployed.heat.stacks.release("string_s")
        self.assertEqual(30, self.outputs("toys/v1/strings/s", 2))  # what was claimed is brought to its end
        self.deployed.put("v2.0/kites/k", {"id": "k"})
        self.deployed.wait_state("v2.0/kites/k")
        self.assertIsNone(self.daemon.process.poll())
