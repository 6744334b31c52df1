"""The line that counts the tests says what the stream says."""

import io
import unittest

import subunit

from tests import summary


class CountTest(unittest.TestCase):
    def count(self, *statuses):
        stream = io.BytesIO()
        result = subunit.StreamResultToBytes(stream)
        for number, status in enumerate(statuses):
            result.status(test_id=f"test.{number}", test_status="inprogress")
            if status:
                result.status(test_id=f"test.{number}", test_status=status)
        stream.seek(0)
        return summary.count(stream)

    def test_each_is_counted(self):
        self.assertEqual((2, 1, 1), self.count("success", "fail", "success", "skip"))

    def test_expected_failures(self):
        self.assertEqual((1, 1, 0), self.count("xfail", "uxsuccess"))

    def test_a_test_that_never_ended_failed(self):
        self.assertEqual((1, 1, 0), self.count("success", None))

    def test_no_test_at_all(self):
        self.assertEqual((0, 0, 0), self.count())
