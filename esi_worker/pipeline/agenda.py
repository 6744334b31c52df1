"""What is to be done later, in the order of its time: nobody has to wait for it in a thread of their own."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import Generic
from typing import TypeVar

Thing = TypeVar("Thing")


class Agenda(Generic[Thing]):
    """Things with a time each; any thread may add some."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Thing]] = []
        self._order = itertools.count()  # things of one time stay in order, and are never compared themselves
        self._lock = threading.Lock()

    def add(self, thing: Thing, delay: float) -> None:
        """Have a thing due in so many seconds."""
        with self._lock:
            heapq.heappush(self._heap, (time.monotonic() + max(0.0, delay), next(self._order), thing))

    def take(self, now: float) -> Thing | None:
        """Take the first thing that is due.

        :param now: ``time.monotonic()``
        """
        with self._lock:
            return heapq.heappop(self._heap)[2] if self._heap and self._heap[0][0] <= now else None

    def pause(self, least: float, most: float) -> float:
        """Seconds until something is due, within these bounds."""
        with self._lock:
            if not self._heap:
                return most
            return min(most, max(least, self._heap[0][0] - time.monotonic()))

    def clear(self) -> None:
        """Nothing is to be done any more."""
        with self._lock:
            self._heap.clear()
