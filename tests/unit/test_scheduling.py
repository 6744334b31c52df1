"""What shares a transaction."""

import unittest

from esi_worker.pipeline import scheduling
from esi_worker.store import base


def write(*names, size=10):
    return scheduling.Write((), tuple(base.Put(name, b"x" * size) for name in names))


class GroupedTest(unittest.TestCase):
    def sizes(self, *writes):
        return [len(group.operations) for group in scheduling.grouped(writes)]

    def test_small_writes_share_a_transaction(self):
        self.assertEqual([3], self.sizes(write("a"), write("b", "c")))

    def test_etcd_takes_a_key_only_once_in_a_transaction(self):
        self.assertEqual([2, 1], self.sizes(write("a"), write("b"), write("a")))

    def test_no_more_operations_than_etcd_takes(self):
        writes = [write(f"{n}a", f"{n}b", f"{n}c") for n in range(50)]
        sizes = self.sizes(*writes)
        self.assertEqual(150, sum(sizes))
        self.assertLessEqual(max(sizes), scheduling.GROUP_OPERATIONS)

    def test_no_more_bytes_than_etcd_takes(self):
        self.assertEqual([1, 1], self.sizes(write("a", size=600_000), write("b", size=600_000)))
