import json
import unittest

from etcd3gw import exceptions

from esi_worker.store import failures


def answered(code: int, text: str) -> failures.Failure:
    """What etcd answered, as etcd3gw raises it."""
    body = json.dumps({"error": text, "code": code, "message": text})
    return failures.read(exceptions.Etcd3Exception(body, "Reason"), sent=True)


class FailuresTest(unittest.TestCase):
    def unknown(self, failure: failures.Failure) -> bool:
        return failures.to_error(failure, "put /a", "", reads=False).unknown

    def test_a_refusal_was_not_applied_and_is_not_tried_elsewhere(self) -> None:
        for code, text in (
            (3, "etcdserver: request is too large"),
            (5, "etcdserver: requested lease not found"),
            (7, "etcdserver: permission denied"),
            (8, "etcdserver: mvcc: database space exceeded"),
            (8, "etcdserver: too many requests"),
            (16, "etcdserver: invalid auth token"),
        ):
            with self.subTest(text=text):
                failure = answered(code, text)
                self.assertEqual((False, False), (self.unknown(failure), failure.elsewhere))

    def test_no_leader_was_not_applied_and_is_tried_elsewhere(self) -> None:
        failure = answered(14, "etcdserver: no leader")
        self.assertEqual((False, True), (self.unknown(failure), failure.elsewhere))

    def test_what_may_have_been_applied_is_unknown(self) -> None:
        for code, text in (
            (14, "etcdserver: request timed out"),
            (14, "etcdserver: request timed out, possibly due to previous leader failure"),
            (14, "transport is closing"),
            (2, "whatever"),
            (13, "internal"),
        ):
            with self.subTest(text=text):
                self.assertTrue(self.unknown(answered(code, text)))

    def test_a_read_is_never_unknown(self) -> None:
        self.assertFalse(failures.to_error(answered(2, "whatever"), "get /a", "", reads=True).unknown)

    def test_no_answer_is_unknown_if_it_was_sent(self) -> None:
        for error in (exceptions.ConnectionFailedError("reset"), exceptions.ConnectionTimeoutError("timed out")):
            sent = failures.read(error, sent=True)
            not_sent = failures.read(error, sent=False)
            self.assertEqual((True, False), (self.unknown(sent), self.unknown(not_sent)))
            self.assertEqual((True, True), (sent.elsewhere, not_sent.elsewhere))

    def test_a_503_of_a_balancer_is_unknown_and_tried_elsewhere(self) -> None:
        body = "<html>\n <h1>503</h1>\n</html>"
        failure = failures.read(exceptions.ConnectionFailedError(body, "Service Unavailable"), sent=True)
        self.assertEqual((True, True), (self.unknown(failure), failure.elsewhere))
        self.assertIn("<h1>503</h1>", failure.text)

    def test_every_form_of_an_error_is_read(self) -> None:
        for body, expected in (
            ('{"error":"e","code":3,"message":"m"}', (3, "m")),
            ('{"code":3,"message":"m","details":[]}', (3, "m")),
            ('{"error":{"grpc_code":14,"http_code":503,"message":"m"}}', (14, "m")),
            ('{"error":{"code":14,"message":"m"}}', (14, "m")),
            ('{"error":"e"}', (2, "e")),
            ("[1]", (2, "[1]")),
            ("", (2, "")),
        ):
            self.assertEqual(expected, failures.parse(body, 2))

    def test_operators_are_told_plainly(self) -> None:
        for failure, words in (
            (answered(8, "etcdserver: mvcc: database space exceeded"), "alarm NOSPACE"),
            (answered(7, "etcdserver: permission denied"), "the user 'worker': permission denied"),
            (answered(3, "etcdserver: too many operations in txn request"), "--max-txn-ops"),
            (answered(2, "something new"), "something new"),
        ):
            self.assertIn(words, failures.plain(failure, "worker"))

    def test_only_a_stale_token_is_renewed(self) -> None:
        self.assertTrue(answered(16, "etcdserver: invalid auth token").stale_token)
        self.assertTrue(answered(3, "etcdserver: revision of auth store is old").stale_token)
        self.assertFalse(answered(7, "etcdserver: permission denied").stale_token)
