"""esictl against a real etcd: each command as an operator types it."""

import io
import json
import os
import pathlib
import tempfile
import threading
import unittest
import unittest.mock

from esi_worker.cmd import esictl
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import etcd as etcd_store
from esi_worker.store import keys
from esi_worker.testing import etcd

CATALOG = {
    "types": [
        {"id": "wire", "plural": "wires", "prefix": "v2.0", "two_step_deletion": False},
        {
            "id": "box",
            "plural": "boxes",
            "prefix": "lab/v1.0",
            "relations": {"wire_id": "wire"},
            "templates": {"heat_worker": "Cbox"},
        },
    ]
}
PATH = keys.Path("lab/v1.0", "boxes", "b-1")
JOB = {
    "id": "create:heat_worker:box:b-1:1:aaaaa",
    "handler": "heat_worker",
    "action": "create",
    "resource_type": "box",
    "resource_id": "b-1",
    "version": 1,
    "job_name": "box:b-1:1",
    "dependency": ["create:heat_worker:wire:w-1:1:bbbbb", "gone"],
    "is_first": True,
    "is_last": True,
    "on_failure": "fail",
    "params": [
        {"param": "box_password", "type": "value", "value": "correct horse", "resources": []},
        {"param": "greeting", "type": "value", "value": "hello correct horse!", "resources": []},
    ],
    "resource_input": {"id": "b-1"},
}

server = None


def setUpModule():
    global server
    server = etcd.EtcdServer(fsync=False)
    server.start()


def tearDownModule():
    server.close()


class EsictlCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = etcd_store.EtcdStore([server.endpoint])
        self.addCleanup(self.store.close)
        self.store.transact([], [base.Delete("/", prefix=True)])
        (self.folder / "catalog.json").write_text(json.dumps(CATALOG), encoding="utf-8")
        templates = self.folder / "templates" / "box"
        templates.mkdir(parents=True)
        (templates / "box.yaml").write_text(
            "id: box\nhandler: heat_worker\nparameter_mappings: {name: Pname, wire: Fwire+wire_id:name}\n",
            encoding="utf-8",
        )
        (templates / "box.j2").write_text("heat_template_version: 2015-04-30\n", encoding="utf-8")
        self.config = self.folder / "esi.conf"
        self.config.write_text(
            f"[etcd]\nendpoints = {server.endpoint}\n[catalog]\nentry_points = false\n"
            f"files = {self.folder / 'catalog.json'}\n[templates]\ndirectories = {self.folder / 'templates'}\n",
            encoding="utf-8",
        )

    def run_command(self, *arguments, stdin="", expected=0):
        """:returns: what it wrote to stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        application = esictl.Application(stdin=io.StringIO(stdin), stdout=out, stderr=err)
        code = application.run(["--config-file", str(self.config), *arguments])
        self.assertEqual(expected, code, f"{arguments}\n{out.getvalue()}\n{err.getvalue()}")
        return out.getvalue(), err.getvalue()

    def run_json(self, *arguments, expected=0):
        return json.loads(self.run_command(*arguments, "-f", "json", expected=expected)[0])

    def put(self, key, value):
        self.store.put(key, codec.encode(value))

    def get(self, key):
        entry = self.store.get(key)
        return entry and codec.decode(entry.value)

    def put_box(self, version=1, marked=False, **body):
        self.put(PATH.config, {"body": {"id": "b-1", **body}, "version": version, "marked_for_deletion": marked})

    def put_state(self, worker_state, version, error=""):
        self.put(PATH.state, {"state": {"worker_state": worker_state}, "version": version, "error": error})


class TestApply(EsictlCase):
    BOX = "type: box\nid: b-1\nbody: {name: first}\n"

    def apply(self, text, expected=0):
        return self.run_command("apply", "-f", "-", stdin=text, expected=expected)

    def test_the_document_is_gohans(self):
        out, _ = self.apply(self.BOX)
        self.assertEqual("box:b-1 created (version 1)\n", out)
        wanted = {"body": {"id": "b-1", "name": "first"}, "version": 1, "marked_for_deletion": False}
        self.assertEqual(wanted, self.get(PATH.config))

    def test_the_same_again_writes_nothing(self):
        self.apply(self.BOX)
        before = self.store.get(PATH.config)
        self.assertIn("unchanged (version 1)", self.apply(self.BOX)[0])
        self.assertEqual(before, self.store.get(PATH.config))

    def test_a_body_as_text_is_compared_as_what_it_says(self):
        body = '{"name": "first", "id": "b-1"}'
        self.put(PATH.config, {"body": body, "version": 7, "marked_for_deletion": False})
        self.assertIn("unchanged (version 7)", self.apply(self.BOX)[0])

    def test_a_change_is_a_new_version(self):
        self.apply(self.BOX)
        self.assertIn("changed (version 2)", self.apply(self.BOX.replace("first", "second"))[0])

    def test_true_is_another_value_than_one(self):
        self.apply("type: box\nid: b-1\nbody: {x: 1}\n")
        self.assertIn("changed (version 2)", self.apply("type: box\nid: b-1\nbody: {x: true}\n")[0])

    def test_a_resource_that_comes_back_goes_on_counting(self):
        self.put_state("DELETE_COMPLETED", 5)
        self.assertIn("created (version 6)", self.apply(self.BOX)[0])

    def test_bad_documents_are_named_and_the_others_applied(self):
        text = f"type: nope\nid: x\nbody: {{}}\n---\n{self.BOX}---\ntype: box\nbody: {{}}\n"
        out, err = self.apply(text, expected=1)
        self.assertEqual("box:b-1 created (version 1)\n", out)
        first, second = err.splitlines()
        self.assertIn("standard input: line 1, document 1: nope:x: no resource type 'nope'", first)
        self.assertIn("line 8, document 3: 'id' is missing", second)

    def test_one_that_is_being_deleted_is_refused(self):
        self.put_box(version=2, marked=True)
        _, err = self.apply(self.BOX, expected=1)
        self.assertIn("marked for deletion", err)

    def test_two_who_write_at_once_both_count(self):
        def write(number):
            self.apply(f"type: box\nid: b-1\nbody: {{n: {number}}}\n")

        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(3, self.get(PATH.config)["version"])


class TestDelete(EsictlCase):
    def test_it_is_marked_once(self):
        self.put_box(version=3, name="x")
        self.assertIn("marked for deletion (version 4)", self.run_command("delete", "box", "b-1")[0])
        self.assertTrue(self.get(PATH.config)["marked_for_deletion"])
        self.assertEqual({"id": "b-1", "name": "x"}, self.get(PATH.config)["body"])
        self.assertIn("before (version 4)", self.run_command("delete", "box", "b-1")[0])

    def test_what_is_not_there(self):
        self.assertIn("there is no /config/lab/v1.0/boxes/b-1", self.run_command("delete", "box", "b-1", expected=1)[1])

    def test_purge_waits_for_the_state(self):
        self.put_box(version=1)
        answered = threading.Thread(target=self.answer)
        answered.start()
        out, _ = self.run_command("delete", "--purge", "--timeout", "20", "box", "b-1")
        answered.join()
        self.assertTrue(out.endswith("box:b-1 removed\n"), out)
        self.assertEqual((None, None), (self.store.get(PATH.config), self.store.get(PATH.state)))

    def answer(self):
        """What esi-worker does: wait for the mark, then say that it is done."""
        store = etcd_store.EtcdStore([server.endpoint])
        for batch in store.watch(PATH.config, 1, threading.Event()):
            if any(
                codec.decode(event.entry.value)["marked_for_deletion"] for event in batch.events if event.entry.value
            ):
                break
        self.put_state("DELETE_COMPLETED", 2)
        store.close()

    def test_purge_leaves_what_is_not_taken_down(self):
        self.put_box(version=2, marked=True)
        self.put_state("DELETE_FAILED", 2, "the stack is stuck")
        _, err = self.run_command("delete", "--purge", "box", "b-1", expected=1)
        self.assertIn("the stack is stuck", err)
        self.assertIsNotNone(self.store.get(PATH.config))

    def test_a_type_without_the_mark(self):
        self.put("/config/v2.0/wires/w-1", {"body": {"id": "w-1"}, "version": 1, "marked_for_deletion": False})
        self.assertIn("removed from /config", self.run_command("delete", "wire", "w-1")[0])
        self.assertIsNone(self.store.get("/config/v2.0/wires/w-1"))


class TestGet(EsictlCase):
    def test_what_is_wanted_and_what_came_of_it(self):
        self.put_box(version=2, name="first")
        self.put_state("CREATE_FAILED", 1, "no room")
        wanted = {"type": "box", "id": "b-1", "name": "first", "version": 2}
        wanted |= {"state": "CREATE_FAILED", "state_version": 1, "error": "no room"}
        self.assertEqual([wanted], self.run_json("get"))
        self.assertEqual([wanted], self.run_json("get", "boxes"))
        self.assertEqual([], self.run_json("get", "wire"))

    def test_for_people_what_goes_without_saying_is_left_out(self):
        self.put_box(version=2, name="n" * 50)
        self.put_state("CREATE_COMPLETED", 1)
        out, _ = self.run_command("get")
        self.assertIn("CREATE_COMPLETED (version 1)", out)
        self.assertNotIn("error", out)
        self.put_state("MODIFY_FAILED", 2, "no room")
        out, _ = self.run_command("get")
        self.assertIn("no room", out)
        self.assertNotIn("MODIFY_FAILED (version", out)
        self.assertIn("| 2 ", self.run_command("get", "-c", "state_version")[0])

    def test_documents_that_cannot_be_read_are_listed_too(self):
        self.store.put(PATH.config, b"{nonsense")
        self.store.put("/config/other/v1/things/t-1", b"7")
        found = {each["id"]: each for each in self.run_json("get")}
        self.assertIn("not JSON", found["b-1"]["error"])
        self.assertEqual("things", found["t-1"]["type"])

    def test_templates_are_no_resources(self):
        self.put(keys.heat_template("box"), {"body": {}, "version": 1, "marked_for_deletion": False})
        self.assertIn("no such resource", self.run_command("get")[1])

    def test_one_resource_hides_its_secrets_wherever_they_stand(self):
        body = json.dumps({"id": "b-1", "password": "correct horse", "note": "it is correct horse."})
        self.put(PATH.config, {"body": body, "version": 1, "marked_for_deletion": False})
        self.put(PATH.state, {"state": {"worker_state": "X", "seen": '["correct horse"]'}, "version": 1, "error": ""})
        for form in ("table", "json", "yaml"):
            out, _ = self.run_command("get", "box", "b-1", "-f", form)
            self.assertNotIn("correct horse", out)
            self.assertIn("***", out)

    def test_what_is_not_there(self):
        self.assertIn("there is no", self.run_command("get", "box", "nope", expected=1)[1])
        self.assertIn("no resource type 'nope'; there are: box, wire", self.run_command("get", "nope", expected=2)[1])
        self.assertIn("is refused", self.run_command("get", "box", "a/b", expected=1)[1])


class TestWait(EsictlCase):
    def test_the_wanted_version_counts(self):
        self.put_box(version=2)
        self.put_state("CREATE_COMPLETED", 1)
        _, err = self.run_command("wait", "box", "b-1", "--timeout", "0.3", expected=1)
        self.assertIn("/state says CREATE_COMPLETED of version 1, wanted is version 2", err)
        writer = threading.Thread(target=self.put_state, args=("MODIFY_COMPLETED", 2))
        writer.start()
        self.assertIn("box:b-1 MODIFY_COMPLETED", self.run_command("wait", "box", "b-1", "--timeout", "20")[0])
        writer.join()

    def test_a_failure_is_not_waited_out(self):
        self.put_box()
        self.put_state("CREATE_FAILED", 1, "no room")
        _, err = self.run_command("wait", "box", "b-1", "--timeout", "600", expected=1)
        self.assertIn("box:b-1 is not done: CREATE_FAILED: no room", err)
        self.run_command("wait", "box", "b-1", "--for", "error")

    def test_all(self):
        self.put_box()
        self.put_state("CREATE_COMPLETED", 1)
        self.put("/config/v2.0/wires/w-1", {"body": {"id": "w-1"}, "version": 1, "marked_for_deletion": False})
        out, err = self.run_command("wait", "--all", "--timeout", "0.3", expected=1)
        self.assertIn("box:b-1 CREATE_COMPLETED", out)
        self.assertIn("wire:w-1 is not done", err)

    def test_deleted(self):
        self.run_command("wait", "box", "b-1", "--for", "deleted", "--timeout", "20")
        self.put_box()
        _, err = self.run_command("wait", "box", "b-1", "--for", "deleted", "--timeout", "0.2", expected=1)
        self.assertIn("not marked", err)

    def test_the_job_that_is_waited_for_is_told(self):
        self.put_box()
        self.put(keys.job(JOB["id"]), ["heat_worker", JOB, 0])
        self.put(keys.claim(JOB["id"]), {"worker": "host-7", "lease": "1"})
        _, err = self.run_command("wait", "box", "b-1", "--timeout", "0.2", expected=1)
        self.assertIn(f"{JOB['id']} claimed by host-7", err)

    def test_pairs_are_wanted(self):
        self.run_command("wait", "box", expected=2)
        self.run_command("wait", expected=2)
        self.run_command("wait", "--all", "box", "b-1", expected=2)


class TestTrace(EsictlCase):
    def put_trace(self, version, **points):
        self.put(PATH.trace, {"version": version, "points": {name[1:]: value for name, value in points.items()}})

    def test_all_seven(self):
        self.put_box()
        stack = {"stack_status": "CREATE_COMPLETE", "output": [{"output_key": "a", "output_value": 1}]}
        self.put(PATH.record("heat_stacks"), stack)
        self.put(PATH.job_state, {"heat_outputs": [], "state_monitoring": {"primary_41": "master"}})
        self.put_state("CREATE_COMPLETED", 1)
        self.put(PATH.monitoring, {"primary_41": "MASTER", "version": 1})
        self.put_trace(1, p1=1000, p2=1250, p3=3000, p4=3000, p5=4500, p6=4500, p7=6000)
        rows = self.run_json("trace", "box", "b-1")
        self.assertEqual([1, 2, 3, 4, 5, 6, 7], [row["point"] for row in rows])
        self.assertEqual([None, 0.25, 1.75, 0.0, 1.5, 0.0, 1.5], [row["seconds"] for row in rows])
        says = ["version 1", "all jobs are finished", "CREATE_COMPLETE: 1 outputs", "heat_outputs: 0"]
        says += ["primary_41 master", "CREATE_COMPLETED", "primary_41 MASTER"]
        self.assertEqual(says, [row["says"] for row in rows])

    def test_a_point_that_is_not_reached_says_what_it_waits_for(self):
        self.put_box(version=1)
        self.put(keys.job(JOB["id"]), ["heat_worker", JOB, 0])
        self.put(keys.job(JOB["dependency"][0]), ["heat_worker", {**JOB, "id": JOB["dependency"][0]}, 0])
        self.put_trace(1, p1=1000, p2=1250)
        rows = self.run_json("trace", "box", "b-1")
        self.assertIsNone(rows[2]["written"])
        self.assertEqual(f"create:heat_worker waits for {JOB['dependency'][0]}", rows[2]["says"])

    def test_points_of_an_earlier_version_do_not_count(self):
        self.put_box(version=2)
        self.put(PATH.record("heat_stacks"), {"stack_status": "CREATE_COMPLETE", "output": []})
        self.put_trace(1, p1=1000, p2=1250, p3=2000)
        rows = self.run_json("trace", "box", "b-1")
        self.assertEqual([None] * 7, [row["written"] for row in rows])
        self.assertIn("an earlier version", rows[2]["says"])

    def test_full_documents_hide_secrets(self):
        self.put_box(password="correct horse")
        self.put(keys.job(JOB["id"]), ["heat_worker", JOB, 0])
        for form in ("table", "json"):
            out, _ = self.run_command("trace", "--full", "box", "b-1", "-f", form)
            self.assertNotIn("correct horse", out)
            self.assertIn("***", out)

    def test_nothing_is_known(self):
        self.assertIn("nothing is known", self.run_command("trace", "box", "b-1", expected=1)[1])


class TestJobs(EsictlCase):
    def test_where_each_job_is(self):
        first = {**JOB, "id": "one", "dependency": []}
        for number, document in enumerate((first, {**JOB, "id": "two", "dependency": ["one", "gone"]})):
            self.put(keys.job(document["id"]), ["heat_worker", document, number])
        rows = self.run_json("jobs", "list")
        self.assertEqual(
            [("one", "ready", 0, []), ("two", "waits", 1, ["one"])],
            [(row["id"], row["state"], row["attempts"], row["waits_for"]) for row in rows],
        )
        self.put(keys.claim("one"), {"worker": "host-7", "lease": "1"})
        self.assertEqual("claimed", self.run_json("jobs", "list")[0]["state"])
        self.put(keys.failed("one"), {"message": "no room"})
        self.assertEqual("no room", self.run_json("jobs", "show", "one")["error"])
        self.assertEqual([], self.run_json("jobs", "list", "box", "other"))

    def test_show_hides_secrets(self):
        self.put(keys.job(JOB["id"]), ["heat_worker", JOB, 0])
        for form in ("table", "json", "yaml", "value"):
            out, _ = self.run_command("jobs", "show", JOB["id"], "-f", form)
            self.assertNotIn("correct horse", out)
            self.assertIn("***", out)

    def test_none(self):
        self.assertIn("no unfinished job", self.run_command("jobs", "list")[1])
        self.assertIn("there is no job x", self.run_command("jobs", "show", "x", expected=1)[1])


class TestTemplates(EsictlCase):
    def test_push_list_show(self):
        self.assertEqual("file", self.run_json("templates", "list")[0]["source"])
        self.assertEqual("box created (version 1)\n", self.run_command("templates", "push")[0])
        self.assertEqual("box unchanged (version 1)\n", self.run_command("templates", "push")[0])
        (self.folder / "templates" / "box" / "box.j2").write_text("heat_template_version: 2016-10-14\n")
        folder = str(self.folder / "templates")
        self.assertEqual("box changed (version 2)\n", self.run_command("templates", "push", folder)[0])
        listed = {"id": "box", "handler": "heat_worker", "source": "etcd", "version": 2}
        self.assertEqual([listed], self.run_json("templates", "list"))
        shown = self.run_json("templates", "show", "box")
        self.assertEqual("heat_template_version: 2016-10-14\n", shown["template"])
        self.assertEqual({"name": "Pname", "wire": "Fwire+wire_id:name"}, shown["parameter_mappings"])
        self.assertEqual("box", self.get(keys.heat_template("box"))["body"]["id"])

    def test_what_is_not_there(self):
        self.assertIn("no template 'nope'", self.run_command("templates", "show", "nope", expected=1)[1])
        self.run_command("templates", "push", "/nowhere", expected=2)


class TestPlan(EsictlCase):
    EVENTS = [
        {"key": "/config/v2.0/wires/w-1", "value": {"body": {"id": "w-1", "name": "red"}, "version": 1}},
        {
            "key": PATH.config,
            "value": {"body": '{"id": "b-1", "name": "first", "wire_id": "w-1"}', "version": 1},
        },
    ]

    def plan(self, events, expected=0, *options):
        (self.folder / "events.json").write_text(json.dumps(events), encoding="utf-8")
        return self.run_command(
            "plan", "--events", str(self.folder / "events.json"), *options, "-f", "json", expected=expected
        )

    def test_the_job_documents(self):
        (job,) = json.loads(self.plan(self.EVENTS)[0])
        self.assertEqual(["create", "box", 1], [job["action"], job["resource_type"], job["version"]])
        params = {each["param"]: each for each in job["params"]}
        self.assertEqual("red", params["wire"]["value"])
        self.assertEqual([{"resource_type": "wire", "resource_id": "w-1"}], params["wire"]["resources"])

    def test_another_catalog(self):
        catalog = self.folder / "other.yaml"
        catalog.write_text("relations: {box: {wire_id: wire}}\ntemplates: {heat_worker: {box: Cbox, wire: Cbox}}\n")
        out, err = self.plan(self.EVENTS, 1, "--catalog", str(catalog))
        self.assertEqual([], json.loads(out))
        first, second = err.splitlines()
        self.assertIn("'wire_id' of wire:w-1", first)
        self.assertIn("box:b-1 waits for wire:w-1", second)

    def test_what_can_be_planned_is_printed_all_the_same(self):
        out, err = self.plan([{"key": "/elsewhere", "value": {}}, *self.EVENTS], 1)
        self.assertEqual(1, len(json.loads(out)))
        self.assertEqual(1, len(err.splitlines()))

    def test_what_etcd_would_still_cause(self):
        for event in self.EVENTS:
            self.put(event["key"], event["value"])
        self.assertEqual(["box"], [job["resource_type"] for job in self.run_json("plan")])
        self.assertNotIn("first", self.run_command("plan")[0])

    def test_files_that_cannot_be_used(self):
        self.run_command("plan", "--events", "/nowhere.json", expected=2)
        self.plan({"key": "x"}, 2)
        self.run_command("plan", "--catalog", str(self.config), expected=2)


class TestCommandLine(EsictlCase):
    def test_etcd_does_not_answer(self):
        nobody = f"http://127.0.0.1:{etcd.free_port()}"
        _, err = self.run_command("--endpoints", nobody, "get", expected=1)
        self.assertEqual(1, len(err.splitlines()), err)
        self.assertNotIn("Traceback", err)

    def test_endpoints_of_the_environment(self):
        self.put_box(name="first")
        config = self.folder / "no-etcd.conf"
        config.write_text(self.config.read_text().replace(f"endpoints = {server.endpoint}", ""), encoding="utf-8")
        self.config = config
        with unittest.mock.patch.dict(os.environ, {"ESICTL_ENDPOINTS": f"http://127.0.0.1:1,{server.endpoint}"}):
            self.assertIn("first", self.run_command("get")[0])

    def test_endpoints_that_cannot_be_used(self):
        self.assertIn("http://HOST:PORT", self.run_command("--endpoints", "nonsense", "get", expected=2)[1])

    def test_a_config_file_that_is_not_there(self):
        self.run_command("--config-file", "/nowhere.conf", "get", expected=2)

    def test_no_command(self):
        with self.assertRaises(SystemExit) as raised:
            self.run_command()
        self.assertEqual(2, raised.exception.code)

    def test_an_unknown_command(self):
        self.run_command("gibberish", expected=2)

    def test_debug_shows_the_traceback(self):
        self.assertIn("Traceback", self.run_command("--debug", "get", "nope", expected=2)[1])
