"""A deployment that the project knows nothing of: a campus network, see ``tests/fixtures/foreign/README.rst``.

Its types are in catalog files, its templates in etcd only, its resolver in a package of its own; the built-in types
are switched off.  The daemon carries all of it to ``/state``, changes it and takes it down again.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import yaml

from esi_worker import api
from esi_worker.mapping import grammar
from esi_worker.mapping import nodes
from esi_worker.pipeline import templates
from esi_worker.store import keys
from tests.functional import deployment
from tests.plugins import installed

FOREIGN = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "foreign"

# What of the language there is, as the grammar's module lists it; the table has to have a row that begins like each.
LANGUAGE = (
    *("C:", "P:", "O:", "F: one", "F: several", "M:", "V:", "A:"),
    *(f"constant: {each}" for each in ("a string", "a boolean", "a number", "a list", "an object", "null")),
    *("field:", "field + path: a relation field", "field + path: {type, id}", "field + path: {concatenate}"),
    *("field + path: ignore_missing, missing", "field + path: ignore_missing, there"),
    *("output_key: without a path", "output_key + path", "version", "nested", "concatenate", "resolver"),
    *("for: a field's name", "for: a mapping", "for: nested", "for: output keys", "if equal", "if regexp", "choice"),
)
ONE_STEP = ("facility/v1/sites/", "desk/v1/guest_passes/")


def load(name):
    return yaml.safe_load((FOREIGN / name).read_text())


def ref(text):
    resource_type, _, resource_id = text.partition(":")
    return {"resource_type": resource_type, "resource_id": resource_id}


def state_of(document):
    """``/state`` in the form of ``expected.yaml``."""
    found = {name: json.loads(text) for name, text in document["state"].items() if name != "worker_state"}
    if "heat_outputs" in found:
        found["heat_outputs"] = {each["output_key"]: each["output_value"] for each in found["heat_outputs"]}
    return {"worker_state": document["state"]["worker_state"], **found}


class TableTest(unittest.TestCase):
    """The table construct -> test itself."""

    def test_every_construct_has_a_row(self):
        rows = [each["construct"] for each in load("constructs.yaml")]
        self.assertEqual([], [each for each in LANGUAGE if not any(row.startswith(each) for row in rows)])
        self.assertEqual(len(rows), len(set(rows)))

    def test_every_node_and_every_form_is_used(self):
        mappings = [
            mapping
            for template in templates.read_directory(FOREIGN / "templates").values()
            for mapping in template.parameter_mappings.values()
        ]
        self.assertEqual(set("CPOFMVA"), {each[0] for each in mappings if isinstance(each, str)})
        parsed = [grammar.parse(each) for each in mappings]
        self.assertEqual(set(nodes.Node.__args__), {type(each) for each in parsed})
        hops = {type(hop) for each in parsed for hop in getattr(each, "path", ())}
        self.assertEqual(set(nodes.Hop.__args__), hops)


class ForeignDeploymentTest(deployment.DeploymentTest):
    maxDiff = None
    roles = ("job_manager,worker,collector",)

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        site = pathlib.Path(folder.name)
        installed.install(FOREIGN / "plugin", site)
        (site / "no-templates").mkdir()
        options = {
            "catalog": {"entry_points": "false", "files": self.catalog(site)},
            "templates": {"directories": site / "no-templates"},
            "monitoring": {"mode": "trust"},
        }
        self.environment = {"PYTHONPATH": str(site)}
        self.deployed = self.deploy({}, options)
        with deployment.environment(**self.environment):
            for roles in self.roles:
                self.deployed.daemon(DEFAULT={"roles": roles})
        self.resources = {each["path"]: each["body"] for each in load("resources.yaml")}

    def catalog(self, site):
        """Where the catalog files are."""
        return FOREIGN / "catalog"

    def esictl(self, *arguments):
        """Run the command line as an operator does; :returns: what it wrote."""
        config_file = self.deployed.folder / "daemon-0.conf"
        program = "import sys; from esi_worker.cmd import esictl; sys.exit(esictl.main())"
        done = subprocess.run(
            [sys.executable, "-c", program, "--config-file", str(config_file), *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(0, done.returncode, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_its_life(self):
        self.esictl("templates", "push", str(FOREIGN / "templates"))
        self.assertEqual("[]", self.esictl("catalog", "check", "-f", "json").strip())
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        before = self.deployed.keys()
        self.create()
        self.compare_table()
        self.modify()
        self.take_down()
        self.deployed.wait(lambda: self.deployed.keys() == before, "the keys of the beginning")
        self.assertEqual([], self.deployed.heat.stacks.all())

    def create(self):
        for path, body in self.resources.items():
            self.deployed.put(path, body)
        expected = load("expected.yaml")
        written = {}
        for path in self.resources:
            document = self.deployed.wait_state(path)
            self.assertEqual("", document["error"], path)
            written[path] = state_of(document)
        self.assertEqual(expected, written)
        monitored = [path for path, each in expected.items() if "state_monitoring" in each]
        for path in monitored:
            self.deployed.wait(lambda path=path: self.deployed.get(keys.MONITORING + path), f"/monitoring/{path}")
            statuses = self.deployed.get(keys.MONITORING + path)
            self.assertEqual(1, statuses.pop("version"))
            self.assertEqual(dict.fromkeys(expected[path]["state_monitoring"], "UP"), statuses)
        print(f"\nforeign: {len(written)} of {len(expected)} resources of {len(self.types())} types to /state")

    def types(self):
        return {path.rpartition("/")[0] for path in self.resources}

    def compare_table(self):
        jobs = self.jobs()
        right = 0
        table = load("constructs.yaml")
        for row in table:
            with self.subTest(row["construct"]):
                of, handler, name = row["param"].split("/")
                [job] = [each for each in jobs if each["id"].startswith(f"create:{handler}:{of}:1:")]
                params = {each["param"]: each for each in job["params"]}
                wanted = {
                    "param": name,
                    "type": row.get("type", api.VALUE),
                    "value": row["value"],
                    "resources": [ref(each) for each in row.get("resources", ())],
                }
                # As text: Python takes true for 1.
                self.assertEqual(json.dumps(wanted, sort_keys=True), json.dumps(params[name], sort_keys=True))
                right += 1
        print(f"foreign: {right} of {len(table)} constructs of the language")

    def jobs(self):
        """All jobs that were ever written."""
        return [each.value[1] for each in self.deployed.history() if each.key.startswith(keys.ALL_JOBS) and each.value]

    def modify(self):
        """The access point is moved to another switch and another kind of template; the switch gets new relations."""
        moved = {**self.resources["campus/v3/access_points/ap-1"], "lan_switch_id": "sw-z", "outdoor": True}
        self.deployed.put("campus/v3/access_points/ap-1", moved, 2)
        state = state_of(self.deployed.wait_state("campus/v3/access_points/ap-1", 2))
        self.assertEqual("CREATE_COMPLETED", state["worker_state"])  # the last job creates the monitoring anew
        self.assertEqual({"address": "192.0.2.17", "heating": "on"}, state["heat_outputs"])
        again = {**self.resources["campus/v3/lan_switches/sw-a"], "cabinet_id": "cab-2", "backup_cabinet_id": "cab-1"}
        self.deployed.put("campus/v3/lan_switches/sw-a", again, 2)
        state = state_of(self.deployed.wait_state("campus/v3/lan_switches/sw-a", 2))
        self.assertEqual("MODIFY_COMPLETED", state["worker_state"])
        self.assertEqual(("A-feed/Attic", 2), (state["heat_outputs"]["feed"], state["heat_outputs"]["revision"]))
        chains = [each["id"].rpartition(":")[0] for each in self.jobs() if each["version"] == 2]
        self.assertEqual(
            [
                "create:monitoring_worker:access_point:ap-1:2",
                "delete:monitoring_worker:access_point:ap-1:2",
                "modify:heat_worker:access_point:ap-1:2",
                "modify:heat_worker:lan_switch:sw-a:2",
            ],
            sorted(chains),
        )
        [job] = [each for each in self.jobs() if each["id"].startswith("modify:heat_worker:lan_switch:sw-a:2:")]
        resources = {each["param"]: each["resources"] for each in job["params"]}
        # Those of the new body, then those of the previous one.
        self.assertEqual([ref("cabinet:cab-2"), ref("cabinet:cab-1")], resources["cabinet"])
        passed = ("cabinet:cab-2", "site:south", "cabinet:cab-1", "site:north")
        self.assertEqual([ref(each) for each in passed], resources["site"])

    def take_down(self):
        """Gohan marks what is deleted in two steps, and removes what says that it is gone.

        What is deleted in one step it just removes, its ``/state`` with it or not: that goes all the same.
        """
        read = {path for path, each in load("expected.yaml").items() if each["worker_state"] == "READ_COMPLETE"}
        for path, body in reversed(self.resources.items()):
            if path.startswith(ONE_STEP):
                self.deployed.store.delete(keys.CONFIG + path)
                continue
            self.deployed.put(path, body, 3, marked=True)
            state = self.deployed.wait_state(path, 3)
            gone = "READ_COMPLETE" if path in read else "DELETE_COMPLETED"
            self.assertEqual((gone, ""), (state["state"]["worker_state"], state["error"]), path)
            self.deployed.store.delete(keys.CONFIG + path)
            self.deployed.store.delete(keys.STATE + path)


class UnknownPrefixesTest(ForeignDeploymentTest):
    """The same by a catalog that names no prefix: only the job manager sees where a document stands."""

    roles = ("job_manager", "worker", "collector")

    def catalog(self, site):
        """The catalog files without their prefixes."""
        folder = site / "catalog"
        folder.mkdir()
        for each in (FOREIGN / "catalog").iterdir():
            document = yaml.safe_load(each.read_text())
            for described in document.get("types", ()):
                del described["prefix"]
            (folder / each.name).write_text(json.dumps(document))
        return folder

    def create(self):
        super().create()
        for path in self.resources:
            found = json.loads(self.esictl("get", *path.split("/")[-2:], "-f", "json"))
            self.assertEqual(path.rpartition("/")[2], found["id"])
