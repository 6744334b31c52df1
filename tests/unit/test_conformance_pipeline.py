"""The pipeline that authors step by hand: its way from /config to /state is the daemon's."""

import unittest

from esi_worker import api
from esi_worker.testing import context
from esi_worker.testing import pipeline
from tests.kit import handlers
from tests.kit import probes

ROOM = api.ResourceType("room", "rooms")
BOX = api.ResourceType("box", "boxes", relations={"room_id": "room"}, templates={"shelf": "Cbox"})
LAMP = api.ResourceType("lamp", "lamps", templates={"watcher": "Clamp"})
TEMPLATES = [
    api.Template("box", "shelf", "", {"content": "Pcontent", "room": {"field": "name", "path": ["room_id"]}}),
    api.Template("lamp", "watcher", "", {"number": "Pnumber"}),
]
FIRST = api.Ref("box", "first")
SECOND = api.Ref("box", "second")


class Watcher(api.Handler):
    """Waits until a lamp is on."""

    def apply(self, job, given):
        properties = {"type": "panel", "host": "192.0.2.1", "password": "open sesame", "lamp": given.params["number"]}
        target = given.monitor.parse("lamp", properties)
        reading = given.monitor.observe([target], 1)["lamp"]
        if reading.status == target.wanted_status:
            return api.Done({"lamp": given.monitor.published(target, reading)})
        if given.elapsed > target.timeout:
            raise api.PermanentError(f"the lamp is {reading.status or reading.error}")
        return api.Again(60)

    def remove(self, job, given):
        return api.Done()


class PipelineTest(unittest.TestCase):
    def setUp(self):
        self.shelf, self.panel = handlers.Shelf(), probes.Panel()
        self.handler = handlers.Good(context.settings(handlers.Good, "shelf"))
        self.handler.shelf = self.shelf
        probe = probes.Good(context.settings(probes.Good, "panel"))
        probe.panel = self.panel
        watcher = Watcher(context.settings(Watcher, "watcher"))
        self.arguments = {
            "types": [ROOM, BOX, LAMP],
            "handlers": {"shelf": self.handler, "watcher": watcher},
            "probes": {"panel": probe},
            "templates": TEMPLATES,
        }
        self.here = pipeline.Pipeline(**self.arguments)
        self.here.put(api.Ref("room", "r"), {"name": "cellar"})

    def test_from_config_to_state(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        self.assertGreater(self.here.run(), 1)
        self.assertEqual(
            self.here.state(FIRST),
            {"state": {"worker_state": "CREATE_COMPLETED", "content": "nails"}, "version": 1, "error": ""},
        )
        self.assertEqual(self.here.job_state(FIRST), {"content": "nails"})
        self.assertEqual(self.here.record("shelf", FIRST), {"box": "first"})
        self.assertEqual(self.here.state(api.Ref("room", "r"))["state"], {"worker_state": "READ_COMPLETE"})
        self.assertEqual(self.here.jobs(), [])

    def test_modify_delete_forget(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        self.here.run()
        self.assertEqual(self.here.put(FIRST, {"content": "screws", "room_id": "r"}), 2)
        self.here.run()
        self.assertEqual(self.here.state(FIRST)["state"]["worker_state"], "MODIFY_COMPLETED")
        self.assertEqual(self.shelf.boxes["first"]["content"], "screws")
        self.assertEqual(self.here.mark(FIRST), 3)
        self.here.run()
        self.assertEqual(self.here.state(FIRST)["state"]["worker_state"], "DELETE_COMPLETED")
        self.assertEqual(self.shelf.boxes, {})
        self.here.forget(FIRST)
        self.here.run()
        left = [entry.key for entry in self.here.store.list("/").entries if "first" in entry.key]
        self.assertEqual(left, [])

    def test_a_step_is_one_call(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        self.here.put(SECOND, {"content": "nuts", "room_id": "r"})
        called = [self.here.step() for _ in range(6)]
        self.assertEqual([each.split(":")[3] for each in called], ["first", "second"] * 3)
        self.assertIsNone(self.here.step())

    def test_restart_in_the_middle(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        self.here.step()
        self.here.restart()
        self.here.run()
        self.assertEqual(self.here.state(FIRST)["state"]["worker_state"], "CREATE_COMPLETED")
        self.assertEqual(self.shelf.boxes["first"]["orders"], 1)

    def test_missing_relative_arrives(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "later"})
        self.assertEqual(self.here.run(), 0)
        self.assertIsNone(self.here.state(FIRST))
        self.here.put(api.Ref("room", "later"), {"name": "attic"})
        self.here.run()
        self.assertEqual(self.here.state(FIRST)["state"]["worker_state"], "CREATE_COMPLETED")

    def test_missing_relative_is_told_when_patience_is_over(self):
        here = pipeline.Pipeline(**self.arguments, patience=0)
        here.put(FIRST, {"content": "nails", "room_id": "never"})
        here.run()
        self.assertEqual(here.state(FIRST)["state"]["worker_state"], "CREATE_FAILED")
        self.assertIn("room:never", here.state(FIRST)["error"])

    def test_attempts_are_used_up(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        with self.shelf.silent():
            self.assertEqual(self.here.run(), 10)
        self.assertEqual(self.here.state(FIRST)["error"], "the shelf does not answer")

    def test_time_passes_without_waiting(self):
        lamp = api.Ref("lamp", "l")
        self.here.put(lamp, {"number": 2})
        self.here.run()
        self.assertEqual(self.here.state(lamp)["error"], "the lamp is off")
        self.panel.lamps[2] = "on"
        self.here.put(lamp, {"number": 2})
        self.here.run()
        self.assertEqual(self.here.state(lamp)["state"]["lamp"], "ON")

    def test_limit(self):
        self.here.put(FIRST, {"content": "nails", "room_id": "r"})
        with self.assertRaisesRegex(AssertionError, "after 1 calls"):
            self.here.run(limit=1)


if __name__ == "__main__":
    unittest.main()
