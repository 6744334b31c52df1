"""The copy that keeps itself up to date."""

import time
import unittest

from esi_worker.cmd import mirror
from esi_worker.store import memory

PATIENCE = 10.0


class TestMirror(unittest.TestCase):
    def setUp(self):
        self.store = memory.MemoryStore()
        self.addCleanup(self.store.close)

    def open(self, *prefixes):
        copy = mirror.Mirror(self.store, prefixes)
        copy.__enter__()
        self.addCleanup(copy.__exit__)
        self.assertTrue(copy.listed(PATIENCE))
        return copy

    def wait_for(self, copy, key):
        """:returns: once the key has changed."""
        deadline = time.monotonic() + PATIENCE
        while key not in copy.wait(deadline - time.monotonic()):
            self.assertLess(time.monotonic(), deadline)

    def test_what_is_there_and_what_comes_and_goes(self):
        self.store.put("/a/1", b"one")
        self.store.put("/c/1", b"elsewhere")
        copy = self.open("/a/", "/b/")
        self.assertEqual(["/a/1"], copy.keys())
        self.store.put("/b/1", b"two")
        self.wait_for(copy, "/b/1")
        self.assertEqual(b"two", copy.get("/b/1"))
        self.store.delete("/a/1")
        self.wait_for(copy, "/a/1")
        self.assertIsNone(copy.get("/a/1"))
        self.assertEqual(["/b/1"], copy.keys())

    def test_nothing_is_listed_too(self):
        copy = self.open("/nothing/")
        self.assertEqual(frozenset(), copy.wait(0.0))

    def test_the_first_list_counts_as_changes(self):
        self.store.put("/a/1", b"one")
        self.assertEqual({"/a/1"}, self.open("/a/").wait(PATIENCE))
