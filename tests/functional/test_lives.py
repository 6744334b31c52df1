"""Whole lives of resources on a real etcd, with daemons as processes; after each the invariants are checked."""

from __future__ import annotations

import signal
import time

from esi_worker.store import codec
from esi_worker.store import keys
from tests.chaos import base
from tests.chaos import world

NETWORK = "v2.0/networks/net-x"
SUBNET = "v2.0/subnets/sub-x"
PORT = "v2.0/ports/port-a-x"
GATEWAY = "v2.0/common_function_gateways/gw-x"


def paths(resources):
    return [each.path for each in resources]


class GatewayLifeTest(base.InvariantsTest):
    """A gateway and all that it stands on."""

    def test_created_modified_twice_and_deleted_it_leaves_nothing(self):
        self.begin(world.routers())
        self.gohan.templates()
        self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        self.deployed.wait(lambda: self.deployed.store.list(keys.COLLECTORS).entries, "a collector")
        before = self.keys()
        resources = world.gateway("x")
        self.gohan.create(*resources)
        self.check()
        self.assertEqual("CREATE_COMPLETED", self.deployed.state(GATEWAY)["state"]["worker_state"])
        self.deployed.wait(lambda: self.deployed.get(keys.MONITORING + GATEWAY), "point 7")
        for description in ("second", "third"):
            version = self.gohan.modify(GATEWAY, description=description)
            self.deployed.wait_state(GATEWAY, version)
            self.check()
        self.gohan.mark(*reversed(paths(resources)))
        self.check()
        self.assertEqual(before, self.keys())
        self.assertEqual([], self.deployed.heat.stacks.all())
        for router in self.deployed.routers.values():
            self.assertNotIn("vrf_x", router.engine.configuration())


class LifeTest(base.InvariantsTest):
    """Small lives, one daemon."""

    def setUp(self):
        super().setUp()
        self.begin()
        self.small = world.small("x")
        self.names = {each: world.stack_name(each) for each in paths(self.small)}

    def start(self):
        self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")

    def created(self):
        self.start()
        self.gohan.create(*self.small)
        self.check()

    def last_record(self, path, record="heat_stacks"):
        return [c.revision for c in self.deployed.history() if c.key == f"/esi-worker/{record}/{path}" and c.value][-1]

    def test_each_of_several_modifies_gets_its_own_state(self):
        self.created()
        for number in range(3):
            version = self.gohan.modify(PORT, name=f"name-{number}")
            self.deployed.wait_state(PORT, version)
        self.check()
        wanted = [1, 2, 3, 4]
        told = [c.value["version"] for c in self.deployed.history() if c.key == keys.STATE + PORT and c.value]
        self.assertEqual(wanted, told)

    def test_versions_that_come_in_a_burst_collapse_into_the_newest(self):
        self.start()
        self.deployed.heat.stacks.hold(self.names[PORT])
        self.gohan.create(*self.small)
        self.wait_claim("port-a-x")
        for number in range(4):
            self.gohan.modify(PORT, name=f"name-{number}")
        newest = keys.RECORDED + PORT
        self.deployed.wait(lambda: self.deployed.get(newest)["version"] == 5, "version 5 planned")
        self.deployed.heat.stacks.release(self.names[PORT])
        self.check()
        self.assertEqual(
            [
                "create:heat_worker:1",
                "delete:monitoring_worker:5",
                "modify:heat_worker:5",
                "create:monitoring_worker:5",
            ],
            self.jobs_done(PORT),
        )
        self.assertEqual(5, self.deployed.state(PORT)["version"])

    def test_a_deletion_while_the_create_runs(self):
        self.start()
        self.deployed.heat.stacks.hold(self.names[PORT])
        self.gohan.create(*self.small)
        self.wait_claim("create:heat_worker:port:port-a-x")
        self.gohan.mark(PORT)
        self.deployed.wait(lambda: self.deployed.get(keys.RECORDED + PORT)["deleted"], "the deletion planned")
        self.deployed.heat.stacks.release(self.names[PORT])
        self.check()
        self.assertIsNone(self.deployed.heat.stacks.get("tenant-x", self.names[PORT]))

    def test_a_deletion_while_the_create_fails_is_done_once(self):
        self.start()
        self.deployed.heat.stacks.fail(self.names[NETWORK], "no more networks")
        self.deployed.heat.stacks.hold(self.names[NETWORK])
        self.gohan.create(self.small[0])
        self.wait_claim("create:heat_worker:network")
        self.gohan.mark(NETWORK)
        self.deployed.wait(lambda: self.deployed.get(keys.RECORDED + NETWORK)["deleted"], "the deletion planned")
        self.deployed.heat.stacks.release(self.names[NETWORK])
        self.check()
        self.assertEqual(1, self.jobs_done(NETWORK).count("logical_delete:heat_worker:2"))

    def test_a_deletion_before_the_create_was_begun(self):
        self.start()
        self.deployed.heat.stacks.hold(self.names[NETWORK])
        self.gohan.create(*self.small)
        self.wait_claim("create:heat_worker:network")
        self.gohan.mark(PORT)
        self.deployed.wait(lambda: (self.deployed.get(keys.RECORDED + PORT) or {}).get("deleted"), "it planned")
        self.deployed.heat.stacks.release(self.names[NETWORK])
        self.check()
        self.assertEqual(0, self.stacks_made(PORT))

    def test_a_deletion_of_what_was_never_created(self):
        self.start()
        port = self.small[2]
        self.gohan.versions[PORT], self.gohan.bodies[PORT] = 0, port.body
        self.gohan.mark(PORT)
        self.check()
        self.assertEqual([], self.deployed.heat.stacks.all())

    def test_marked_in_one_moment_children_first(self):
        self.created()
        self.gohan.mark_at_once(*reversed(paths(self.small)))
        self.check()
        self.assertLess(self.last_record(PORT), self.last_record(SUBNET))
        self.assertLess(self.last_record(SUBNET), self.last_record(NETWORK))

    def test_marked_in_one_moment_parents_first(self):
        self.created()
        self.gohan.mark_at_once(*paths(self.small))
        self.check()
        self.assertEqual([], self.deployed.heat.stacks.all())

    def test_a_config_document_that_vanishes_is_taken_down(self):
        self.created()
        self.gohan.vanish(PORT)
        self.check()
        self.assertIsNone(self.deployed.heat.stacks.get("tenant-x", self.names[PORT]))
        self.assertEqual([], [key for key in self.keys() if "port-a-x" in key])

    def test_a_config_document_that_vanishes_while_the_create_runs_is_taken_down(self):
        self.start()
        self.deployed.heat.stacks.hold(self.names[PORT])
        self.gohan.create(*self.small)
        self.wait_claim("create:heat_worker:port:port-a-x")
        self.gohan.vanish(PORT)
        self.deployed.wait(lambda: self.deployed.get(keys.RECORDED + PORT)["deleted"], "the deletion planned")
        self.deployed.heat.stacks.release(self.names[PORT])
        self.check()
        self.assertIsNone(self.deployed.heat.stacks.get("tenant-x", self.names[PORT]))
        self.assertEqual([], [key for key in self.keys() if "port-a-x" in key])

    def test_created_again_under_the_same_id_right_after_it_vanished(self):
        self.created()
        port = next(each for each in self.small if each.path == PORT)
        self.gohan.vanish(PORT)
        self.gohan.create(port)
        # The stack is made again, or, where its deletion had not begun, kept: what is wanted is there in either case.
        written = self.deployed.store.get(keys.CONFIG + PORT).mod_revision
        self.deployed.wait(lambda: self.recorded_after(written), "a new life")
        self.check()
        self.assertIsNotNone(self.deployed.heat.stacks.get("tenant-x", self.names[PORT]))

    def recorded_after(self, revision):
        entry = self.deployed.store.get(keys.RECORDED + PORT)
        return entry and entry.mod_revision > revision and not codec.decode(entry.value)["deleted"]

    def test_a_failure_cancels_what_depends_on_it_and_each_is_told_why(self):
        self.start()
        self.deployed.heat.stacks.fail(self.names[NETWORK], "no more networks")
        self.deployed.heat.stacks.hold(self.names[NETWORK])
        self.gohan.create(*self.small)
        for path in paths(self.small):
            self.deployed.wait(lambda path=path: self.deployed.get(keys.RECORDED + path), f"{path} planned")
        self.deployed.heat.stacks.release(self.names[NETWORK])
        self.check()
        self.assertIn("no more networks", self.deployed.state(NETWORK)["error"])
        for path in paths(self.small)[1:]:
            state = self.deployed.state(path)
            self.assertEqual("CREATE_FAILED", state["state"]["worker_state"], path)
            self.assertRegex(state["error"], "create:heat_worker:network:net-x:1:.*no more networks", path)
            self.assertEqual(0, self.stacks_made(path), path)

    def test_a_version_that_is_refused_is_told_after_the_older_one_that_runs(self):
        self.start()
        self.deployed.heat.stacks.hold(self.names[NETWORK])
        self.gohan.create(self.small[0])
        self.wait_claim("network")
        self.gohan.versions[NETWORK] = 2
        self.deployed.put(NETWORK, "{oops", 2)
        # What was put later is planned later: then the refusal was decided too.
        self.gohan.create(world.Resource("v2.0/quotas/q", {"id": "q"}))
        self.deployed.wait_state("v2.0/quotas/q")
        self.deployed.heat.stacks.release(self.names[NETWORK])
        self.check()
        self.assertIn("not JSON", self.deployed.state(NETWORK)["error"])

    def test_a_failed_create_is_mended_by_the_next_version(self):
        self.start()
        self.deployed.heat.stacks.fail(self.names[NETWORK], "no more networks")
        self.gohan.create(self.small[0])
        self.check()
        self.gohan.modify(NETWORK, name="other")
        self.check()
        self.assertEqual("", self.deployed.state(NETWORK)["error"])

    def test_what_changed_while_everything_was_down(self):
        daemon = self.deployed.daemon()
        self.gohan.create(*self.small)
        self.check()
        self.assertEqual(0, daemon.stop())
        vanishing, marked = "v2.0/ports/port-b-x", PORT
        self.gohan.modify(NETWORK, name="changed")
        self.gohan.vanish(vanishing)
        self.gohan.mark(marked)
        self.gohan.create(*world.small("y"))
        self.deployed.daemon()
        self.check()
        self.assertEqual(2, self.deployed.state(NETWORK)["version"])
        self.assertEqual([], [k for k in self.keys() if "port-a-x" in k or "port-b-x" in k])

    def test_unchanged_resources_cost_no_write_after_a_restart(self):
        daemon = self.deployed.daemon()
        self.gohan.create(*self.small)
        self.check()
        daemon.stop()
        revision = self.deployed.store.list("/no-such-prefix").revision
        self.deployed.daemon()
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        # What comes after the start is planned after it: when it is done, the rest was looked at.
        self.gohan.create(world.Resource("v2.0/quotas/q", {"id": "q"}))
        self.check()
        written = {c.key for c in self.deployed.history(revision + 1) if "net-x" in c.key or "-x" in c.key}
        self.assertEqual(set(), written)


class TakeOverTest(base.InvariantsTest):
    """Several daemons; one of them is killed, stopped, or told to end."""

    def setUp(self):
        super().setUp()
        self.begin()
        self.small = world.small("x")
        self.name = world.stack_name(NETWORK)
        self.deployed.heat.stacks.hold(self.name)

    def test_a_job_manager_takes_over_in_the_middle_of_workflows(self):
        first = self.deployed.daemon("first", DEFAULT={"roles": "job_manager"})
        self.deployed.daemon("worker", DEFAULT={"roles": "worker"})
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        self.deployed.daemon("second", DEFAULT={"roles": "job_manager"})
        self.gohan.create(*self.small)
        self.wait_claim("network")
        first.kill()
        self.gohan.modify(PORT, name="changed while nobody led")
        self.deployed.heat.stacks.release(self.name)
        self.check()

    def test_a_worker_takes_over_a_stack_that_another_one_began(self):
        first = self.deployed.daemon("first")
        self.gohan.create(*self.small)
        claim = self.wait_claim("network")
        self.deployed.wait(lambda: self.stacks_made(NETWORK), "the stack begun")
        self.deployed.daemon("second")
        claimed = self.deployed.store.get(claim)
        first.kill()
        self.deployed.wait(lambda: self.claimed_anew(claimed), "the job claimed by the second one")
        self.deployed.heat.stacks.release(self.name)
        self.check()
        self.assertEqual(1, self.stacks_made(NETWORK))

    def claimed_anew(self, claimed):
        entry = self.deployed.store.get(claimed.key)
        return entry is not None and entry.create_revision != claimed.create_revision

    def test_sigterm_gives_jobs_back_at_once(self):
        first = self.deployed.daemon("first")
        self.gohan.create(*self.small)
        claim = self.wait_claim("network")
        self.deployed.wait(lambda: self.stacks_made(NETWORK), "the stack begun")
        began = time.monotonic()
        self.assertEqual(0, first.stop())
        self.assertLess(time.monotonic() - began, 15)
        self.assertIsNone(self.deployed.get(claim))
        self.assertIsNone(self.deployed.get(keys.LEADER))
        self.assertEqual([], self.deployed.etcd.admin.post("lease/leases", {}).get("leases", []))
        self.deployed.heat.stacks.release(self.name)
        self.deployed.daemon("second")
        self.check()
        self.assertEqual(1, self.stacks_made(NETWORK))

    def test_sigterm_ends_within_its_bound_though_heat_hangs(self):
        first = self.deployed.daemon("first", worker={"drain_timeout": 2})
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        self.deployed.heat.faults.add("hang", times=20)
        self.gohan.create(*self.small)
        self.wait_claim("network")
        self.deployed.wait(lambda: self.deployed.heat.faults.left < 20, "Heat to hang")
        began = time.monotonic()
        self.assertEqual(0, first.stop())
        self.assertLess(time.monotonic() - began, 12)
        self.deployed.heat.faults.clear()
        self.deployed.heat.stacks.release(self.name)
        self.deployed.daemon("second")
        self.check()


class StaleTest(base.InvariantsTest):
    """A process that stood still past its lease: what it still writes is tried, and refused."""

    def setUp(self):
        super().setUp()
        self.begin()
        self.between = self.gate()
        self.network = world.small("x")[0]

    def test_a_worker_cannot_finish_what_another_one_has_taken(self):
        self.deployed.daemon("manager", DEFAULT={"roles": "job_manager"})
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        stale = self.deployed.daemon("stale", self.between.endpoint, DEFAULT={"roles": "worker"})
        self.between.hold(f"/esi-worker/heat_stacks/{NETWORK}", f"{keys.JOB_STATE}{NETWORK}", f"{keys.TRACE}{NETWORK}")
        self.deployed.heat.stacks.hold(world.stack_name(NETWORK))
        self.gohan.create(self.network)
        claim = self.wait_claim("create:heat_worker")
        # The claim's own transaction names these keys too; it is through, so the next one is the finish.
        self.between.release()
        self.between.hold(f"/esi-worker/heat_stacks/{NETWORK}", f"{keys.JOB_STATE}{NETWORK}", f"{keys.TRACE}{NETWORK}")
        self.deployed.heat.stacks.release(world.stack_name(NETWORK))
        self.assertTrue(self.between.held.wait(30), "the finish did not come")
        stale.process.send_signal(signal.SIGSTOP)
        self.addCleanup(stale.process.send_signal, signal.SIGCONT)
        self.deployed.wait(lambda: self.deployed.get(claim) is None, "the lease over")
        self.deployed.daemon("fresh", DEFAULT={"roles": "worker"})
        self.check()
        before = self.keys()
        tried = self.between.requests
        self.between.release()
        self.deployed.wait(lambda: self.between.requests > tried, "the stale write tried")
        stale.process.send_signal(signal.SIGCONT)
        self.deployed.wait(lambda: "claim is gone" in stale.log or "was lost" in stale.log, "the stale worker told")
        self.check()
        self.assertEqual(before, self.keys())

    def test_a_daemon_that_stood_still_past_its_leases_works_on(self):
        daemon = self.deployed.daemon()
        self.deployed.heat.stacks.hold(world.stack_name(NETWORK))
        self.gohan.create(self.network)
        claim = self.wait_claim("create:heat_worker")
        daemon.process.send_signal(signal.SIGSTOP)
        self.addCleanup(daemon.process.send_signal, signal.SIGCONT)
        self.deployed.wait(lambda: self.deployed.store.get(claim) is None, "the claim's lease over")
        self.deployed.wait(lambda: self.deployed.store.get(keys.LEADER) is None, "the leader's lease over")
        daemon.process.send_signal(signal.SIGCONT)
        self.deployed.heat.stacks.release(world.stack_name(NETWORK))
        self.check()
        self.assertEqual(1, self.stacks_made(NETWORK))

    def test_a_job_manager_that_leads_no_more_cannot_plan(self):
        stale = self.deployed.daemon("stale", self.between.endpoint, DEFAULT={"roles": "job_manager"})
        self.deployed.daemon("worker", DEFAULT={"roles": "worker"})
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER), "a leader")
        self.between.hold(keys.RECORDED + NETWORK)
        self.gohan.create(self.network)
        self.assertTrue(self.between.held.wait(30), "nothing was planned")
        stale.process.send_signal(signal.SIGSTOP)
        self.addCleanup(stale.process.send_signal, signal.SIGCONT)
        self.deployed.wait(lambda: self.deployed.get(keys.LEADER) is None, "the lease over")
        # While nobody leads: once somebody has planned, what is recorded would be another reason to refuse it.
        tried = self.between.requests
        self.between.release()
        self.deployed.wait(lambda: self.between.requests > tried, "the stale write tried")
        self.deployed.daemon("fresh", DEFAULT={"roles": "job_manager"})
        self.check()
        stale.process.send_signal(signal.SIGCONT)
        self.deployed.wait(lambda: "leads no more" in stale.log or "is lost" in stale.log, "the stale manager told")
        self.check()
