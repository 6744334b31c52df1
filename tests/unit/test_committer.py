"""The end of a job is written once, whatever happens to the answer."""

import threading
import unittest

from esi_worker import api
from esi_worker.pipeline import committer
from esi_worker.pipeline import outcome
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory
from tests.unit.jobs import job


class Unsteady(memory.MemoryStore):
    """Fails as it is told: before or after the transaction was applied."""

    def __init__(self):
        super().__init__()
        self.faults = []
        self.transactions = 0

    def transact(self, compares, success, failure=()):
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise api.StoreError("refused", unknown=False)
        if fault == "never":
            raise api.StoreError("too large", permanent=True)
        self.transactions += 1
        result = super().transact(compares, success, failure)
        if fault == "after":
            raise api.StoreError("no answer", unknown=True)
        return result


class CommitterTest(unittest.TestCase):
    def setUp(self):
        self.store = Unsteady()
        self.committer = committer.Committer(self.store)
        self.addCleanup(self.committer.close, 5)

    def claim(self, name="port:p"):
        each = job(name)
        self.store.put(keys.job(each.id), codec.encode([each.handler, each.to_document(), 0]))
        self.store.put(keys.claim(each.id), b"{}")
        revision = self.store.get(keys.claim(each.id)).create_revision
        path = keys.Path("v2.0", "ports", each.resource_id)
        return outcome.Claim(each, revision, 0, path, "heat_stacks", {}, None, {})

    def commit(self, claim, finish=None):
        ended = threading.Event()
        answers = []

        def accepted(taken):
            answers.append(taken)
            ended.set()

        def refused(message):
            answers.append(message)
            ended.set()

        finish = finish or outcome.done(claim, api.Done({"heat_outputs": []}))
        self.committer.submit(committer.Commit(claim, finish, accepted, refused))
        self.assertTrue(ended.wait(5))
        return answers

    def test_a_finish_is_taken(self):
        claim = self.claim()
        self.assertEqual([True], self.commit(claim))
        self.assertIsNone(self.store.get(keys.job(claim.job.id)))
        self.assertIsNone(self.store.get(keys.claim(claim.job.id)))
        self.assertEqual(
            "CREATE_COMPLETED", codec.decode(self.store.get(claim.path.state).value)["state"]["worker_state"]
        )

    def test_a_stale_claim_finishes_nothing(self):
        claim = self.claim()
        self.store.delete(keys.claim(claim.job.id))
        self.store.put(keys.claim(claim.job.id), b"{}")
        self.assertEqual([False], self.commit(claim))
        self.assertIsNone(self.store.get(claim.path.state))
        self.assertIsNotNone(self.store.get(keys.job(claim.job.id)))

    def test_a_lost_answer_is_followed_by_a_look_and_not_by_repetition(self):
        claim = self.claim()
        self.store.faults = ["after"]
        self.assertEqual([True], self.commit(claim))
        self.assertEqual(1, self.store.transactions)

    def test_what_was_not_applied_is_written_again(self):
        claim = self.claim()
        self.store.faults = ["before", "before"]
        self.assertEqual([True], self.commit(claim))
        self.assertIsNotNone(self.store.get(claim.path.state))

    def test_what_etcd_never_takes_is_told(self):
        claim = self.claim()
        self.store.faults = ["never"]
        self.assertEqual(["too large"], self.commit(claim))

    def test_one_stale_claim_in_a_group_does_not_harm_the_others(self):
        claims = [self.claim(f"port:p{n}") for n in range(6)]
        self.store.delete(keys.claim(claims[3].job.id))
        answers = {}
        ended = threading.Semaphore(0)

        def taking(number):
            def accepted(taken):
                answers[number] = taken
                ended.release()

            return accepted

        for number, claim in enumerate(claims):
            finish = outcome.done(claim, api.Done())
            self.committer.submit(committer.Commit(claim, finish, taking(number), self.fail))
        for _ in claims:
            self.assertTrue(ended.acquire(timeout=5))
        self.assertEqual({0: True, 1: True, 2: True, 3: False, 4: True, 5: True}, answers)
