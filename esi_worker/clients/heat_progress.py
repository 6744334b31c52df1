"""Which stacks of a project are in progress: asked once for all the jobs that wait for one of them."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping


@dataclasses.dataclass(slots=True)
class _Project:
    """What is known of one project.

    :ivar flight: held by the thread that asks Heat
    :ivar due: ``time.monotonic()`` from which on Heat may be asked again
    :ivar stacks: name -> status of the stacks in progress when Heat was last asked; None before that
    :ivar noted: the same for those that were set going since
    """

    flight: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    due: float = 0.0
    stacks: Mapping[str, str] | None = None
    noted: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """A stack was in progress when Heat was last asked.

    :ivar status: such as ``CREATE_IN_PROGRESS``; empty where Heat could not be asked yet
    :ivar delay: seconds after which there is more to know
    """

    status: str
    delay: float


class Board:
    """Tells the jobs that wait for stacks how these are doing, with one call per project and interval.

    What it says may be out of date by an interval, so it only ever tells a job to wait; one that need not wait
    looks at its stack itself.  One thread asks for all; the others get the last answer meanwhile and never wait
    for it, except where there is none.

    :param fetch: ``fetch(tenant)`` gives name -> status of all stacks in progress
    :param interval: seconds
    """

    def __init__(self, fetch: Callable[[str], Mapping[str, str]], interval: float) -> None:
        self._fetch = fetch
        self._interval = interval
        self._lock = threading.Lock()
        self._projects: dict[str, _Project] = {}

    def progress(self, tenant: str, name: str) -> Progress | None:
        """How a stack is doing; None if it need not be waited for.

        :raises JobError: whatever fetch raises; the next call asks an interval later
        """
        project = self._project(tenant)
        if time.monotonic() >= project.due and project.flight.acquire(blocking=project.stacks is None):
            try:
                if time.monotonic() >= project.due:
                    self._refresh(project, tenant)
            finally:
                project.flight.release()
        with self._lock:
            stacks = project.stacks
            status = "" if stacks is None else project.noted.get(name, stacks.get(name))
        return None if status is None else Progress(status, self._delay(project))

    def note(self, tenant: str, name: str, status: str) -> None:
        """A stack was just set going: spares those who wait for it a look of their own."""
        project = self._project(tenant)
        with self._lock:
            project.noted[name] = status

    def _project(self, tenant: str) -> _Project:
        with self._lock:
            return self._projects.setdefault(tenant, _Project())

    def _refresh(self, project: _Project, tenant: str) -> None:
        with self._lock:
            before = dict(project.noted)
        try:
            stacks = self._fetch(tenant)
            with self._lock:
                project.stacks = stacks
                # What was noted while Heat answered may be missing in the answer.
                project.noted = {name: each for name, each in project.noted.items() if before.get(name) != each}
        finally:
            project.due = time.monotonic() + self._interval

    def _delay(self, project: _Project) -> float:
        """Until the next answer is due; where it is late, longer the later it is."""
        late = time.monotonic() - project.due
        return max(-late, late, self._interval / 10)
