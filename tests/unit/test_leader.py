"""One leads, and every other one knows that it doesn't."""

import threading
import unittest

from esi_worker import api
from esi_worker.pipeline import leader
from esi_worker.store import base
from esi_worker.store import keys
from esi_worker.store import memory


class LostAnswer(memory.MemoryStore):
    """Applies the first transaction and loses the answer."""

    lost = False

    def transact(self, compares, success, failure=()):
        outcome = super().transact(compares, success, failure)
        if not self.lost:
            self.lost = True
            raise api.StoreError("no answer", unknown=True)
        return outcome


class LeaderTest(unittest.TestCase):
    def setUp(self):
        self.store = memory.MemoryStore()
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)

    def campaign(self, name, store=None):
        found = leader.campaign(store or self.store, name, 3, self.stop)
        self.assertIsNotNone(found)
        return found

    def test_the_fence_holds_until_somebody_else_leads(self):
        first = self.campaign("first")
        key = "/written"
        self.assertTrue(self.store.transact([first.fence], [base.Put(key, b"1")]).succeeded)
        first.resign()
        second = self.campaign("second")
        self.addCleanup(second.resign)
        self.assertFalse(self.store.transact([first.fence], [base.Put(key, b"stale")]).succeeded)
        self.assertTrue(self.store.transact([second.fence], [base.Put(key, b"2")]).succeeded)

    def test_a_second_one_stands_by_until_the_first_resigns(self):
        first = self.campaign("first")
        won = []
        thread = threading.Thread(target=lambda: won.append(self.campaign("second")), daemon=True)
        thread.start()
        self.assertEqual([], won)
        first.resign()
        thread.join(10)
        self.assertEqual(1, len(won))
        won[0].resign()

    def test_a_lost_answer_is_followed_by_a_look(self):
        store = LostAnswer()
        found = self.campaign("first", store)
        self.addCleanup(found.resign)
        self.assertEqual(found.fence, base.created_at(keys.LEADER, store.get(keys.LEADER).create_revision))

    def test_the_loss_of_the_lease_is_told(self):
        found = self.campaign("first")
        self.store.revoke(found.lease.id)
        self.assertTrue(found.lost.wait(5))
        self.assertFalse(found.lease.alive)

    def test_who_is_told_to_stop_leads_no_more(self):
        first = self.campaign("first")
        self.addCleanup(first.resign)
        self.stop.set()
        self.assertIsNone(leader.campaign(self.store, "second", 3, self.stop))
