"""The chains of the design's table, and a third party's place in them."""

import unittest

from esi_worker import api
from esi_worker.pipeline import workflow

HANDLERS = {
    "heat_worker": workflow.Traits("heat_worker", 100, False, "heat_stacks"),
    "monitoring_worker": workflow.Traits("monitoring_worker", 200, True, "targets"),
    "dns": workflow.Traits("dns", 150, False, "dns"),
}
HEAT, WATCH, BOTH = ["heat_worker"], ["monitoring_worker"], ["monitoring_worker", "heat_worker"]


def chain(action, now, before=()):
    return [
        f"{step.action}:{step.handler}" + (":ignore" if step.on_failure == api.IGNORE else "")
        for step in workflow.steps(action, now, before, HANDLERS)
    ]


class TableTest(unittest.TestCase):
    def test_create(self):
        self.assertEqual(["create:heat_worker", "create:monitoring_worker"], chain("create", BOTH))
        self.assertEqual(["create:heat_worker"], chain("create", HEAT))
        self.assertEqual(["create:monitoring_worker"], chain("create", WATCH))

    def test_modify(self):
        self.assertEqual(
            ["delete:monitoring_worker:ignore", "modify:heat_worker", "create:monitoring_worker"],
            chain("modify", BOTH, BOTH),
        )
        self.assertEqual(["modify:heat_worker"], chain("modify", HEAT, HEAT))
        self.assertEqual(["delete:monitoring_worker:ignore", "create:monitoring_worker"], chain("modify", WATCH, WATCH))

    def test_logical_delete(self):
        self.assertEqual(
            ["delete:monitoring_worker:ignore", "logical_delete:heat_worker"], chain("logical_delete", BOTH, BOTH)
        )
        self.assertEqual(["logical_delete:heat_worker"], chain("logical_delete", HEAT, HEAT))
        self.assertEqual(["delete:monitoring_worker"], chain("logical_delete", WATCH, WATCH))

    def test_nothing_to_do(self):
        self.assertEqual([], chain("create", []))
        self.assertEqual([], chain("logical_delete", [], []))


class BeyondTheTableTest(unittest.TestCase):
    def test_a_third_party_takes_the_place_of_its_order(self):
        every = ["dns", *BOTH]
        self.assertEqual(["create:heat_worker", "create:dns", "create:monitoring_worker"], chain("create", every))
        self.assertEqual(
            ["delete:monitoring_worker:ignore", "logical_delete:dns", "logical_delete:heat_worker"],
            chain("logical_delete", every, every),
        )

    def test_a_handler_that_is_needed_no_more_is_torn_down(self):
        self.assertEqual(["delete:monitoring_worker:ignore", "logical_delete:heat_worker"], chain("modify", [], BOTH))

    def test_a_handler_that_is_new_brings_its_part_about(self):
        self.assertEqual(
            ["delete:monitoring_worker:ignore", "modify:heat_worker", "create:monitoring_worker"],
            chain("modify", BOTH, HEAT),
        )

    def test_what_is_torn_down_in_a_modify_has_the_values_it_was_set_up_with(self):
        steps = workflow.steps("modify", BOTH, BOTH, HANDLERS)
        self.assertEqual([True, False, False], [step.previous for step in steps])
