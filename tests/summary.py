"""Counts what a run of the tests came to: ``stestr last --subunit | python tests/summary.py``.

Prints ``N passed, N failed`` (and ``, N skipped`` where there are any); fails if a test did, or if none was run.
"""

import collections
import sys

import subunit
import testtools

PASSED = ("success", "xfail")
SKIPPED = ("skip",)


def count(stream):
    """:returns: how many tests of a subunit stream passed, failed (or never ended) and were skipped."""
    statuses = collections.Counter()
    result = testtools.StreamToDict(lambda test: statuses.update([test["status"]]))
    result.startTestRun()
    subunit.ByteStreamToStreamResult(stream, non_subunit_name="stdout").run(result)
    result.stopTestRun()
    del statuses["exists"]
    passed = sum(statuses[each] for each in PASSED)
    skipped = sum(statuses[each] for each in SKIPPED)
    return passed, statuses.total() - passed - skipped, skipped


def main():
    passed, failed, skipped = count(sys.stdin.buffer)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
