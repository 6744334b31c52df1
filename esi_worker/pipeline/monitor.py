"""The monitor: one session per device, one question for all its targets, and nobody who observes ever waits.

A device is visited when somebody observes a target of it whose reading is too old, by at most one thread at a time.
One in trouble is tried again after a delay that grows, in a lane of its own: however many devices are dead, those
that answer are read at their usual pace.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import device_state

LOG = logging.getLogger(__name__)

PROBE: Final = "probe"
TRUST: Final = "trust"
_SWEEP_INTERVAL: Final = 15.0
_QUICK: Final = 1.0
"""Seconds: a session that ended while nobody used it fails at once, a device that is silent takes longer."""


def restore(properties: Mapping[str, Any], resolve: Callable[[Mapping[str, str]], str]) -> dict[str, Any]:
    """The properties of a target as its template gave them, from how its record has them.

    :param properties: with ``{"secret": reference}`` in the place of each secret
    :param resolve: gives the secret that a reference ``{resource_type, resource_id, field}`` names
    """
    return {name: _restored(value, resolve) for name, value in properties.items()}


def _restored(value: Any, resolve: Callable[[Mapping[str, str]], str]) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"secret"} and isinstance(value["secret"], Mapping):
            return resolve(value["secret"])
        return restore(value, resolve)
    if isinstance(value, list):
        return [_restored(each, resolve) for each in value]
    return value


class DeviceMonitor:
    """Reads targets through the installed probes; an :class:`~esi_worker.api.Monitor`.

    :param probes: entry point name -> probe
    :param threads: how many devices are read at a time, and how many are connected to; of those in trouble a quarter
    :param mode: ``probe``; or ``trust``, which takes for granted that every target is as wanted
    :param clock: seconds, monotonic
    :raises ConfigError: for another mode
    """

    def __init__(
        self,
        probes: Mapping[str, api.Probe],
        *,
        threads: int = 16,
        mode: str = PROBE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in (PROBE, TRUST):
            raise api.ConfigError(f"a monitor has no mode {mode!r}: there are {PROBE} and {TRUST}")
        if mode == TRUST:
            LOG.warning("[monitoring] mode is trust: no device is asked, every target counts as it is wanted to be.")
        self._probes = probes
        self._trust = mode == TRUST
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[tuple[str, api.Device], device_state.DeviceState] = {}
        self._closed = threading.Event()
        self._lanes = {
            lane: concurrent.futures.ThreadPoolExecutor(size, thread_name_prefix=f"monitor-{lane}")
            for lane, size in zip(device_state.LANES, (threads, threads, max(1, threads // 4)), strict=True)
        }
        self._sweeper: threading.Thread | None = None

    def parse(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Turn one entry of a rendered monitoring template into a target.

        :raises PermanentError: naming the target and what is wrong with it
        """
        kind = properties.get("type") if isinstance(properties, Mapping) else None
        if not isinstance(kind, str) or not kind:
            raise api.PermanentError(f"target {name}: type is missing")
        probe = self._probes.get(kind)
        if self._trust:
            wanted = str(properties.get("wanted_status") or (probe or api.Probe).wanted_status)
            return api.Target(name, kind, api.Device(""), {}, wanted)
        if probe is None:
            installed = ", ".join(sorted(self._probes)) or "none"
            raise api.PermanentError(f"target {name}: there is no probe {kind!r}; installed: {installed}")
        found = probe.targets(name, properties)
        return dataclasses.replace(found, interval=found.interval or probe.interval)

    def observe(self, targets: Sequence[api.Target], interval: float) -> Mapping[str, api.Reading]:
        """What is known of these targets now; what is older than the interval is asked for in the background.

        :param interval: seconds
        """
        now = self._clock()
        if self._trust:
            return {each.name: api.Reading(each.wanted_status, at=now, trusted=True) for each in targets}
        with self._lock:
            states = {each.name: self._state(each) for each in targets}
            readings = {each.name: states[each.name].look(each, interval, now) for each in targets}
            for state in dict.fromkeys(states.values()):
                if not self._closed.is_set() and state.wants_visit(now):
                    state.busy = True
                    self._lanes[state.lane].submit(self._visit, state)
            self._start_sweeper()
        return readings

    def published(self, target: api.Target, reading: api.Reading) -> str:
        """The status as ``/monitoring`` shows it."""
        if reading.status is None:
            return "FAIL"
        probe = self._probes.get(target.probe)
        if probe is None:
            # Trusted to be as it is wanted, without a probe that could say it better.
            return "UP" if reading.status == api.Probe.wanted_status else reading.status.upper()
        return probe.published(reading.status)

    def sweep(self) -> None:
        """Forget the targets that nobody observes any more; close the sessions of devices without targets."""
        now = self._clock()
        with self._lock:
            idle = [key for key, state in self._states.items() if not state.busy and state.forget(now)]
            gone = [self._states.pop(key) for key in idle]
        for state in gone:
            _drop(state)

    def close(self) -> None:
        """Stop reading and close all sessions; readings that are under way are cut short."""
        with self._lock:
            self._closed.set()
            for lane in self._lanes.values():
                lane.shutdown(wait=False, cancel_futures=True)
            states = list(self._states.values())
        for state in states:
            _drop(state)

    def _state(self, target: api.Target) -> device_state.DeviceState:
        transport = self._probes[target.probe].transport or f"probe {target.probe}"
        key = (transport, target.device)
        if key not in self._states:
            self._states[key] = device_state.DeviceState(target.device)
        return self._states[key]

    def _start_sweeper(self) -> None:
        if self._sweeper is None and not self._closed.is_set():
            self._sweeper = threading.Thread(target=self._sweep_on, name="monitor-sweeper", daemon=True)
            self._sweeper.start()

    def _sweep_on(self) -> None:
        while not self._closed.wait(_SWEEP_INTERVAL):
            self.sweep()

    def _visit(self, state: device_state.DeviceState) -> None:
        """Ask a device for all that is due, also for what becomes due meanwhile."""
        while True:
            with self._lock:
                questions = {} if self._closed.is_set() else state.take_due(self._clock())
                state.busy = bool(questions)
            if not questions:
                break
            # all() ends with the first that finds the device out of reach.
            all(self._question(state, name, targets) for name, targets in questions.items())

    def _question(self, state: device_state.DeviceState, name: str, targets: Sequence[api.Target]) -> bool:
        """:returns: whether the device can be asked more."""
        try:
            answers = self._ask(state, self._probes[name], targets)
        except (api.Unreachable, api.PermanentError) as error:
            self._failed(state, error.message, refused=isinstance(error, api.PermanentError))
            return False
        except api.JobError as error:
            if error.message != state.complaint:
                LOG.warning("probe %s: %s", name, error.message)
            self._note(state, targets, {}, error.message)
            state.complaint = error.message
            return True
        except Exception:  # a probe is a plug-in: whatever it raises harms only this device
            LOG.exception("internal error in probe %s, reading %s", name, state.device)
            self._failed(state, f"internal error in probe {name}", refused=False)
            return False
        self._note(state, targets, answers, "the device does not know it")
        return True

    def _ask(
        self, state: device_state.DeviceState, probe: api.Probe, targets: Sequence[api.Target]
    ) -> Mapping[str, str]:
        """Ask over the kept session; if that has ended meanwhile, over a new one."""
        began, kept = self._clock(), state.session is not None
        try:
            return probe.read(self._session(state, probe), targets)
        except api.Unreachable:
            _drop(state)
            if not kept or self._clock() - began > _QUICK:
                raise
        return probe.read(self._session(state, probe), targets)

    def _session(self, state: device_state.DeviceState, probe: api.Probe) -> api.Session:
        """The kept session, or a new one; none any more once the monitor is closed.

        :raises Unreachable: if the device does not answer, or the monitor is closed
        """
        with self._lock:
            session = state.session
            if self._closed.is_set():
                raise api.Unreachable("the monitor is closed")
        if session is not None:
            return session
        session = probe.connect(state.device)
        with self._lock:
            if not self._closed.is_set():
                state.session = session
                return session
        session.close()
        raise api.Unreachable("the monitor is closed")

    def _note(
        self, state: device_state.DeviceState, targets: Sequence[api.Target], answers: Mapping[str, str], absent: str
    ) -> None:
        now = self._clock()
        with self._lock:
            if state.failures:
                LOG.info("%s answers again", state.device)
            state.answered()
            state.complaint = ""
            for each in targets:
                status = answers.get(api.key(each))
                state.note(each, api.Reading(status, absent if status is None else "", now))

    def _failed(self, state: device_state.DeviceState, error: str, *, refused: bool) -> None:
        _drop(state)
        with self._lock:
            delay = state.failed(error, self._clock(), refused=refused)
        log = LOG.warning if state.failures == 1 and not self._closed.is_set() else LOG.debug
        log("%s; it is tried again in %.0f s", error, delay)


def _drop(state: device_state.DeviceState) -> None:
    session, state.session = state.session, None
    if session is not None:
        session.close()
