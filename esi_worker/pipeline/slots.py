"""The threads that handlers run in, and the outside systems that share them."""

from __future__ import annotations

import collections
import dataclasses
import queue
import threading
import time
from collections.abc import Callable

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(eq=False)
class Call:
    """One call that a slot makes.

    :ivar lane: the outside system it needs
    :ivar work: what to do; its result goes to whoever made the call
    :ivar started: ``time.monotonic()``, 0 before
    """

    lane: str
    work: Callable[[], None]
    started: float = 0.0


class Slots:
    """A fixed number of threads.  One that does not come back is abandoned and replaced.

    One outside system may take only a share of them, and all systems in trouble together only half: what waits
    for a dead one must not take the slots that others need.

    :param size: threads
    :param share: how many of them one outside system may take
    """

    def __init__(self, size: int, share: int) -> None:
        self.size = size
        self._share = share
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._busy: set[Call] = set()
        self._active: collections.Counter[str] = collections.Counter()
        self._troubled: set[str] = set()
        self._lock = threading.Lock()
        for _ in range(size):
            self._start_thread()

    @property
    def free(self) -> int:
        """Slots without work."""
        with self._lock:
            return self.size - len(self._busy)

    def room(self, lane: str) -> int:
        """How many more calls to this outside system may start now."""
        with self._lock:
            free = self.size - len(self._busy)
            if not lane:
                return free
            if lane in self._troubled:
                in_trouble = sum(self._active[each] for each in self._troubled)
                return min(free, 1 - self._active[lane], max(1, self.size // 2) - in_trouble)
            return min(free, self._share - self._active[lane])

    def submit(self, call: Call) -> None:
        """Run a call that :meth:`room` admitted."""
        with self._lock:
            self._busy.add(call)
            self._active[call.lane] += 1
        self._calls.put(call)

    def trouble(self, lane: str, *, troubled: bool) -> None:
        """An outside system did not answer, or answers again."""
        with self._lock:
            if troubled and lane:
                self._troubled.add(lane)
            else:
                self._troubled.discard(lane)

    def overdue(self, limit: float) -> list[Call]:
        """Calls that run for longer than a limit in seconds: their threads are given up and replaced."""
        now = time.monotonic()
        with self._lock:
            late = [call for call in self._busy if call.started and now - call.started > limit]
            for call in late:
                self._release(call)
        for _ in late:
            self._start_thread()
        return late

    def wait_idle(self, timeout: float) -> bool:
        """:returns: whether all calls ended within so many seconds."""
        deadline = time.monotonic() + timeout
        idle = threading.Event()
        while self.free < self.size and time.monotonic() < deadline:
            idle.wait(0.02)
        return self.free == self.size

    def close(self) -> None:
        """End the threads that have nothing to do; the others are daemons."""
        for _ in range(self.size):
            self._calls.put(None)

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name="slot", daemon=True).start()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call.started = time.monotonic()
            try:
                call.work()
            finally:
                with self._lock:
                    abandoned = call not in self._busy
                    if not abandoned:
                        self._release(call)
            if abandoned:
                return  # another thread has this one's place

    def _release(self, call: Call) -> None:
        self._busy.discard(call)
        self._active[call.lane] -= 1
        if not self._active[call.lane]:
            del self._active[call.lane]
