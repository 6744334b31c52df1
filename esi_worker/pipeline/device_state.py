"""What the monitor remembers of one device: who wants to know what, what was answered, when to ask again.

No I/O and no locks: the monitor holds its lock around every call.
"""

from __future__ import annotations

import dataclasses
import math
import random
from typing import Final

from esi_worker import api

READ: Final = "read"
CONNECT: Final = "connect"
RETRY: Final = "retry"
LANES: Final = (READ, CONNECT, RETRY)

_FORGET_AFTER: Final = 60.0
_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 60.0
_RETRY_AFTER_REFUSAL: Final = 30.0
"""Seconds: routers lock out who tries wrong passwords in a row."""
_EARLY: Final = 0.9
"""Who looks every second looks a little early or late; with less than this every second look would count."""


@dataclasses.dataclass(slots=True)
class Watched:
    """One target: times are of the monitor's clock.

    :ivar interval: seconds between two readings, as the last observer wanted
    :ivar seen_at: when it was last observed
    :ivar asked_at: when the device was last asked
    :ivar due: whether it is to be asked for now
    """

    target: api.Target
    interval: float
    seen_at: float
    asked_at: float = -math.inf
    due: bool = False
    reading: api.Reading = dataclasses.field(default_factory=lambda: api.Reading(None))


class DeviceState:
    """One device under one transport.

    :ivar session: the kept session; touched by whoever has set ``busy``
    :ivar busy: whether a thread is at it, or about to be
    :ivar failures: how often in a row it could not be reached
    :ivar complaint: why it did not answer the last question though it could be reached; logged once
    """

    def __init__(self, device: api.Device) -> None:
        self.device = device
        self.session: api.Session | None = None
        self.busy = False
        self.failures = 0
        self.complaint = ""
        self._retry_at = -math.inf
        self._watched: dict[tuple[str, str], Watched] = {}

    @property
    def lane(self) -> str:
        """Where a visit waits for a thread: a kept session is read at once, a device in trouble takes its time."""
        if self.failures:
            return RETRY
        return CONNECT if self.session is None else READ

    def look(self, target: api.Target, interval: float, now: float) -> api.Reading:
        """What is known of a target; it is due where that is older than the interval."""
        key = (target.probe, api.key(target))
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = Watched(target, interval, now)
        watched.interval = interval
        watched.seen_at = now
        watched.due = watched.due or now - watched.asked_at >= interval * _EARLY
        return watched.reading

    def wants_visit(self, now: float) -> bool:
        """Whether somebody should go and ask."""
        return not self.busy and bool(self._due_probes(now))

    def take_due(self, now: float) -> dict[str, list[api.Target]]:
        """What to ask: for each probe with a due target, all its targets, for one question serves them all."""
        probes = self._due_probes(now)
        questions: dict[str, list[api.Target]] = {}
        for each in self._watched.values():
            if each.target.probe in probes:
                questions.setdefault(each.target.probe, []).append(each.target)
                each.due, each.asked_at = False, now
        return questions

    def _due_probes(self, now: float) -> set[str]:
        """None at all while the device is left alone after a failure."""
        if now < self._retry_at:
            return set()
        return {each.target.probe for each in self._watched.values() if each.due}

    def note(self, target: api.Target, reading: api.Reading) -> None:
        """The device was asked for a target, and this came of it."""
        watched = self._watched.get((target.probe, api.key(target)))
        if watched is not None:
            watched.reading = reading

    def answered(self) -> None:
        """The device is well."""
        self.failures = 0
        self._retry_at = -math.inf

    def failed(self, error: str, now: float, *, refused: bool) -> float:
        """The device can't be reached: that is the reading of all its targets.

        :param refused: whether it refused the login
        :returns: seconds until it is tried again
        """
        self.failures += 1
        delay = min(_LAST_RETRY, _FIRST_RETRY * 2.0 ** min(self.failures - 1, 10)) * random.uniform(0.75, 1.0)
        if refused:
            delay = max(delay, _RETRY_AFTER_REFUSAL * random.uniform(1.0, 1.25))
        self._retry_at = now + delay
        for each in self._watched.values():
            each.reading = api.Reading(None, error, now)
            # Due at the next look: it is the delay that counts now, not the interval.
            each.due, each.asked_at = False, -math.inf
        return delay

    def forget(self, now: float) -> bool:
        """Drop the targets that nobody has observed for three of their intervals.

        :returns: whether none is left
        """
        self._watched = {
            key: each
            for key, each in self._watched.items()
            if now - each.seen_at <= max(_FORGET_AFTER, 3 * each.interval)
        }
        return not self._watched
