"""``python -m tests.oracle --seeds N``: as many random deployments as wanted, and what they came to."""

import argparse
import collections
import sys
import time

from tests.oracle import compare
from tests.oracle import deployments


def main():
    """:returns: 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=250)
    arguments = parser.parse_args()
    count, events, failed, waiting, left_out = 0, 0, 0, 0, collections.Counter()
    start = time.monotonic()
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        deployment = deployments.Deployment(seed, arguments.jobs)
        compared, lines = compare.differences(deployment)
        count, events = count + compared, events + len(deployment.events)
        waiting += len(deployment.oracle.waiting)
        left_out.update(deployment.left_out)
        if lines:
            failed += 1
            print(f"seed {seed}:", *lines[:4], sep="\n  ")
    taken = time.monotonic() - start
    print(f"{arguments.seeds} seeds, {events} events, {count} jobs compared, {failed} seeds differ, {taken:.1f} s")
    print(f"{waiting} resources waited for ever; events left out:")
    for reason, times in left_out.most_common(20):
        print(f"  {times:6} {reason}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
