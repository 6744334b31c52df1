import base64
import json
import unittest
from typing import Any

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import limits
from esi_worker.store import wire


def text(data: bytes | str) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


class WireTest(unittest.TestCase):
    def test_the_end_of_a_prefix(self) -> None:
        for prefix, end in ((b"/a", b"/b"), (b"/a/", b"/a0"), (b"a\xff", b"b"), (b"\xff\xff", b"\0"), (b"", b"\0")):
            self.assertEqual(end, wire.prefix_end(prefix))

    def test_keys_come_back_as_they_were(self) -> None:
        for data in (b"/a", "/größe/名前/🙂".encode(), b"/\xff\xfe", b"\xc3", b"\xed\xa0\x80"):
            self.assertEqual(data, wire.key_bytes(wire.key_text(data)))

    def test_every_body_is_json(self) -> None:
        key = 'ü"\\\n'
        bodies: list[tuple[bytes, dict[str, Any]]] = [
            (wire.get_body(key), {"key": text(key)}),
            (wire.page_body(b"a", b"b", 10, 3), {"key": text("a"), "range_end": text("b"), "limit": 10, "revision": 3}),
            (wire.put_body(key, b"\xff", 0), {"key": text(key), "value": text(b"\xff")}),
            (wire.put_body(key, b"", 7), {"key": text(key), "value": "", "lease": 7}),
            (wire.grant_body(5), {"TTL": 5}),
            (wire.lease_body(9), {"ID": 9}),
        ]
        for body, expected in bodies:
            self.assertEqual(expected, json.loads(body))

    def test_a_transaction(self) -> None:
        body = wire.transaction_body(
            [base.absent("/a"), base.unchanged("/b", 5)],
            [base.Put("/a", b"1", 3), base.Get("/b"), base.Delete("/c"), base.Delete("/d/", prefix=True)],
            [],
        )
        expected = {
            "compare": [
                {"key": text("/a"), "target": "CREATE", "create_revision": 0},
                {"key": text("/b"), "target": "MOD", "mod_revision": 5},
            ],
            "success": [
                {"request_put": {"key": text("/a"), "value": text("1"), "lease": 3}},
                {"request_range": {"key": text("/b")}},
                {"request_delete_range": {"key": text("/c")}},
                {"request_delete_range": {"key": text("/d/"), "range_end": text("/d0")}},
            ],
            "failure": [],
        }
        self.assertEqual(expected, json.loads(body))

    def test_a_watch_asks_for_progress_and_fragments(self) -> None:
        request = json.loads(wire.watch_body("", 4))["create_request"]
        self.assertEqual((text(b"\0"), text(b"\0")), (request["key"], request["range_end"]))
        self.assertEqual(4, request["start_revision"])
        self.assertTrue(request["progress_notify"] and request["fragment"])

    def test_what_the_gateway_leaves_out_is_zero(self) -> None:
        deleted = {"type": "DELETE", "kv": {"key": text("/a"), "mod_revision": "9"}}
        self.assertEqual(base.Event(base.DELETE, base.Entry("/a", b"", 0, 9)), wire.event(deleted))
        outcome = wire.outcome({"header": {"revision": "9"}}, [base.Get("/a")], [])
        self.assertEqual(base.Outcome(False, 9), outcome)


class LimitsTest(unittest.TestCase):
    def test_up_to_the_limit_is_fine(self) -> None:
        limits.check_put("/a", bytes(base.MAX_BYTES - 2))
        half = bytes(base.MAX_BYTES // 2 - 2)
        limits.check_transaction([], [base.Put("/a", half), base.Put("/b", half)], [])
        limits.check_transaction([base.absent("/a")] * 128, [base.Get("/a")] * 128, [base.Get("/a")] * 128)

    def test_over_it_is_not(self) -> None:
        half = bytes(base.MAX_BYTES // 2)
        for call in (
            lambda: limits.check_put("/a", bytes(base.MAX_BYTES)),
            lambda: limits.check_transaction([], [base.Put("/a", half)], [base.Put("/b", half)]),
            lambda: limits.check_transaction([base.absent("/a")] * 129, [], []),
            lambda: limits.check_transaction([], [], [base.Get("/a")] * 129),
        ):
            with self.assertRaises(api.StoreError):
                call()
