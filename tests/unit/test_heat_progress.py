"""One question for all stacks in progress of a project."""

from __future__ import annotations

import threading
import unittest
from collections.abc import Mapping
from concurrent import futures

from esi_worker import api
from esi_worker.clients import heat_progress


class Source:
    """Answers what a test says, and counts."""

    def __init__(self, **stacks: str) -> None:
        self.stacks = stacks
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.error: Exception | None = None

    def __call__(self, tenant: str) -> Mapping[str, str]:
        self.asked.append(tenant)
        self.entered.set()
        self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return dict(self.stacks)


class BoardTest(unittest.TestCase):
    def test_what_it_says(self) -> None:
        board = heat_progress.Board(Source(one="CREATE_IN_PROGRESS"), 60)
        found = board.progress("t", "one")
        assert found is not None
        self.assertEqual("CREATE_IN_PROGRESS", found.status)
        self.assertTrue(0 < found.delay <= 60)
        self.assertIsNone(board.progress("t", "two"))

    def test_once_per_project_and_interval(self) -> None:
        source = Source()
        board = heat_progress.Board(source, 60)
        with futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda number: board.progress(f"t{number % 2}", str(number)), range(500)))
        self.assertEqual(["t0", "t1"], sorted(source.asked))

    def test_again_after_the_interval(self) -> None:
        source = Source(one="CREATE_IN_PROGRESS")
        board = heat_progress.Board(source, 0)
        self.assertIsNotNone(board.progress("t", "one"))
        source.stacks = {}
        self.assertIsNone(board.progress("t", "one"))

    def test_one_thread_asks_while_the_others_get_the_last_answer(self) -> None:
        source = Source(one="CREATE_IN_PROGRESS")
        board = heat_progress.Board(source, 0)
        board.progress("t", "one")
        source.gate.clear()
        source.entered.clear()
        with futures.ThreadPoolExecutor(1) as pool:
            asking = pool.submit(board.progress, "t", "one")
            self.assertTrue(source.entered.wait(10))
            for _ in range(20):
                self.assertIsNotNone(board.progress("t", "one"))
            self.assertEqual(2, len(source.asked))
            source.gate.set()
            asking.result(10)

    def test_a_note_counts_until_the_next_answer(self) -> None:
        source = Source()
        board = heat_progress.Board(source, 60)
        board.progress("t", "one")
        board.note("t", "one", "CREATE_IN_PROGRESS")
        self.assertIsNotNone(board.progress("t", "one"))
        soon = heat_progress.Board(source, 0)
        soon.note("t", "one", "CREATE_IN_PROGRESS")
        self.assertIsNone(soon.progress("t", "one"))

    def test_a_note_during_the_question_is_kept(self) -> None:
        source = Source()
        source.gate.clear()
        board = heat_progress.Board(source, 60)
        with futures.ThreadPoolExecutor(1) as pool:
            asking = pool.submit(board.progress, "t", "other")
            self.assertTrue(source.entered.wait(10))
            board.note("t", "one", "CREATE_IN_PROGRESS")
            source.gate.set()
            asking.result(10)
        self.assertIsNotNone(board.progress("t", "one"))

    def test_a_failure_is_told_once_per_interval(self) -> None:
        source = Source()
        source.error = api.Unreachable("no")
        board = heat_progress.Board(source, 60)
        with self.assertRaises(api.Unreachable):
            board.progress("t", "one")
        found = board.progress("t", "one")
        assert found is not None
        self.assertEqual("", found.status)
        self.assertEqual(1, len(source.asked))
