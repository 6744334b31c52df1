import threading
import unittest

from esi_worker.store import base
from esi_worker.store import memory
from esi_worker.testing import store_conformance


class MemoryConformanceTest(store_conformance.StoreConformance):
    def make_store(self) -> base.Store:
        self.clock = memory.Clock()
        return memory.MemoryStore(clock=self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


class MemoryTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = memory.Clock()
        self.store = memory.MemoryStore(clock=self.clock)

    def test_a_lease_ends_by_the_clock_and_not_before(self) -> None:
        lease = self.store.grant(10)
        self.store.put("/a", b"1", lease=lease)
        self.clock.advance(9.9)
        self.assertIsNotNone(self.store.get("/a"))
        self.clock.advance(0.2)
        self.assertIsNone(self.store.get("/a"))

    def test_a_renewed_lease_begins_anew(self) -> None:
        lease = self.store.grant(10)
        self.store.put("/a", b"1", lease=lease)
        for _ in range(5):
            self.clock.advance(9)
            self.assertEqual(10, self.store.keep_alive(lease))
        self.assertIsNotNone(self.store.get("/a"))

    def test_a_compacted_revision_loses_the_watch(self) -> None:
        first = self.store.put("/a", b"1")
        last = self.store.put("/a", b"2")
        self.store.compact(last)
        with self.assertRaisesRegex(base.WatchLost, "compacted"):
            for _ in self.store.watch("/", first, threading.Event()):
                pass

    def test_a_watch_that_is_up_to_date_outlives_a_compaction(self) -> None:
        self.store.put("/a", b"1")
        last = self.store.put("/a", b"2")
        batches = self.store.watch("/", last, threading.Event())
        next(batches)
        self.store.compact(last)
        self.assertEqual([b"2"], [event.entry.value for event in next(batches).events])

    def test_a_quiet_watch_gives_signs_of_life(self) -> None:
        batches = self.store.watch("/", 5, threading.Event())
        self.assertEqual([base.Batch(4), base.Batch(4)], [next(batches), next(batches)])
