"""Slots: nobody takes what others need, and one that does not come back is replaced."""

import threading
import unittest

from esi_worker.pipeline import slots


class SlotsTest(unittest.TestCase):
    def setUp(self):
        self.slots = slots.Slots(4, 2)
        self.go_on = threading.Event()
        self.addCleanup(self.slots.close)
        self.addCleanup(self.go_on.set)

    def occupy(self, lane):
        started = threading.Event()

        def work():
            started.set()
            self.go_on.wait(10)

        self.slots.submit(slots.Call(lane, work))
        self.assertTrue(started.wait(5))

    def test_one_system_takes_only_its_share(self):
        self.occupy("a")
        self.occupy("a")
        self.assertEqual(0, self.slots.room("a"))
        self.assertEqual(2, self.slots.room("b"))

    def test_no_system_named_takes_what_is_free(self):
        self.occupy("")
        self.assertEqual(3, self.slots.room(""))

    def test_a_system_in_trouble_takes_one(self):
        self.slots.trouble("a", troubled=True)
        self.assertEqual(1, self.slots.room("a"))
        self.occupy("a")
        self.assertEqual(0, self.slots.room("a"))

    def test_all_systems_in_trouble_take_half(self):
        for lane in "abc":
            self.slots.trouble(lane, troubled=True)
        self.occupy("a")
        self.occupy("b")
        self.assertLessEqual(self.slots.room("c"), 0)
        self.assertEqual(2, self.slots.room("healthy"))

    def test_a_system_that_answers_again_has_its_share_back(self):
        self.slots.trouble("a", troubled=True)
        self.slots.trouble("a", troubled=False)
        self.assertEqual(2, self.slots.room("a"))

    def test_one_that_does_not_come_back_is_given_up_and_replaced(self):
        for lane in "abcd":
            self.occupy(lane)
        self.assertEqual(0, self.slots.room(""))
        self.assertEqual(4, len(self.slots.overdue(-1)))
        done = threading.Event()
        self.slots.submit(slots.Call("", done.set))
        self.assertTrue(done.wait(5))

    def test_idle_is_told(self):
        self.occupy("a")
        self.assertFalse(self.slots.wait_idle(0.01))
        self.go_on.set()
        self.assertTrue(self.slots.wait_idle(5))
