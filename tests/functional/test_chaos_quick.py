"""A little of everything that can go wrong; ``make chaos`` has the rest of it."""

from __future__ import annotations

import os
import sys
import threading
import unittest

from esi_worker.store import keys
from esi_worker.testing import etcd
from esi_worker.testing import etcd_cluster
from esi_worker.testing import proxy
from tests.chaos import base
from tests.chaos import killpoints
from tests.chaos import mutants
from tests.chaos import world
from tests.functional import deployment

NETWORK = "v2.0/networks/net-x"
WITHOUT_QUORUM = 30 if os.environ.get("ESI_WORKER_CHAOS") else 5
"""Seconds."""

POINTS = (
    killpoints.Point(killpoints.ALL, 14, proxy.AFTER),
    killpoints.Point(killpoints.ALL, 22, proxy.BEFORE),
    killpoints.Point(killpoints.ALL, 31, proxy.AFTER),
    killpoints.Point("worker", 10, proxy.AFTER),
    killpoints.Point("job_manager", 9, proxy.AFTER),
)


class KillPointsTest(unittest.TestCase):
    """Some of the points at which a process may be killed."""

    def test_nothing_is_lost_and_nothing_is_done_twice(self):
        deployed = deployment.Deployment(options=killpoints.OPTIONS)
        self.addCleanup(deployed.close)
        run = killpoints.Run(deployed.start())
        self.addCleanup(run.close)
        outcomes = [run.point(point) for point in POINTS]
        recovery = max(each.recovery for each in outcomes)
        sys.stdout.write(f"\nkill points: {len(outcomes)} tried, longest recovery {recovery:.1f} s\n")
        self.assertEqual([], [f"{each.point}: {text}" for each in outcomes for text in each.violations])
        self.assertTrue(all(each.reached for each in outcomes[:3]), "too few requests: these points prove nothing")


class EtcdTroubleTest(base.InvariantsTest):
    """etcd goes away in several ways and comes back: the daemon says so, waits, and carries on by itself."""

    def trouble(self, daemon, *words):
        """The daemon said what is wrong, and runs on."""
        self.check()
        self.assertIsNone(daemon.process.poll())
        for word in words:
            self.assertIn(word, daemon.log)

    def working(self, endpoint=""):
        """A daemon in the middle of its work: a stack is held."""
        daemon = self.deployed.daemon("daemon", endpoint)
        self.deployed.heat.stacks.hold(world.stack_name(NETWORK))
        self.gohan.create(*world.small("x"))
        self.wait_claim("network")
        return daemon

    def go_on(self):
        self.deployed.heat.stacks.release(world.stack_name(NETWORK))

    def test_restarted_again_and_again(self):
        self.begin()
        daemon = self.working()
        for number in range(3):
            self.deployed.etcd.kill()
            self.deployed.etcd.start()
            self.gohan.modify(NETWORK, name=f"name-{number}")
        self.go_on()
        self.trouble(daemon, "etcd")

    def test_compacted_while_nobody_could_watch(self):
        self.begin()
        between = self.gate()
        daemon = self.working(between.endpoint)
        between.refuse()
        self.gohan.modify(NETWORK, name="changed")
        self.gohan.create(*world.small("y"))
        self.deployed.etcd.admin.compact(self.deployed.store.list("/no-such-prefix").revision)
        between.accept()
        self.go_on()
        self.gohan.settle()
        # The history before the compaction is gone: what is at rest can still be checked.
        self.assertEqual(2, self.deployed.state(NETWORK)["version"])
        self.assertIsNone(daemon.process.poll())

    def test_connections_cut_again_and_again(self):
        self.begin()
        between = self.gate()
        daemon = self.working(between.endpoint)
        for number in range(10):
            between.cut()
            self.gohan.modify(NETWORK, name=f"name-{number}")
        self.go_on()
        self.trouble(daemon)

    def test_watches_that_are_mute(self):
        self.begin()
        between = self.gate()
        daemon = self.working(between.endpoint)
        between.mute()
        self.gohan.modify(NETWORK, name="changed")
        self.go_on()
        self.trouble(daemon)

    def test_answers_that_come_late_and_in_pieces(self):
        self.begin()
        between = self.gate()
        between.delay, between.piece = 0.01, 700
        daemon = self.working(between.endpoint)
        self.go_on()
        self.trouble(daemon)

    def test_users_whose_tokens_are_forgotten(self):
        server = etcd.EtcdServer(fsync=False, root_password="root-password")
        self.begin(options={"etcd": {"username": "root", "password": "root-password"}}, server=server)
        daemon = self.working()
        self.deployed.etcd.restart()
        self.gohan.modify(NETWORK, name="changed")
        self.go_on()
        self.trouble(daemon)

    def test_users_whose_tokens_expire(self):
        server = etcd.EtcdServer(fsync=False, root_password="root-password", options=("--auth-token-ttl=1",))
        self.begin(options={"etcd": {"username": "root", "password": "root-password"}}, server=server)
        between = self.gate()
        daemon = self.working(between.endpoint)
        self.expired(between, "while a stack is being created")
        self.renewed(between, self.go_on)
        self.expired(between, "while there is nothing to do")
        self.renewed(between, lambda: self.gohan.modify(NETWORK, name="changed"))
        self.expired(between, "before everything that follows etcd begins anew")
        self.renewed(between, between.cut)
        self.gohan.modify(NETWORK, name="changed again")
        self.trouble(daemon)
        self.assertEqual(3, self.deployed.state(NETWORK)["version"])

    def expired(self, between, when):
        """Wait until the daemon's token was not used for three seconds.

        etcd asks for none where a lease is renewed.  Each of three leases is renewed once a second: of ten renewals in
        a row four are of the same lease.
        """
        self.deployed.wait(lambda: set(between.log[-10:]) == {"/v3/lease/keepalive"}, f"no use of the token {when}")

    def renewed(self, between, act):
        """Act, and wait until everything is at rest: it took another token."""
        before = between.log.count("/v3/auth/authenticate")
        act()
        self.deployed.wait(lambda: between.log.count("/v3/auth/authenticate") > before, "another token")
        self.check()

    def test_no_space_left(self):
        self.begin(server=etcd.EtcdServer(fsync=False, quota_backend_bytes=2 * 1024 * 1024))
        daemon = self.working()
        with self.assertRaises(Exception, msg="the quota was never used up"):
            for number in range(100):
                self.deployed.store.put(f"/ballast/{number}", b"x" * 100_000)
        self.go_on()
        self.deployed.wait(lambda: "NOSPACE" in daemon.log, "the daemon to say so")
        admin = self.deployed.etcd.admin
        for number in range(100):
            self.deployed.store.delete(f"/ballast/{number}")
        self.checker.feed(self.deployed.history())
        admin.compact(self.deployed.store.list("/no-such-prefix").revision)
        admin.post("maintenance/defragment", {})
        for alarm in admin.post("maintenance/alarm", {"action": "GET"})["alarms"]:
            admin.post("maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
        self.trouble(daemon, "NOSPACE")

    def test_a_member_is_killed_and_the_leader_stands_still(self):
        self.begin(cluster=etcd_cluster.EtcdCluster(fsync=False))
        daemon = self.working()
        cluster = self.deployed.cluster
        follower = next(each for each in cluster.members if each is not cluster.leader())
        follower.kill()
        self.gohan.modify(NETWORK, name="second")
        follower.start()
        leader = cluster.leader()
        leader.pause()
        self.go_on()
        self.gohan.settle()
        leader.resume()
        self.trouble(daemon)

    def test_no_quorum_for_a_while(self):
        self.begin(options={"etcd": {"timeout": 2}}, cluster=etcd_cluster.EtcdCluster(fsync=False))
        daemon = self.working()
        lost = self.deployed.cluster.members[1:]
        for each in lost:
            each.pause()
        # How long the fault lasts, longer than the leases do; nothing is to happen meanwhile.
        threading.Event().wait(WITHOUT_QUORUM)
        self.assertIn("was not renewed", daemon.log)
        for each in lost:
            each.resume()
        self.go_on()
        self.gohan.modify(NETWORK, name="changed")
        self.trouble(daemon)


class MutantsTest(unittest.TestCase):
    """``make chaos`` runs them; here it shows when one has lost the line that it changes."""

    def test_each_still_applies(self):
        for mutant in mutants.MUTANTS:
            with self.subTest(mutant.name):
                self.assertEqual(1, mutants.sound(mutant).count(mutant.old))


class RaceTest(base.InvariantsTest):
    """Two workers want the same jobs."""

    def test_a_lost_race_does_not_make_a_worker_ask_without_pause(self):
        self.begin()
        counting = [self.gate(), self.gate()]
        self.deployed.daemon("manager", DEFAULT={"roles": "job_manager"})
        for number, each in enumerate(counting):
            self.deployed.daemon(f"worker-{number}", each.endpoint, DEFAULT={"roles": "worker"})
        for each in counting:
            self.deployed.wait(lambda each=each: "/v3/watch" in each.log, "the worker to watch")
        small = [each for number in range(8) for each in world.small(f"x{number}")[:1]]
        for each in small:
            self.deployed.heat.stacks.hold(world.stack_name(each.path))
        self.gohan.create(*small)
        self.deployed.wait(lambda: len(self.deployed.store.list(keys.CLAIMS).entries) == len(small), "all claimed")
        before = [each.log.count("/v3/kv/txn") for each in counting]
        # Each worker's lease is renewed every second or so: after some of that there was time enough to ask.
        renewals = [each.log.count("/v3/lease/keepalive") for each in counting]
        for each, so_far in zip(counting, renewals, strict=True):
            self.deployed.wait(lambda each=each, n=so_far: each.log.count("/v3/lease/keepalive") > n + 1, "renewals")
        asked = [each.log.count("/v3/kv/txn") - so_far for each, so_far in zip(counting, before, strict=True)]
        self.assertLess(max(asked), 20, "transactions while all jobs are claimed and wait")
        for each in small:
            self.deployed.heat.stacks.release(world.stack_name(each.path))
        self.check()
