"""What the store in etcd does when etcd, or the way to it, is in trouble."""

from __future__ import annotations

import threading
import time
import unittest
from collections.abc import Iterator
from typing import Any
from typing import ClassVar

import fixtures

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import etcd as etcd_store
from esi_worker.store import gateway
from esi_worker.testing import etcd
from esi_worker.testing import proxy

PATIENCE = 20.0


class EtcdTestCase(unittest.TestCase):
    """One etcd for a class; what a test starts ends with it."""

    options: ClassVar[dict[str, Any]] = {}
    server: ClassVar[etcd.EtcdServer]

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = etcd.EtcdServer(fsync=False, **cls.options)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def store(self, *endpoints: str, **options: Any) -> etcd_store.EtcdStore:
        store = etcd_store.EtcdStore(endpoints or [self.server.endpoint], **options)
        self.addCleanup(store.close)
        return store

    def proxy(self) -> proxy.Proxy:
        between = proxy.Proxy(self.server.address)
        self.addCleanup(between.close)
        return between

    def watch(self, store: base.Store, revision: int, prefix: str = "/") -> Iterator[base.Batch]:
        """A watch that ends when the test's patience does."""
        stop = threading.Event()
        timer = threading.Timer(PATIENCE, stop.set)
        timer.start()
        self.addCleanup(timer.cancel)
        self.addCleanup(stop.set)
        return store.watch(prefix, revision, stop)

    def error(self, call: Any, *arguments: Any, **options: Any) -> api.StoreError:
        with self.assertRaises(api.StoreError) as raised:
            call(*arguments, **options)
        return raised.exception

    def lost(self, batches: Iterator[base.Batch]) -> str:
        with self.assertRaises(base.WatchLost) as raised:
            for _ in batches:
                pass
        return str(raised.exception)


class WatchTest(EtcdTestCase):
    def test_a_restart_loses_the_watch_and_a_list_goes_on(self) -> None:
        for end in (self.server.stop, self.server.kill):
            with self.subTest(end=end.__name__):
                store = self.store()
                revision = store.put("/a", b"1")
                batches = self.watch(store, revision + 1)
                next(batches)
                end()
                self.lost(batches)
                self.server.start()
                listed = store.list("/a")
                self.assertEqual([b"1"], [entry.value for entry in listed.entries])
                store.put("/a", b"2")
                events = next(batch.events for batch in self.watch(store, listed.revision + 1) if batch.events)
                self.assertEqual([b"2"], [event.entry.value for event in events])

    def test_a_compacted_revision_loses_the_watch_and_says_so(self) -> None:
        store = self.store()
        first = store.put("/a", b"1")
        last = store.put("/a", b"2")
        self.server.admin.compact(last)
        self.assertIn("compacted", self.lost(self.watch(store, first)))

    def test_a_compaction_between_two_pages_is_an_error(self) -> None:
        store = self.store()
        for name in ("/pages/1", "/pages/2", "/pages/3"):
            store.put(name, b"1")
        pages = store.pages("/pages/", size=1)
        next(pages)
        self.server.admin.compact(store.put("/pages/2", b"2"))
        self.assertIn("list again", str(self.error(next, pages)))

    def test_a_cut_stream_loses_the_watch(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint)
        batches = self.watch(store, store.put("/a", b"1"))
        self.assertEqual(1, len(next(batch for batch in batches if batch.events).events))
        between.cut()
        self.assertIn("stream", self.lost(batches))

    def test_a_stream_in_small_pieces_is_read_whole(self) -> None:
        between = self.proxy()
        between.piece = 7
        store = self.store(between.endpoint)
        values = [f"größe {number}".encode() * 10 for number in range(20)]
        first, *_ = [store.put("/pieces/a", value) for value in values]
        seen: list[bytes] = []
        for batch in self.watch(store, first, "/pieces/"):
            seen.extend(event.entry.value for event in batch.events)
            if len(seen) == len(values):
                break
        self.assertEqual(values, seen)

    def test_no_endpoint_loses_the_watch(self) -> None:
        between = self.proxy()
        between.refuse()
        self.assertIn("no endpoint", self.lost(self.watch(self.store(between.endpoint), 1)))

    def test_an_endpoint_that_does_not_answer_loses_the_watch(self) -> None:
        between = self.proxy()
        between.at(1, proxy.HOLD)
        self.assertIn("did not answer", self.lost(self.watch(self.store(between.endpoint, timeout=0.5), 1)))

    def test_a_mute_stream_is_replaced_and_nothing_is_missed(self) -> None:
        between = self.proxy()
        writer = self.store()
        store = self.store(between.endpoint, watch_idle=1.0)
        revision = writer.put("/mute/a", b"1")
        batches = self.watch(store, revision, "/mute/")
        self.assertEqual(1, len(next(batch for batch in batches if batch.events).events))
        between.mute()
        writer.put("/mute/a", b"2")
        writer.put("/mute/a", b"3")
        seen: list[bytes] = []
        while len(seen) < 2:
            seen.extend(event.entry.value for event in next(batches).events)
        self.assertEqual([b"2", b"3"], seen)

    def test_a_quiet_stream_gives_signs_of_life(self) -> None:
        store = self.store(watch_idle=0.5)
        revision = store.put("/quiet/a", b"1")
        batches = self.watch(store, revision + 1, "/quiet/")
        self.assertEqual([base.Batch(revision)] * 3, [next(batches) for _ in range(3)])

    def test_progress_notifications_move_the_revision_on(self) -> None:
        # 3.5 calls it experimental; the default is ten minutes.
        options = ("--experimental-watch-progress-notify-interval=100ms",)
        with etcd.EtcdServer(fsync=False, options=options) as server:
            store = self.store(server.endpoint)
            batches = self.watch(store, store.put("/a", b"1") + 1, "/elsewhere/")
            next(batches)
            reached = store.put("/b", b"1")
            self.assertEqual(base.Batch(reached), next(batch for batch in batches if batch.revision >= reached))

    def test_stop_ends_a_quiet_watch_within_a_second_or_so(self) -> None:
        stop = threading.Event()
        batches = self.store().watch("/quiet/", 1_000_000, stop)
        next(batches)
        stop.set()
        began = time.monotonic()
        self.assertEqual([], list(batches))
        self.assertLess(time.monotonic() - began, 5.0)


class TroubleTest(EtcdTestCase):
    def test_a_write_without_an_answer_is_unknown_and_was_applied(self) -> None:
        for kind in (proxy.SILENCE, proxy.AFTER):
            with self.subTest(kind=kind):
                between = self.proxy()
                between.at(1, kind)
                error = self.error(self.store(between.endpoint, timeout=1.0).put, f"/{kind}", b"1")
                self.assertTrue(error.unknown)
                self.assertIn("may have been done", str(error))
                self.assertIsNotNone(self.store().get(f"/{kind}"))
                self.assertEqual(1, between.requests)

    def test_a_claim_without_an_answer_is_unknown_and_not_sent_twice(self) -> None:
        between = self.proxy()
        between.at(1, proxy.AFTER)
        claim = ([base.absent("/claim")], [base.Put("/claim", b"mine")])
        self.assertTrue(self.error(self.store(between.endpoint).transact, *claim).unknown)
        self.assertEqual(1, between.requests)

    def test_a_write_that_etcd_never_got_is_unknown_all_the_same(self) -> None:
        between = self.proxy()
        between.at(1, proxy.BEFORE)
        self.assertTrue(self.error(self.store(between.endpoint).put, "/never", b"1").unknown)
        self.assertIsNone(self.store().get("/never"))

    def test_a_refused_connection_is_not_unknown(self) -> None:
        between = self.proxy()
        between.refuse()
        error = self.error(self.store(between.endpoint).put, "/a", b"1")
        self.assertFalse(error.unknown)
        self.assertIn("refused", str(error))

    def test_a_read_is_tried_again(self) -> None:
        self.store().put("/again", b"1")
        for kind in (proxy.BEFORE, proxy.AFTER):
            with self.subTest(kind=kind):
                between = self.proxy()
                between.at(1, kind)
                entry = self.store(between.endpoint).get("/again")
                self.assertEqual(b"1", entry.value if entry else None)
                self.assertEqual(2, between.requests)

    def test_a_read_without_an_answer_ends_in_time_and_is_not_unknown(self) -> None:
        between = self.proxy()
        between.at(1, proxy.HOLD)
        between.at(2, proxy.HOLD)
        began = time.monotonic()
        self.assertFalse(self.error(self.store(between.endpoint, timeout=0.5).get, "/a").unknown)
        self.assertLess(time.monotonic() - began, 5.0)

    def test_a_kept_connection_that_was_closed_meanwhile_is_opened_anew(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint)
        store.put("/kept", b"1")
        between.cut()
        self.await_close(store)
        store.put("/kept", b"2")
        self.assertEqual(2, between.requests)

    def await_close(self, store: etcd_store.EtcdStore) -> None:
        """Wait until this thread's connection knows that the other side is gone."""
        kept = store._gateway._client(0)[1]._connection
        deadline = time.monotonic() + PATIENCE
        while kept.usable():
            self.assertLess(time.monotonic(), deadline)

    def test_the_second_endpoint_is_used_when_the_first_is_down(self) -> None:
        down = self.proxy()
        down.refuse()
        store = self.store(down.endpoint, self.server.endpoint)
        store.put("/second", b"1")
        self.assertIsNotNone(store.get("/second"))
        next(self.watch(store, 1_000_000))

    def test_the_second_endpoint_is_read_when_the_first_is_silent(self) -> None:
        silent = self.proxy()
        for number in range(1, 5):
            silent.at(number, proxy.HOLD)
        store = self.store(silent.endpoint, self.server.endpoint, timeout=2.0)
        self.store().put("/silent", b"1")
        self.assertIsNotNone(store.get("/silent"))
        store.put("/silent", b"2")
        self.assertEqual(1, silent.requests)

    def test_proxies_in_the_environment_are_ignored(self) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            self.patch(name, "http://127.0.0.1:9")
        self.patch("REQUESTS_CA_BUNDLE", "/nowhere")
        store = self.store()
        store.put("/proxied", b"1")
        next(self.watch(store, 1_000_000))

    def patch(self, name: str, value: str) -> None:
        variable = fixtures.EnvironmentVariable(name, value)
        variable.setUp()
        self.addCleanup(variable.cleanUp)

    def test_what_is_no_etcd_is_an_error(self) -> None:
        between = proxy.Proxy((etcd.HOST, self.server.peer_port))
        self.addCleanup(between.close)
        error = self.error(self.store(between.endpoint).put, "/a", b"1")
        self.assertIn("404", str(error))

    def test_a_closed_store_says_so(self) -> None:
        store = self.store()
        store.put("/a", b"1")
        store.close()
        self.assertIn("closed", str(self.error(store.get, "/a")))

    def test_threads_do_not_share_a_connection(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint)
        right: list[str] = []

        def work(name: str) -> None:
            for number in range(50):
                value = f"{name} {number}".encode()
                store.put(f"/threads/{name}", value)
                entry = store.get(f"/threads/{name}")
                if entry is not None and entry.value == value:
                    right.append(name)

        threads = [threading.Thread(target=work, args=(f"{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(200, len(right))
        self.assertEqual(400, between.requests)
        self.assertEqual(4, between.connections)


class LimitsTest(EtcdTestCase):
    options: ClassVar[dict[str, Any]] = {"options": ("--max-request-bytes=100000", "--max-txn-ops=10")}

    def test_what_is_too_large_is_not_sent(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint)
        for size in (base.MAX_BYTES + 1, 5_000_000):
            error = self.error(store.put, "/big", bytes(size))
            self.assertIn(f"/big: its value of {size} bytes", str(error))
            self.assertFalse(error.unknown)
        self.error(store.transact, [], [base.Put(f"/{number}", b"1") for number in range(129)])
        self.assertEqual(0, between.requests)

    def test_an_etcd_with_smaller_limits_is_quoted(self) -> None:
        store = self.store()
        for size in (200_000, 1_000_000):  # 400 and 429
            error = self.error(store.put, "/big", bytes(size))
            self.assertIn("/big: the request is larger than etcd takes", str(error))
            self.assertFalse(error.unknown)
        error = self.error(store.transact, [], [base.Put(f"/{number}", b"1") for number in range(11)])
        self.assertIn("more operations than etcd takes", str(error))
        self.assertFalse(error.unknown)

    def test_429_is_not_tried_again(self) -> None:
        between = self.proxy()
        self.error(self.store(between.endpoint, between.endpoint).put, "/big", bytes(1_000_000))
        self.assertEqual(1, between.requests)


class NoSpaceTest(EtcdTestCase):
    options: ClassVar[dict[str, Any]] = {"quota_backend_bytes": 1_000_000}

    def test_a_full_database_is_said_plainly(self) -> None:
        store = self.store()
        with self.assertRaisesRegex(api.StoreError, "NOSPACE") as raised:
            for _ in range(20):
                store.put("/full", bytes(300_000))
        self.assertFalse(raised.exception.unknown)
        self.assertIsNotNone(store.get("/full"))


class UsersTest(EtcdTestCase):
    options: ClassVar[dict[str, Any]] = {"root_password": "root's secret"}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.admin.add_user("worker", "s3cret", {"/mine/": "READWRITE"})

    def worker(self) -> etcd_store.EtcdStore:
        return self.store(username="worker", password="s3cret")

    def test_a_user_does_what_it_may(self) -> None:
        store = self.worker()
        revision = store.put("/mine/allowed/a", b"1")
        self.assertEqual(1, len(store.list("/mine/allowed/").entries))
        events = next(batch.events for batch in self.watch(store, revision, "/mine/allowed/") if batch.events)
        self.assertEqual(1, len(events))

    def test_what_it_may_not_is_said_plainly(self) -> None:
        store = self.worker()
        for call in (
            lambda: store.get("/other/a"),
            lambda: store.put("/other/a", b"1"),
            lambda: store.list("/other/a"),
            lambda: store.transact([], [base.Put("/other/a", b"1")]),
        ):
            error = self.error(call)
            self.assertIn("/other/a: etcd refuses it to the user 'worker': permission denied", str(error))
            self.assertFalse(error.unknown)

    def test_a_refused_watch_is_lost_and_says_why(self) -> None:
        self.assertIn("permission denied", self.lost(self.watch(self.worker(), 1, "/other/")))

    def test_a_wrong_password_is_said_plainly_and_not_shown(self) -> None:
        store = self.store(username="worker", password="wr0ng")
        error = self.error(store.put, "/mine/a", b"1")
        self.assertIn("does not know this user and password", str(error))
        self.assertNotIn("wr0ng", str(error))
        self.assertFalse(error.unknown)
        self.assertIn("does not know this user", self.lost(self.watch(store, 1)))

    def test_no_user_where_one_is_needed_is_said_plainly(self) -> None:
        self.assertIn("none is configured", str(self.error(self.store().put, "/mine/a", b"1")))

    def test_a_token_that_etcd_forgot_is_renewed(self) -> None:
        store = self.worker()
        store.put("/mine/renewed", b"1")
        self.server.restart()
        revision = store.put("/mine/renewed", b"2")
        self.server.restart()
        # The refusal of a watch doesn't tell a forgotten token from a missing permission.
        events = next(batch.events for batch in self.watch(store, revision, "/mine/renewed") if batch.events)
        self.assertEqual([b"2"], [event.entry.value for event in events])

    def test_one_token_serves_all_calls(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint, username="worker", password="s3cret")
        for _ in range(3):
            store.put("/mine/a", b"1")
        self.assertEqual(["/v3/auth/authenticate", *["/v3/kv/put"] * 3], between.log)


class ExpiringTokensTest(EtcdTestCase):
    """Tokens that end by themselves a second after they were last used."""

    def test_a_watch_goes_on_though_its_token_expires_again_and_again(self) -> None:
        server = etcd.EtcdServer(fsync=False, root_password="r00t", options=("--auth-token-ttl=1",))
        self.addCleanup(server.close)
        server.start()
        between = proxy.Proxy(server.address)
        self.addCleanup(between.close)
        user = {"username": "root", "password": "r00t"}
        # Nothing but the watch uses its token, and each of its streams is silent for longer than the token lives.
        watching = etcd_store.EtcdStore([between.endpoint], **user, watch_idle=2.5)
        self.addCleanup(watching.close)
        batches = watching.watch("/", 2, threading.Event())
        while between.log.count("/v3/watch") < 7:
            next(batches)
        # A stream that was refused for its token is followed by another one: the watch itself was never lost.
        self.assertGreaterEqual(between.log.count("/v3/auth/authenticate"), 3)


class NoUsersTest(EtcdTestCase):
    def test_a_user_where_none_is_needed_does_no_harm(self) -> None:
        between = self.proxy()
        store = self.store(between.endpoint, username="worker", password="s3cret")
        store.put("/a", b"1")
        store.put("/a", b"2")
        self.assertEqual(["/v3/auth/authenticate", "/v3/kv/put", "/v3/kv/put"], between.log)


class EndpointTest(unittest.TestCase):
    def test_endpoints(self) -> None:
        for text, expected in (
            ("http://127.0.0.1:1234", "http://127.0.0.1:1234"),
            ("etcd.example", "http://etcd.example:2379"),
            ("https://etcd.example:23790/", "https://etcd.example:23790"),
            ("http://[::1]:2379", "http://[::1]:2379"),
        ):
            self.assertEqual(expected, str(gateway.parse_endpoint(text)))

    def test_what_is_no_endpoint_is_refused_without_showing_a_password(self) -> None:
        for text in ("ftp://host", "http://", "http://host:port", "http://host/path", "http://user:s3cret@host"):
            with self.subTest(text=text), self.assertRaises(api.ConfigError) as raised:
                gateway.parse_endpoint(text)
            self.assertNotIn("s3cret", str(raised.exception))

    def test_no_endpoint_and_missing_certificates_are_refused(self) -> None:
        with self.assertRaises(api.ConfigError):
            etcd_store.EtcdStore([])
        with self.assertRaisesRegex(api.ConfigError, "/nowhere"):
            etcd_store.EtcdStore(["https://127.0.0.1"], ca_cert="/nowhere")
