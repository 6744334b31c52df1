"""The envelopes: what can be used, what can't, and what is said then."""

import json
import unittest

from esi_worker import api
from esi_worker.pipeline import documents


class ConfigTest(unittest.TestCase):
    def parse(self, document):
        return documents.parse_config(document if isinstance(document, bytes) else json.dumps(document).encode())

    def test_a_body_is_an_object_or_its_text(self):
        for body in ({"a": 1}, '{"a": 1}'):
            envelope = self.parse({"body": body, "version": 3, "marked_for_deletion": True})
            self.assertEqual(documents.Envelope(3, True, {"a": 1}), envelope)

    def test_without_a_mark_it_is_not_marked(self):
        self.assertFalse(self.parse({"body": {}, "version": 1}).marked)

    def test_a_bad_body_leaves_the_version_known(self):
        for body, reason in (
            ("{", "not JSON"),
            ([1], "a list"),
            (None, "null"),
            ("[1]", "a list"),
            ("[" * 9999, "deep"),
        ):
            envelope = self.parse({"body": body, "version": 2})
            self.assertEqual((2, None), (envelope.version, envelope.body))
            self.assertIn(reason, envelope.error)
        self.assertIn("no body", self.parse({"version": 2}).error)

    def test_without_a_version_it_is_no_config_document(self):
        for document in (b"{", b"\xff\xfe", {"body": {}}, {"body": {}, "version": True}, {"version": 0}, [], "x"):
            with self.assertRaises(api.DocumentError):
                self.parse(document)


class StateTest(unittest.TestCase):
    def test_members_that_are_no_text_become_json_text(self):
        data = documents.state("CREATE_COMPLETED", 1, job_state={"heat_outputs": [], "note": "as it is"})
        self.assertEqual(
            {
                "state": {"worker_state": "CREATE_COMPLETED", "heat_outputs": "[]", "note": "as it is"},
                "version": 1,
                "error": "",
            },
            json.loads(data),
        )

    def test_worker_state_follows_the_action(self):
        names = {action: documents.worker_state(action) for action in ("create", "modify", "delete", "logical_delete")}
        self.assertEqual(
            {
                "create": "CREATE_COMPLETED",
                "modify": "MODIFY_COMPLETED",
                "delete": "DELETE_COMPLETED",
                "logical_delete": "DELETE_COMPLETED",
            },
            names,
        )
        self.assertEqual("DELETE_FAILED", documents.worker_state("logical_delete", failed=True))

    def test_what_was_published_is_read_back(self):
        self.assertEqual(
            documents.Published(4, True), documents.parse_state(documents.state("MODIFY_FAILED", 4, error="x"))
        )
        self.assertEqual(documents.Published(4, False), documents.parse_state(documents.state("READ_COMPLETE", 4)))
        for data in (b"{", b"[]", b"{}", b'{"version": null, "state": {}}'):
            self.assertIsNone(documents.parse_state(data))


class TraceTest(unittest.TestCase):
    def test_points_belong_to_a_version(self):
        data = documents.trace(2, {"1": 5})
        self.assertEqual({"1": 5}, documents.parse_trace(data, 2))
        self.assertEqual({}, documents.parse_trace(data, 3))
        self.assertEqual({}, documents.parse_trace(None, 3))
        self.assertEqual({}, documents.parse_trace(b"nonsense", 3))
