"""Planning: a change, the cache and the catalog give jobs."""

import random
import unittest

from esi_worker import api
from esi_worker.pipeline import catalog
from esi_worker.pipeline import planner
from esi_worker.pipeline import workflow

TYPES = [
    api.ResourceType("network", "networks", templates={"heat_worker": "Cnetwork", "monitoring_worker": "Cwatch"}),
    api.ResourceType(
        "port",
        "ports",
        relations={"network_id": "network"},
        templates={
            "heat_worker": {
                "if_mapping": {"equal": [{"field": "owner"}, "dhcp"]},
                "then_mapping": {"constant": None},
                "else_mapping": {"constant": "port"},
            },
            "monitoring_worker": "Cport_watch",
        },
    ),
    api.ResourceType("quota", "quotas"),
]
TEMPLATES = {
    "network": api.Template("network", "heat_worker", "", {"name": "Pname"}),
    "watch": api.Template("watch", "monitoring_worker", "", {"name": "Pname"}),
    "port": api.Template("port", "heat_worker", "", {"network": "Mnetwork:network_id:id", "name": "Pname"}),
    "port_watch": api.Template(
        "port_watch", "monitoring_worker", "", {"of": {"field": "name", "path": ["network_id"]}, "name": "Pname"}
    ),
}
HANDLERS = {
    "heat_worker": workflow.Traits("heat_worker", 100, False, "heat_stacks"),
    "monitoring_worker": workflow.Traits("monitoring_worker", 200, True, "targets"),
}
NETWORK, OTHER, PORT = api.Ref("network", "n"), api.Ref("network", "m"), api.Ref("port", "p")


class PlannerTest(unittest.TestCase):
    def setUp(self):
        rules = planner.Rules(catalog.Catalog(TYPES), HANDLERS, {})
        self.planner = planner.Planner(rules, dict(TEMPLATES), random.Random(1))

    def change(self, ref, version=1, *, marked=False, adopt=True, claimed=(), **body):
        """Consume a change as the job manager does."""
        self.planner.resources[ref] = api.Resource(ref, body, version)
        plan = self.planner.plan(planner.Change(ref, version, body, marked), claimed)
        if plan is not None and adopt:
            self.planner.adopt(plan)
        return plan

    def finish(self, *jobs):
        for each in jobs:
            self.planner.unfinished.remove(each.id)


class CreateTest(PlannerTest):
    def test_each_job_waits_for_all_before_it(self):
        heat, watch = self.change(NETWORK, name="x").jobs
        self.assertEqual(("create", "heat_worker", (), True, False), facts(heat))
        self.assertEqual(("create", "monitoring_worker", (heat.id,), False, True), facts(watch))

    def test_a_job_id_tells_what_it_is_of(self):
        heat = self.change(NETWORK, name="x").jobs[0]
        self.assertRegex(heat.id, r"^create:heat_worker:network:n:1:[0-9a-z]{5}$")
        self.assertEqual("network:n:1", heat.job_name)

    def test_the_first_job_waits_for_what_the_workflow_uses(self):
        network = self.change(NETWORK, name="x").jobs[0]
        first = self.change(PORT, network_id="n").jobs[0]
        self.assertEqual((network.id,), first.dependency)

    def test_what_is_finished_is_not_waited_for(self):
        self.finish(*self.change(NETWORK, name="x").jobs)
        self.assertEqual((), self.change(PORT, network_id="n").jobs[0].dependency)

    def test_no_template_no_job(self):
        plan = self.change(api.Ref("quota", "q"))
        self.assertEqual((), plan.jobs)
        self.change(NETWORK, name="x")
        self.assertEqual(
            ["monitoring_worker"], [each.handler for each in self.change(PORT, owner="dhcp", network_id="n").jobs]
        )

    def test_a_missing_relative_is_waited_for_and_named(self):
        with self.assertRaisesRegex(api.Unresolved, "network:n"):
            self.change(PORT, network_id="n")

    def test_a_missing_template_is_waited_for_and_named(self):
        del self.planner.templates["network"]
        with self.assertRaisesRegex(api.Unresolved, "'network'"):
            self.change(NETWORK, name="x")

    def test_an_unknown_handler_is_named(self):
        types = [api.ResourceType("network", "networks", templates={"nobody": "Cx"})]
        self.planner.rules = planner.Rules(catalog.Catalog(types), HANDLERS, {})
        with self.assertRaisesRegex(api.PermanentError, "'nobody'"):
            self.change(NETWORK, name="x")

    def test_planning_changes_nothing(self):
        self.change(NETWORK, adopt=False, name="x")
        self.assertEqual(0, len(self.planner.unfinished))
        self.assertEqual({}, self.planner.recorded)


class ModifyTest(PlannerTest):
    def setUp(self):
        super().setUp()
        for ref, name in ((NETWORK, "old"), (OTHER, "new")):
            self.finish(*self.change(ref, name=name).jobs)
        self.finish(*self.change(PORT, network_id="n", name="one").jobs)

    def params(self, job):
        return {param.param: param for param in job.params}

    def test_values_are_new_and_resources_those_of_both(self):
        modify = self.change(PORT, 2, network_id="m", name="two").jobs[1]
        found = self.params(modify)
        self.assertEqual("two", found["name"].value)
        self.assertEqual("m", found["network"].value["resource_id"])
        self.assertEqual((OTHER, NETWORK), found["network"].resources)

    def test_what_goes_has_the_values_it_was_set_up_with(self):
        delete, _, create = self.change(PORT, 2, network_id="m", name="two").jobs
        self.assertEqual(("one", "old"), (self.params(delete)["name"].value, self.params(delete)["of"].value))
        self.assertEqual(("two", "new"), (self.params(create)["name"].value, self.params(create)["of"].value))
        self.assertEqual("two", delete.resource_input["name"])
        self.assertEqual(api.IGNORE, delete.on_failure)

    def test_the_same_version_again_is_nothing(self):
        self.assertIsNone(self.change(PORT, 1, network_id="n", name="one"))

    def test_a_lower_version_is_nothing(self):
        self.change(PORT, 3, network_id="n")
        self.assertIsNone(self.change(PORT, 2, network_id="n"))

    def test_a_burst_collapses_to_the_newest(self):
        for version in range(2, 6):
            last = self.change(PORT, version, network_id="n", name=f"v{version}")
        self.assertEqual({5}, {job.version for job in self.planner.unfinished})
        self.assertEqual((), last.jobs[0].dependency)
        self.assertEqual({4}, {job.version for job in last.drops})

    def test_what_runs_is_waited_for(self):
        running = self.change(PORT, 2, network_id="n").jobs[0]
        newer = self.change(PORT, 3, network_id="n", claimed={running.id})
        self.assertEqual((running.id,), newer.jobs[0].dependency)

    def test_a_modify_waits_for_the_jobs_that_use_the_resource(self):
        port = self.change(PORT, 2, network_id="n").jobs
        network = self.change(NETWORK, 2, name="newer").jobs[0]
        self.assertEqual({each.id for each in port}, set(network.dependency))

    def test_a_template_choice_that_falls_away_is_torn_down(self):
        jobs = self.change(PORT, 2, network_id="n", owner="dhcp").jobs
        self.assertEqual(
            ["delete:monitoring_worker", "logical_delete:heat_worker", "create:monitoring_worker"],
            [f"{each.action}:{each.handler}" for each in jobs],
        )


class DeleteTest(PlannerTest):
    def test_parent_and_child_in_either_order(self):
        for order in ((NETWORK, PORT), (PORT, NETWORK)):
            self.setUp()
            self.change(NETWORK, name="x")
            self.change(PORT, network_id="n")
            self.finish(*self.planner.unfinished)
            bodies = {NETWORK: {"name": "x"}, PORT: {"network_id": "n"}}
            plans = {ref: self.change(ref, 2, marked=True, **bodies[ref]) for ref in order}
            for plan in plans.values():
                self.assertEqual("logical_delete", plan.action)
            if order == (PORT, NETWORK):
                port = {each.id for each in plans[PORT].jobs}
                self.assertLessEqual(port, set(plans[NETWORK].jobs[0].dependency))

    def test_of_something_never_created(self):
        jobs = self.change(NETWORK, marked=True, name="x").jobs
        self.assertEqual(["delete", "logical_delete"], [each.action for each in jobs])

    def test_lost_relatives_and_templates_do_not_hold_it_up(self):
        jobs = self.change(PORT, marked=True, network_id="gone").jobs
        self.assertEqual([None], [param.value for param in jobs[1].params if param.param == "network"])
        del self.planner.templates["port"]
        self.assertTrue(self.change(PORT, 2, marked=True, network_id="gone").jobs)

    def test_while_the_create_runs(self):
        running = self.change(NETWORK, name="x").jobs[0]
        plan = self.change(NETWORK, 2, marked=True, claimed={running.id}, name="x")
        self.assertEqual((running.id,), plan.jobs[0].dependency)

    def test_created_again_afterwards(self):
        self.change(NETWORK, 2, marked=True, name="x")
        self.assertEqual("create", self.change(NETWORK, 1, name="x").action)


def facts(job):
    return (job.action, job.handler, job.dependency, job.is_first, job.is_last)
