"""Trouble with one project and one router is trouble for those that need them, not for the others."""

from __future__ import annotations

import sys
import unittest

from tests.chaos import isolation


class IsolationTest(unittest.TestCase):
    def test_others_go_on_at_their_usual_pace(self):
        outcome = isolation.measure(40)
        sys.stdout.write(f"\n{outcome}\n")
        # A figure to look at; what is asserted is that nobody waits for a timeout of the hung ones.
        self.assertLess(outcome.troubled, outcome.quiet + 20)
