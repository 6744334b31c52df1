"""Bad documents beside good ones: each is told what is wrong with it, and nobody else is harmed or slowed."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time

import yaml

from esi_worker.store import keys
from tests.chaos import base
from tests.chaos import world

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "poison"
TEMPLATES = keys.HEAT_TEMPLATES.removeprefix(keys.CONFIG)


def corpus():
    """All entries of all files."""
    return [entry for file in sorted(FOLDER.glob("*.yaml")) for entry in yaml.safe_load(file.read_text())]


class PoisonTest(base.InvariantsTest):
    """The whole corpus at once."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        self.begin(
            options={"catalog": {"files": str(FOLDER / "catalog.yml")}, "job_manager": {"wait_for_relatives": 2}}
        )
        for side in ("left", "right"):
            mappings = {"jinja_other": {"field": "id", "path": ["other_id"]}}
            self.template(side, {"text": "heat_template_version: 2013-05-23", "parameter_mappings": mappings})

    def template(self, template_id, given):
        body = {"id": template_id, "handler": "heat_worker", "watch": [], "template_file": given["text"]}
        self.deployed.put(TEMPLATES + template_id, {**body, "parameter_mappings": given.get("parameter_mappings", {})})

    def write(self, entry):
        if "template" in entry:
            name = entry["path"].rpartition("/")[2]
            self.template(f"ese_device_{name}", entry["template"])
            entry = {**entry, "body": {"id": name, "tenant_id": "poison", "existing": name}}
        if "path" not in entry:
            self.deployed.store.put(entry["key"], value_of(entry))
            return
        body = entry.get("body")
        if "repeat" in entry:
            body = entry["repeat"]["text"] * entry["repeat"]["times"]
        if "nest" in entry:
            body = '{"id": "nested", "tenant_id": "poison", "deep": ' + "[" * entry["nest"] + "]" * entry["nest"] + "}"
        if "pad" in entry:
            body = {**body, "pad": "x" * entry["pad"]}
        as_text = not isinstance(body, int)
        version = entry.get("version", 1)
        self.deployed.put(entry["path"], body, version, marked=entry.get("marked", False), as_text=as_text)
        for later in entry.get("then", ()):
            self.deployed.put(entry["path"], later["body"], later["version"])

    def lives(self, tag):
        """Seconds that a small world takes."""
        began = time.monotonic()
        resources = world.small(tag)
        self.gohan.create(*resources)
        for each in resources:
            state = self.deployed.wait_state(each.path)
            self.assertEqual("CREATE_COMPLETED", state["state"]["worker_state"], each.path)
        return time.monotonic() - began

    def test_each_harms_only_itself(self):
        daemon = self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        alone = self.lives("alone")
        entries = corpus()
        for entry in entries:
            self.write(entry)
        beside = self.lives("beside")
        wrong = []
        for entry in entries:
            wrong += self.judge(entry, daemon)
        print_figures(len(entries), len(wrong), alone, beside)
        self.assertEqual([], wrong)
        self.assertIsNone(daemon.process.poll())
        self.assertNotIn("Traceback", daemon.log)

    def judge(self, entry, daemon):
        if "state" not in entry:
            return self.judge_log(entry, daemon)
        path = entry["path"] if "path" in entry else entry["key"].removeprefix(keys.CONFIG)
        try:
            state = self.deployed.wait_state(path, entry.get("version", 1), 20)
        except AssertionError:
            return [f"{entry['name']}: no /state/{path}: {self.deployed.state(path)}"]
        wanted = (entry["state"], entry.get("error", ""))
        fits = state["state"]["worker_state"] == wanted[0] and bool(re.search(wanted[1], state["error"]))
        return [] if fits else [f"{entry['name']}: wanted {wanted}, found {state}"]

    def judge_log(self, entry, daemon):
        try:
            self.deployed.wait(lambda: entry["log"] in daemon.log, entry["log"], 20)
        except AssertionError:
            return [f"{entry['name']}: the log does not say {entry['log']!r}"]
        return []

    def test_a_bad_document_that_is_removed_leaves_nothing(self):
        daemon = self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        entries = [entry for entry in corpus() if "state" in entry and "path" in entry and "then" not in entry]
        for entry in entries:
            self.write(entry)
        for entry in entries:
            self.deployed.wait_state(entry["path"])
        for entry in entries[::2]:
            self.deployed.store.delete(keys.CONFIG + entry["path"])
        daemon.stop()
        for entry in entries[1::2]:
            self.deployed.store.delete(keys.CONFIG + entry["path"])
        self.deployed.daemon()
        for entry in entries:
            with self.subTest(entry["name"]):
                name = entry["path"].rpartition("/")[2]
                self.deployed.wait(lambda path=entry["path"]: not self.left(path), f"nothing left of {name}", 20)
        self.assertEqual([], [stack.name for stack in self.deployed.heat.stacks.all()])

    def test_a_document_that_turns_bad_takes_nothing_down(self):
        """Neither when it is seen, nor when it is found there by the next job manager."""
        daemon = self.deployed.daemon()
        network = world.small("x")[0]
        self.gohan.create(network)
        self.gohan.settle()
        self.deployed.store.put(keys.CONFIG + network.path, b"{oops")
        self.deployed.wait(lambda: f"{network.path}: not JSON" in daemon.log, "the complaint")
        daemon.stop()
        second = self.deployed.daemon()
        self.deployed.wait(lambda: f"{network.path}: not JSON" in second.log, "the complaint")
        self.lives("y")
        self.assertEqual("CREATE_COMPLETED", self.deployed.state(network.path)["state"]["worker_state"])
        self.assertIsNotNone(self.deployed.heat.stacks.get("tenant-x", world.stack_name(network.path)))

    def left(self, path):
        return [key for key in self.keys() if key.endswith(path)]


def value_of(entry):
    """The bytes of an entry that says what stands under its key."""
    if "repeat" in entry:
        return (entry["repeat"]["text"] * entry["repeat"]["times"]).encode()
    if "latin1" in entry:
        return entry["latin1"].encode("latin-1")
    return entry["raw"].encode() if "raw" in entry else json.dumps(entry["document"]).encode()


def print_figures(count, wrong, alone, beside):
    sys.stdout.write(f"\npoison: {count} documents, {wrong} not as expected; ")
    sys.stdout.write(f"a good world took {alone:.1f} s alone and {beside:.1f} s beside them\n")
