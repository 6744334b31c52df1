import threading
import time
import unittest

from esi_worker.pipeline import agenda


class AgendaTest(unittest.TestCase):
    def setUp(self):
        self.agenda = agenda.Agenda()

    def take_all(self, now):
        found = []
        while (thing := self.agenda.take(now)) is not None:
            found.append(thing)
        return found

    def test_in_the_order_of_their_times(self):
        for thing, delay in (("later", 20), ("first", 0), ("second", 10), ("never", 1000)):
            self.agenda.add(thing, delay)
        now = time.monotonic()
        self.assertEqual(["first"], self.take_all(now))
        self.assertEqual(["second", "later"], self.take_all(now + 30))

    def test_things_need_no_order_of_their_own(self):
        things = [object() for _ in range(20)]
        for each in things:
            self.agenda.add(each, -1.0)
        self.assertEqual(things, self.take_all(time.monotonic()))

    def test_the_pause_keeps_its_bounds(self):
        self.assertEqual(7.0, self.agenda.pause(1.0, 7.0))
        self.agenda.add("far", 1000)
        self.assertEqual(7.0, self.agenda.pause(1.0, 7.0))
        self.agenda.add("near", 5)
        self.assertTrue(1.0 < self.agenda.pause(1.0, 7.0) <= 5.0)
        self.agenda.add("overdue", -5)
        self.assertEqual(1.0, self.agenda.pause(1.0, 7.0))

    def test_cleared(self):
        self.agenda.add("thing", 0)
        self.agenda.clear()
        self.assertIsNone(self.agenda.take(time.monotonic() + 1))

    def test_threads_add_while_another_takes(self):
        count = 4
        threads = [threading.Thread(target=lambda: [self.agenda.add(n, 0) for n in range(500)]) for _ in range(count)]
        for each in threads:
            each.start()
        found = []
        while any(each.is_alive() for each in threads):
            found += self.take_all(time.monotonic())
        found += self.take_all(time.monotonic())
        self.assertEqual(sorted(list(range(500)) * count), sorted(found))
