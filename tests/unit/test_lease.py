"""A lease that is lost is lost for good."""

import threading
import unittest

from esi_worker import api
from esi_worker.pipeline import lease
from esi_worker.store import base
from esi_worker.store import memory


class Slow(memory.MemoryStore):
    """Renews only when it is let; the answer is a good one all the same."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def keep_alive(self, lease_id):
        self.asked.set()
        self.go_on.wait(10)
        return super().keep_alive(lease_id)


class LeaseTest(unittest.TestCase):
    def test_a_late_renewal_keeps_nothing_alive(self):
        store = Slow()
        self.addCleanup(store.go_on.set)
        held = lease.Lease(store, 1, "test")
        store.put("/claim", b"x", lease=held.id)
        held.verify()
        self.assertTrue(store.asked.wait(5))
        pause = threading.Event()
        while held.alive:
            pause.wait(0.01)
        store.go_on.set()
        held.close()
        self.assertFalse(held.alive)
        self.assertIsNone(store.get("/claim"))
        self.assertEqual(0, memory.MemoryStore.keep_alive(store, held.id))

    def test_who_holds_it_is_told_that_it_is_lost(self):
        store = memory.MemoryStore()
        lost = threading.Event()
        held = lease.Lease(store, 3, "test", lost.set)
        store.revoke(held.id)
        held.verify()
        self.assertTrue(lost.wait(5))
        self.assertFalse(held.alive)

    def test_closing_frees_what_hangs_on_it_and_tells_nobody(self):
        store = memory.MemoryStore()
        lost = threading.Event()
        held = lease.Lease(store, 3, "test", lost.set)
        store.put("/claim", b"x", lease=held.id)
        held.close()
        self.assertIsNone(store.get("/claim"))
        self.assertFalse(lost.is_set())

    def test_an_etcd_that_is_away_for_less_than_its_time_costs_nothing(self):
        class Away(memory.MemoryStore):
            refusals = 2

            def keep_alive(self, lease_id):
                if self.refusals:
                    self.refusals -= 1
                    raise api.StoreError("away")
                return super().keep_alive(lease_id)

        store = Away()
        held = lease.Lease(store, 3, "test")
        self.addCleanup(held.close)
        pause = threading.Event()
        while store.refusals:
            held.verify()
            pause.wait(0.01)
        self.assertTrue(held.alive)
        self.assertTrue(store.transact([base.absent("/x")], [base.Put("/x", b"", held.id)]).succeeded)
