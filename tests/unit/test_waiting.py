"""Who waits for a relative, and what ends the waiting: in the dry run, and in the job manager's own loop."""

import unittest

from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import dryrun
from esi_worker.pipeline import manager
from esi_worker.pipeline import planner
from esi_worker.pipeline import workflow
from esi_worker.store import codec
from esi_worker.store import keys
from tests.unit import test_manager

HANDLERS = {"heat_worker": workflow.Traits("heat_worker", 100, False, "heat_stacks")}
CATALOG = {
    "relations": {"box": {"room_id": "room", "next_id": "box"}, "room": {"house_id": "house"}},
    "templates": {"heat_worker": {"box": "Cbox"}},
}
HOUSE = {"field": "name", "path": ["room_id", "house_id"]}
NEXT = {"field": "name", "path": ["next_id"]}


def template(mapping):
    body = {"id": "box", "handler": "heat_worker", "template_file": "", "parameter_mappings": {"p": mapping}}
    return "heat_templates/box", 1, body


def box(name, version=1, **body):
    return f"boxes/{name}", version, body


def rules():
    return planner.Rules(catalogs.Catalog.from_document(CATALOG), HANDLERS, {})


class Cases:
    """What must hold for whoever plans: ``check`` takes resource -> the version it is planned by, and the events."""

    def test_a_relative_names_another_one_now(self):
        events = [template(HOUSE), ("rooms/r", 1, {"house_id": "far"}), box("b", room_id="r")]
        events += [("houses/near", 1, {"name": "n"}), ("rooms/r", 2, {"house_id": "near"})]
        self.check({"boxes/b": 1, "houses/near": 1, "rooms/r": 2}, events)

    def test_a_field_of_a_relative_was_empty(self):
        events = [template(HOUSE), ("houses/near", 1, {"name": "n"}), ("rooms/r", 1, {}), box("b", room_id="r")]
        events += [("rooms/r", 2, {"house_id": "near"})]
        self.check({"boxes/b": 1, "houses/near": 1, "rooms/r": 2}, events)

    def test_a_template_asks_for_less(self):
        self.check({"boxes/b": 1}, [template(HOUSE), box("b", room_id="none"), template("Proom_id")])

    def test_a_circle_of_three(self):
        events = [template(NEXT), box("c", next_id="a"), box("b", next_id="c"), box("a", next_id="b")]
        self.check({"boxes/a": 1, "boxes/b": 1, "boxes/c": 1}, events)

    def test_one_that_can_not_be_planned_at_all_is_no_obstacle(self):
        events = [template(NEXT), box("a", next_id="none"), box("b", next_id="a", size=1)]
        events += [template({"concatenate": [{"field": "size"}, {"field": "next_id"}]})]
        self.check({"boxes/b": 1}, events)

    def test_one_that_waited_is_removed(self):
        free = {"if_mapping": {"equal": [{"field": "free"}, "yes"]}, "then_mapping": "Pnext_id", "else_mapping": NEXT}
        events = [template(free), box("a", next_id="none"), box("b", next_id="a", free="yes")]
        self.check({"boxes/b": 1}, [*events, ("boxes/a", None, None)])

    def test_it_waits_for_one_that_waits(self):
        self.check({}, [template(NEXT), box("a", next_id="none"), box("b", next_id="a")])


class DryRunTest(Cases, unittest.TestCase):
    def check(self, wanted, events):
        documents = [
            {"key": f"{keys.CONFIG}v2.0/{path}", "value": body if body is None else {"body": body, "version": version}}
            for path, version, body in events
        ]
        jobs = dryrun.plan_events(rules(), documents, {}).jobs
        planned = {f"{job.resource_type}es/{job.resource_id}": job.version for job in jobs}
        self.assertEqual({path: version for path, version in wanted.items() if path.startswith("boxes/")}, planned)


class ManagerTest(Cases, test_manager.ManagerTest):
    def setUp(self):
        super().setUp()
        self.rules = rules()
        self.options = manager.Options(lease_ttl=3, relist_interval=300, patience=300)

    def check(self, wanted, events):
        self.start()
        self.wait(lambda: self.get(keys.LEADER), "a leader")
        for path, version, body in [*events, ("houses/last", 1, {})]:
            if body is None:
                self.store.delete(f"{keys.CONFIG}v2.0/{path}")
            else:
                self.config(f"v2.0/{path}", version, **body)
        self.wait(lambda: self.recorded().get("houses/last"), "the last event")
        self.assertEqual(wanted | {"houses/last": 1}, self.recorded())

    def recorded(self):
        """Resource -> the version it is planned by; what is refused is recorded, too, and left out here."""
        found = {}
        for entry in self.store.list(keys.RECORDED).entries:
            path = entry.key.removeprefix(keys.RECORDED)
            if not (self.get(keys.STATE + path) or {}).get("error"):
                found[path.removeprefix("v2.0/")] = codec.decode(entry.value)["version"]
        return found
