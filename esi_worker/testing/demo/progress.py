"""How far each resource of the demo is, told from etcd."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Final

from esi_worker import api
from esi_worker.cmd import documents
from esi_worker.cmd import goals
from esi_worker.cmd import mirror
from esi_worker.cmd import points
from esi_worker.cmd import queue
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.store import keys
from esi_worker.testing.demo import world

EVERYTHING: Final = "/"
_NAME_WIDTH: Final = 28


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """How far one resource is.

    :ivar reached: the points that it has reached
    :ivar now: what it is at, in a few words
    :ivar complete: whether nothing is to come any more
    """

    ref: api.Ref
    name: str
    status: resources.Status
    reached: frozenset[int]
    now: str
    complete: bool


class Progress:
    """Compares what etcd says with what the world asks for.

    :param wanted: the documents that were applied
    """

    def __init__(self, here: session.Session, copy: mirror.Mirror, wanted: world.World) -> None:
        self._here = here
        self._copy = copy
        self._wanted = wanted
        self._paths = {each.ref: here.path(each.ref.resource_type, each.ref.resource_id) for each in wanted.documents}
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._started

    def steps(self) -> list[Step]:
        """All resources, in the order in which they were applied."""
        jobs = self._jobs()
        names = {each.ref: _name(each) for each in self._wanted.documents}
        return [self._step(ref, path, names[ref], queue.of(jobs, ref)) for ref, path in self._paths.items()]

    def missing(self) -> list[str]:
        """For each resource that is not complete, why."""
        jobs = self._jobs()
        return [
            f"{step.ref}: {goals.reason(step.status, queue.of(jobs, step.ref), goals.DONE)}"
            if not step.status.done
            else f"{step.ref}: not all of its points are reached, only {sorted(step.reached)}"
            for step in self.steps()
            if not step.complete
        ]

    def _jobs(self) -> list[queue.Queued]:
        entries = {key: value for key in self._copy.keys(keys.JOBS) if (value := self._copy.get(key)) is not None}
        return queue.build(entries)

    def _step(self, ref: api.Ref, path: keys.Path, name: str, jobs: list[queue.Queued]) -> Step:
        status = resources.status(self._here.catalog, path, self._copy.get(path.config), self._copy.get(path.state))
        found = points.build(path, status, self._copy.get, jobs)
        reached = frozenset(each.number for each in found if each.at is not None)
        # What the gateway has to reach is fixed: all seven.  The others have what their templates give them.
        whole = frozenset(points.NUMBERS) if ref.resource_type == world.GATEWAY else frozenset({6})
        return Step(ref, name, status, reached, _now(status, jobs), status.done and whole <= reached)


def _name(document: documents.Document) -> str:
    name = str(document.body.get("name") or document.ref.resource_id)
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"


def _now(status: resources.Status, jobs: list[queue.Queued]) -> str:
    if status.settled:
        return f"{status.state} {status.error}".strip()
    for each in jobs:
        if each.state in (queue.CLAIMED, queue.FAILED):
            return f"{each.job.action}:{each.job.handler}"
    if jobs:
        count = len(jobs[0].waits_for)
        return f"waits for {count} {'job' if count == 1 else 'jobs'}" if count else jobs[0].state
    return "" if status.version is None else "not planned yet"


def failures(steps: list[Step]) -> Mapping[api.Ref, str]:
    """The resources that have failed, and why."""
    return {step.ref: f"{step.status.state}: {step.status.error}" for step in steps if step.status.failed}
