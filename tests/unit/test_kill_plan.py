"""Which kill points are tried, in which order, and when there are no more of them."""

import random
import unittest

from tests.chaos import killpoints
from tests.chaos import plan as plans


def series(known, seed=1):
    return plans.Series("worker", killpoints.KINDS[0], known, random.Random(seed))


def tried(points, requests):
    """Try all points of a series in runs that take so many requests, one after another; how many the n-th run takes
    may differ."""
    found = []
    while (point := points.take()) is not None:
        found.append(point.number)
        points.tell(point.number, reached=point.number <= requests(len(found)))
    return found


class SeriesTest(unittest.TestCase):
    def test_every_request_is_tried_once_and_three_beyond_the_last(self):
        points = series(10)
        self.assertEqual([*range(1, 14)], sorted(tried(points, lambda run: 10)))
        self.assertEqual((10, 10), (points.last, points.reached))

    def test_runs_that_take_more_requests_than_were_known(self):
        points = series(4)
        self.assertEqual([*range(1, 21)], sorted(tried(points, lambda run: 17)))
        self.assertEqual((17, 17), (points.last, points.reached))

    def test_runs_that_take_fewer_requests_than_were_known(self):
        points = series(10)
        self.assertEqual([*range(1, 11)], sorted(tried(points, lambda run: 6)))
        self.assertEqual((6, 6), (points.last, points.reached))

    def test_what_one_run_did_not_come_to_another_may(self):
        points = series(10)
        numbers = tried(points, lambda run: 4 if run <= 10 and run % 2 else 10)
        self.assertEqual({*range(1, 14)}, set(numbers))
        self.assertEqual((10, 10), (points.last, points.reached))

    def test_what_hardly_any_run_comes_to_is_given_up_and_counted(self):
        points = series(10)
        found = []
        while (point := points.take()) is not None:
            found.append(point.number)
            points.tell(point.number, reached=point.number <= 10 and point.number != 7)
        self.assertLess(1, found.count(7))
        self.assertEqual((10, 9), (points.last, points.reached))
        self.assertEqual(["before 7"], points.missed)

    def test_a_point_is_not_given_to_two_lanes(self):
        points = series(3)
        taken = [points.take() for _ in range(4)]
        self.assertEqual({1, 2, 3, None}, {each and each.number for each in taken})

    def test_a_seed_makes_the_order(self):
        orders = {seed: [series(40, seed).take().number for _ in range(2)] for seed in (1, 2, 3)}
        self.assertTrue(all(first == second for first, second in orders.values()))
        self.assertLess(1, len({first for first, _ in orders.values()}))


class PlanTest(unittest.TestCase):
    def plan(self, requests=2):
        uncut = killpoints.Outcome(killpoints.Point("worker", killpoints.UNCUT, "after"), False, requests, 0.0, ())
        return plans.Plan([uncut], random.Random(1))

    def end(self, plan, runs=100, last=2):
        for _ in range(runs):
            point = plan.take()
            if point is None:
                break
            plan.tell(killpoints.Outcome(point, point.number <= last, 5, 1.0, ()))

    def test_both_kinds_at_every_request(self):
        plan = self.plan()
        self.end(plan)
        swept = plan.swept(over=False)
        reached = {(each.point.kind, each.point.number) for each in swept.outcomes if each.reached}
        self.assertEqual({(kind, number) for kind in killpoints.KINDS for number in (1, 2)}, reached)
        self.assertEqual("all 4 points", str(swept))

    def test_the_time_was_over(self):
        plan = self.plan(requests=10)
        self.end(plan, runs=5, last=10)
        self.assertEqual("5 of 20 points, the time was over", str(plan.swept(over=True)))
