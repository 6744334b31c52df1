"""What every store promises, as tests: the store in memory and the one in etcd pass the same ones.

::

    class MyStoreTest(store_conformance.StoreConformance):
        def make_store(self):
            return MyStore()
"""

# ruff: noqa: D102  (the name of a test says what is promised)

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import unittest
import uuid
from collections.abc import Iterator

from esi_worker import api
from esi_worker.store import base


class StoreConformance(unittest.TestCase):
    """The promises of :class:`~esi_worker.store.base.Store`.

    Each test works under a prefix of its own, so the stores of all tests may be the same.

    :cvar patience: seconds within which a watch must bring what happened
    """

    patience = 15.0

    def make_store(self) -> base.Store:
        """A store for one test; what it needs ends with the test."""
        raise NotImplementedError

    def pass_time(self, seconds: float) -> None:
        """Let a lease's time go by; for a store on real time there is nothing to do but wait."""

    def setUp(self) -> None:
        super().setUp()
        if type(self) is StoreConformance:
            self.skipTest("the promises are tested on a store")
        self.store = self.make_store()
        self.prefix = f"/conformance/{uuid.uuid4().hex}/"

    def key(self, name: str) -> str:
        """A key under this test's prefix."""
        return self.prefix + name

    @contextlib.contextmanager
    def watching(self, revision: int, prefix: str = "") -> Iterator[Iterator[base.Batch]]:
        """A watch that is stopped at the end, or when the test's patience is."""
        stop = threading.Event()
        timer = threading.Timer(self.patience, stop.set)
        timer.start()
        try:
            yield self.store.watch(prefix or self.prefix, revision, stop)
        finally:
            timer.cancel()
            stop.set()

    def events(self, revision: int, count: int, prefix: str = "") -> list[base.Event]:
        """The first events from a revision on."""
        with self.watching(revision, prefix) as batches:
            found = itertools.chain.from_iterable(batch.events for batch in batches)
            return list(itertools.islice(found, count))

    # keys

    def test_a_key_that_is_not_there_is_none(self) -> None:
        self.assertIsNone(self.store.get(self.key("a")))

    def test_put_then_get(self) -> None:
        first = self.store.put(self.key("a"), b"1")
        second = self.store.put(self.key("a"), b"2")
        self.assertGreater(second, first)
        self.assertEqual(base.Entry(self.key("a"), b"2", first, second), self.store.get(self.key("a")))

    def test_delete_tells_whether_it_was_there(self) -> None:
        self.store.put(self.key("a"), b"1")
        self.assertTrue(self.store.delete(self.key("a")))
        self.assertFalse(self.store.delete(self.key("a")))
        self.assertIsNone(self.store.get(self.key("a")))

    def test_a_key_made_again_is_another_one(self) -> None:
        first = self.store.put(self.key("a"), b"1")
        self.store.delete(self.key("a"))
        again = self.store.put(self.key("a"), b"1")
        entry = self.store.get(self.key("a"))
        assert entry is not None
        self.assertEqual(again, entry.create_revision)
        self.assertGreater(again, first)

    def test_any_text_is_a_key_and_any_bytes_a_value(self) -> None:
        for name in ("größe", "名前", "🙂", "a b", 'q"uo\\te', "a\u0000b", "\udcff"):
            key = self.key(name)
            value = f"«{name}»".encode("utf-8", "surrogateescape") + bytes(range(256))
            self.store.put(key, value)
            entry = self.store.get(key)
            assert entry is not None
            self.assertEqual((key, value), (entry.key, entry.value))

    def test_an_empty_value_is_a_value(self) -> None:
        revision = self.store.put(self.key("a"), b"")
        self.assertEqual(base.Entry(self.key("a"), b"", revision, revision), self.store.get(self.key("a")))

    def test_an_empty_key_is_refused(self) -> None:
        with self.assertRaises(api.StoreError) as raised:
            self.store.put("", b"1")
        self.assertFalse(raised.exception.unknown)

    def test_a_large_value_comes_back_whole(self) -> None:
        value = bytes(range(256)) * 5000
        self.store.put(self.key("a"), value)
        entry = self.store.get(self.key("a"))
        assert entry is not None
        self.assertTrue(value == entry.value)

    def test_too_large_a_value_is_refused_by_name_and_size(self) -> None:
        with self.assertRaises(api.StoreError) as raised:
            self.store.put(self.key("big"), bytes(1_600_000))
        self.assertFalse(raised.exception.unknown)
        self.assertIn(self.key("big"), str(raised.exception))
        self.assertIn("1600000", str(raised.exception))

    # lists

    def test_a_list_of_nothing_has_a_revision(self) -> None:
        revision = self.store.put(self.key("x/a"), b"1")
        listed = self.store.list(self.key("y/"))
        self.assertEqual((), listed.entries)
        self.assertGreaterEqual(listed.revision, revision)

    def test_a_list_is_in_the_order_of_keys_and_within_its_prefix(self) -> None:
        for name in ("b", "a", "a/2", "a/1", "ab", "A", "ä"):
            self.store.put(self.key(name), name.encode())
        self.assertEqual(["a", "a/1", "a/2", "ab"], self.names(self.key("a")))
        self.assertEqual(["a/1", "a/2"], self.names(self.key("a/")))
        self.assertEqual(["A", "a", "a/1", "a/2", "ab", "b", "ä"], self.names(self.prefix))

    def names(self, prefix: str) -> list[str]:
        """The keys under a prefix, without this test's."""
        return [entry.key.removeprefix(self.prefix) for entry in self.store.list(prefix).entries]

    def test_the_end_of_a_prefix_carries_over(self) -> None:
        # As bytes these end in 0x7f, 0xff and 0xff 0xff: the first key behind them is not "one more" at the end.
        for stem in ("\u007f", "a\udcff", "\udcff\udcff"):
            with self.subTest(stem=stem):
                for name in ("", "x", "\udcff"):
                    self.store.put(self.key(stem + name), b"in")
                self.store.put(self.key(stem[:-1] + "b"), b"out")
                self.assertEqual({b"in"}, {entry.value for entry in self.store.list(self.key(stem)).entries})

    def test_the_empty_prefix_is_everything(self) -> None:
        self.store.put(self.key("a"), b"1")
        self.assertIn(self.key("a"), {entry.key for entry in self.store.list("").entries})

    def test_pages_are_of_one_revision_while_writes_go_on(self) -> None:
        for number in range(10):
            self.store.put(self.key(f"{number}"), b"old")
        found: list[base.Entry] = []
        revisions = set()
        for page in self.store.pages(self.prefix, size=3):
            self.assertLessEqual(len(page.entries), 3)
            found.extend(page.entries)
            revisions.add(page.revision)
            self.store.put(self.key("9"), b"new")
            self.store.put(self.key(f"5{len(found)}"), b"new")
            self.store.delete(self.key("8"))
        self.assertEqual([str(number) for number in range(10)], [each.key[len(self.prefix) :] for each in found])
        self.assertEqual({b"old"}, {each.value for each in found})
        self.assertEqual(1, len(revisions))

    def test_a_last_page_that_is_full_is_the_last(self) -> None:
        for number in range(4):
            self.store.put(self.key(f"{number}"), b"1")
        self.assertEqual([2, 2], [len(page.entries) for page in self.store.pages(self.prefix, size=2)])

    # transactions

    def test_absent_holds_once(self) -> None:
        claim = ([base.absent(self.key("a"))], [base.Put(self.key("a"), b"1")])
        self.assertTrue(self.store.transact(*claim).succeeded)
        self.assertFalse(self.store.transact(*claim).succeeded)

    def test_created_at_does_not_hold_for_a_key_made_again(self) -> None:
        created = self.store.put(self.key("a"), b"1")
        self.store.put(self.key("a"), b"2")
        self.assertTrue(self.store.transact([base.created_at(self.key("a"), created)], []).succeeded)
        self.store.delete(self.key("a"))
        self.assertFalse(self.store.transact([base.created_at(self.key("a"), created)], []).succeeded)
        self.store.put(self.key("a"), b"1")
        self.assertFalse(self.store.transact([base.created_at(self.key("a"), created)], []).succeeded)

    def test_unchanged_does_not_hold_after_a_change(self) -> None:
        changed = self.store.put(self.key("a"), b"1")
        self.assertTrue(self.store.transact([base.unchanged(self.key("a"), changed)], []).succeeded)
        self.store.put(self.key("a"), b"1")
        self.assertFalse(self.store.transact([base.unchanged(self.key("a"), changed)], []).succeeded)
        self.assertTrue(self.store.transact([base.unchanged(self.key("b"), 0)], []).succeeded)

    def test_all_conditions_must_hold(self) -> None:
        self.store.put(self.key("a"), b"1")
        outcome = self.store.transact(
            [base.absent(self.key("b")), base.absent(self.key("a"))],
            [base.Put(self.key("b"), b"1")],
            [base.Put(self.key("c"), b"1")],
        )
        self.assertFalse(outcome.succeeded)
        self.assertEqual(["a", "c"], self.names(self.prefix))

    def test_a_branch_is_one_revision(self) -> None:
        self.store.put(self.key("old"), b"1")
        outcome = self.store.transact(
            [],
            [base.Put(self.key("a"), b"1"), base.Delete(self.key("old")), base.Put(self.key("b"), b"2")],
        )
        listed = self.store.list(self.prefix)
        self.assertEqual({outcome.revision}, {entry.mod_revision for entry in listed.entries})
        self.assertEqual(["a", "b"], self.names(self.prefix))

    def test_get_within_a_transaction(self) -> None:
        revision = self.store.put(self.key("a"), b"1")
        old = base.Entry(self.key("a"), b"1", revision, revision)
        reads = [base.Get(self.key("a")), base.Get(self.key("b"))]
        held = self.store.transact([base.absent(self.key("b"))], [*reads, base.Put(self.key("b"), b"2")])
        self.assertEqual((True, (old, None)), (held.succeeded, held.entries))
        failed = self.store.transact(
            [base.absent(self.key("b"))], [], [base.Get(self.key("b")), base.Get(self.key("a"))]
        )
        self.assertFalse(failed.succeeded)
        self.assertEqual([b"2", b"1"], [entry.value if entry else None for entry in failed.entries])
        self.assertEqual(held.revision, failed.revision)

    def test_a_prefix_is_removed_within_a_transaction(self) -> None:
        for name in ("a/1", "a/2", "b"):
            self.store.put(self.key(name), b"1")
        self.store.transact([], [base.Delete(self.key("a/"), prefix=True), base.Put(self.key("c"), b"1")])
        self.assertEqual(["b", "c"], self.names(self.prefix))

    def test_a_key_twice_in_a_transaction_is_refused(self) -> None:
        with self.assertRaises(api.StoreError) as raised:
            self.store.transact([], [base.Put(self.key("a"), b"1"), base.Put(self.key("a"), b"2")])
        self.assertFalse(raised.exception.unknown)
        self.assertIsNone(self.store.get(self.key("a")))

    def test_128_operations_are_done_and_129_refused(self) -> None:
        puts = [base.Put(self.key(f"{number:03}"), b"1") for number in range(base.MAX_OPERATIONS + 1)]
        with self.assertRaises(api.StoreError) as raised:
            self.store.transact([], puts)
        self.assertFalse(raised.exception.unknown)
        self.assertEqual([], self.names(self.prefix))
        self.store.transact([], puts[:-1])
        self.assertEqual(base.MAX_OPERATIONS, len(self.names(self.prefix)))

    def test_too_large_a_transaction_is_refused_by_its_largest_key(self) -> None:
        puts = [base.Put(self.key("small"), bytes(700_000)), base.Put(self.key("large"), bytes(900_000))]
        with self.assertRaises(api.StoreError) as raised:
            self.store.transact([], puts)
        self.assertFalse(raised.exception.unknown)
        self.assertIn(self.key("large"), str(raised.exception))

    def test_of_many_threads_one_claims(self) -> None:
        won: list[int] = []
        start = threading.Barrier(8)

        def claim(number: int) -> None:
            start.wait()
            put = base.Put(self.key("claim"), str(number).encode())
            if self.store.transact([base.absent(self.key("claim"))], [put]).succeeded:
                won.append(number)

        threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entry = self.store.get(self.key("claim"))
        assert entry is not None
        self.assertEqual([int(entry.value)], won)

    # leases

    def test_a_lease_is_kept_alive_and_gone_after_revoke(self) -> None:
        lease = self.store.grant(60)
        self.store.put(self.key("a"), b"1", lease=lease)
        entry = self.store.get(self.key("a"))
        assert entry is not None
        self.assertEqual(lease, entry.lease)
        self.assertAlmostEqual(60, self.store.keep_alive(lease), delta=5)
        self.store.revoke(lease)
        self.assertIsNone(self.store.get(self.key("a")))
        self.assertEqual(0, self.store.keep_alive(lease))
        self.store.revoke(lease)

    def test_a_put_without_the_lease_takes_the_key_off_it(self) -> None:
        lease = self.store.grant(60)
        self.store.transact([], [base.Put(self.key(name), b"1", lease) for name in ("a", "b")])
        self.store.put(self.key("a"), b"2")
        self.store.revoke(lease)
        self.assertEqual(["a"], self.names(self.prefix))

    def test_a_put_on_a_lease_that_is_gone_is_refused(self) -> None:
        lease = self.store.grant(60)
        self.store.revoke(lease)
        for write in (
            lambda: self.store.put(self.key("a"), b"1", lease=lease),
            lambda: self.store.transact([], [base.Put(self.key("b"), b"1"), base.Put(self.key("a"), b"1", lease)]),
        ):
            with self.assertRaises(api.StoreError) as raised:
                write()
            self.assertFalse(raised.exception.unknown)
        self.assertEqual([], self.names(self.prefix))

    def test_an_expired_lease_takes_its_keys_along_and_a_watch_sees_it(self) -> None:
        lease = self.store.grant(1)
        revision = self.store.put(self.key("a"), b"1", lease=lease)
        self.store.put(self.key("b"), b"1")
        self.pass_time(3)
        events = self.events(revision + 2, 1)
        self.assertEqual([(base.DELETE, self.key("a"))], [(each.kind, each.entry.key) for each in events])
        self.assertEqual(["b"], self.names(self.prefix))
        self.assertEqual(0, self.store.keep_alive(lease))

    # watches

    def test_a_watch_brings_what_was_and_what_comes_in_order(self) -> None:
        first = self.store.put(self.key("a"), b"1")
        self.store.put(self.key("b"), b"1")
        writer = threading.Thread(target=self._write)
        with self.watching(first) as batches:
            found = itertools.chain.from_iterable(batch.events for batch in batches)
            seen = list(itertools.islice(found, 2))
            writer.start()
            seen += itertools.islice(found, 3)
        writer.join()
        kinds = [(each.kind, each.entry.key.removeprefix(self.prefix), each.entry.value) for each in seen]
        put, delete = base.PUT, base.DELETE
        expected = [(put, "a", b"1"), (put, "b", b"1"), (put, "a", b"2"), (delete, "a", b""), (put, "a", b"3")]
        self.assertEqual(expected, kinds)
        revisions = [each.entry.mod_revision for each in seen]
        self.assertEqual(sorted(set(revisions)), revisions)
        self.assertEqual([first, first, 0], [seen[place].entry.create_revision for place in (0, 2, 3)])
        self.assertEqual(revisions[4], seen[4].entry.create_revision)

    def _write(self) -> None:
        self.store.put(self.key("a"), b"2")
        self.store.delete(self.key("a"))
        self.store.put(self.key("a"), b"3")

    def test_a_watch_keeps_to_its_prefix(self) -> None:
        first = self.store.put(self.key("a/1"), b"1")
        self.store.put(self.key("b"), b"1")
        self.store.put(self.key("a/2"), b"1")
        seen = self.events(first, 2, self.key("a/"))
        self.assertEqual([self.key("a/1"), self.key("a/2")], [each.entry.key for each in seen])

    def test_a_transaction_comes_in_one_batch(self) -> None:
        # A large value before it: etcd cuts an answer of several revisions where it is full, also within one.
        first = self.store.put(self.key("large"), bytes(1_200_000))
        names = [f"{number:03}" for number in range(100)]
        outcome = self.store.transact([], [base.Put(self.key(name), bytes(10_000)) for name in names])
        with self.watching(first) as batches:
            batch = next(batch for batch in batches if batch.revision >= outcome.revision)
        events = [each for each in batch.events if each.entry.mod_revision == outcome.revision]
        self.assertEqual([self.key(name) for name in names], [each.entry.key for each in events])
        self.assertEqual(outcome.revision, batch.revision)

    def test_large_events_come_whole(self) -> None:
        values = [bytes([number]) * 1_000_000 for number in range(6)]
        revisions = [self.store.put(self.key("a"), value) for value in values]
        seen = self.events(revisions[0], len(values))
        self.assertEqual(revisions, [each.entry.mod_revision for each in seen])
        self.assertTrue(all(each.entry.value == value for each, value in zip(seen, values, strict=True)))

    def test_a_watch_from_the_future_waits_for_it(self) -> None:
        first = self.store.put(self.key("a"), b"1")
        self.store.put(self.key("a"), b"2")
        with self.watching(first + 2) as batches:
            next(batches)  # the sign of life that it has begun
            self.store.put(self.key("a"), b"3")
            batch = next(batch for batch in batches if batch.events)
        self.assertEqual([b"3"], [each.entry.value for each in batch.events])

    def test_the_revision_of_a_batch_never_falls(self) -> None:
        first = self.store.put(self.key("a"), b"1")
        for number in range(5):
            self.store.put(self.key("a"), str(number).encode())
        reached = first - 1
        with self.watching(first) as batches:
            while reached < first + 5:
                batch = next(batches)
                self.assertGreaterEqual(batch.revision, reached)
                self.assertTrue(all(reached < each.entry.mod_revision <= batch.revision for each in batch.events))
                reached = batch.revision

    def test_a_watch_ends_soon_after_its_stop(self) -> None:
        stop = threading.Event()
        begun = threading.Event()
        ended: list[float] = []

        def follow() -> None:
            for _ in self.store.watch(self.prefix, self.store.list(self.prefix).revision + 1, stop):
                begun.set()
            ended.append(time.monotonic())

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        self.assertTrue(begun.wait(self.patience))
        stop.set()
        thread.join(self.patience)
        self.assertEqual(1, len(ended), "the watch goes on although it was stopped")

    def test_a_closed_store_ends_its_watches(self) -> None:
        other = self.make_store()
        with contextlib.closing(other):
            batches = other.watch(self.prefix, other.list(self.prefix).revision + 1, threading.Event())
            next(batches)
            other.close()
            with self.assertRaises(base.WatchLost):
                for _ in batches:
                    pass
