"""The queue of jobs as a worker sees it: what is ready, claiming it, finishing it.

A job is ready when none of its dependencies is left in ``/jobs/all`` and nobody claims it: that can be told from
the jobs themselves, so no key says it, and releasing a job writes nothing.  The claim's transaction proves it once
more in etcd (I4).
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

from oslo_log import log as logging

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_MARKS = (keys.CLAIMS, keys.FAILED)
"""What stands under these keeps a job from being offered."""

_PROVEN = 100
"""So many dependencies are proven in the claim's transaction; etcd takes 128 conditions."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """What is kept of a job that waits: enough to choose it, to claim it and to fetch what it needs.

    :ivar lane: the outside system that it needs
    :ivar create_revision: of the job's key
    """

    job_id: str
    job: api.Job
    lane: str
    create_revision: int

    def conditions(self) -> list[base.Compare]:
        """The job is there and did not fail, nobody claims it, and what it waits for is finished."""
        waited = [base.absent(keys.job(each)) for each in self.job.dependency[:_PROVEN]]
        return [
            base.created_at(keys.job(self.job_id), self.create_revision),
            base.absent(keys.claim(self.job_id)),
            base.absent(keys.failed(self.job_id)),
            *waited,
        ]


class JobQueue:
    """All unfinished jobs, and which of them are ready.  Not thread-safe: its worker guards it.

    :param handlers: the handlers that this worker has; jobs of others are known but never ready
    :param lane_of: the outside system that a job needs
    """

    def __init__(self, handlers: Collection[str], lane_of: Callable[[api.Job], str]) -> None:
        self._handlers = frozenset(handlers)
        self._lane_of = lane_of
        self._known: set[str] = set()
        self._pending: dict[str, Pending] = {}
        self._missing: dict[str, set[str]] = {}
        self._dependants: dict[str, set[str]] = collections.defaultdict(set)
        self._chosen: set[str] = set()
        self._marked: set[str] = set()
        self._lanes: collections.OrderedDict[str, dict[str, None]] = collections.OrderedDict()

    def listed(self, snapshot: base.Snapshot) -> None:
        """Everything under ``/jobs/``: what is known beyond it is gone."""
        present = {entry.key for entry in snapshot.entries}
        for job_id in [each for each in self._known if keys.job(each) not in present]:
            self._gone(job_id)
        freed = self._chosen | {_job_id(key) for key in self._marked - present}
        self._marked = {key for key in present if key.startswith(_MARKS)}
        for job_id in freed:
            self._freed(job_id)
        # All keys are known before the first job is looked at: a dependency may come after its dependant.
        self._known |= {key.removeprefix(keys.ALL_JOBS) for key in present if key.startswith(keys.ALL_JOBS)}
        for entry in snapshot.entries:
            self._put(entry)

    def changed(self, batch: base.Batch) -> None:
        """Changes under ``/jobs/``."""
        puts = [event.entry for event in batch.events if event.kind == base.PUT]
        self._known |= {e.key.removeprefix(keys.ALL_JOBS) for e in puts if e.key.startswith(keys.ALL_JOBS)}
        for event in batch.events:
            if event.kind == base.PUT:
                self._put(event.entry)
            elif event.entry.key.startswith(keys.ALL_JOBS):
                self._gone(event.entry.key.removeprefix(keys.ALL_JOBS))
            elif event.entry.key.startswith(_MARKS):
                self._marked.discard(event.entry.key)
                self._freed(_job_id(event.entry.key))

    def ready(self, allowed: Callable[[str], bool]) -> Iterator[Pending]:
        """Ready jobs, taking turns among the outside systems, so that none starves the rest.

        :param allowed: whether another job of a lane may start now; asked anew for each job
        """
        while True:
            lane = next((each for each in self._lanes if allowed(each)), None)
            if lane is None:
                return
            job_id = next(iter(self._lanes[lane]))
            self.take(job_id)
            if lane in self._lanes:
                self._lanes.move_to_end(lane)
            yield self._pending[job_id]

    def take(self, job_id: str) -> None:
        """The worker is about to claim the job: it is not offered meanwhile."""
        self._chosen.add(job_id)
        self._unready(job_id)

    def give_back(self, job_id: str) -> None:
        """The worker did not claim the job, or gave it up; somebody else may have it."""
        self._freed(job_id)

    def _put(self, entry: base.Entry) -> None:
        if entry.key.startswith(_MARKS):
            self._marked.add(entry.key)
            self._unready(_job_id(entry.key))
            return
        job_id = entry.key.removeprefix(keys.ALL_JOBS)
        if not entry.key.startswith(keys.ALL_JOBS) or job_id in self._pending:
            return
        try:
            job = api.Job.from_document(codec.decode(entry.value)[1])
        except (api.DocumentError, KeyError, TypeError, IndexError) as error:
            LOG.error("%s is no job that esi-worker wrote, it is left aside: %r", entry.key, error)
            return
        lane = self._lane_of(job) if job.handler in self._handlers else ""
        self._pending[job_id] = Pending(job_id, job, lane, entry.create_revision)
        self._missing[job_id] = {each for each in job.dependency if each in self._known}
        for each in self._missing[job_id]:
            self._dependants[each].add(job_id)
        self._offer(job_id)

    def _gone(self, job_id: str) -> None:
        self._known.discard(job_id)
        self._unready(job_id)
        self._chosen.discard(job_id)
        self._pending.pop(job_id, None)
        self._missing.pop(job_id, None)
        for dependant in self._dependants.pop(job_id, ()):
            if dependant in self._missing:
                self._missing[dependant].discard(job_id)
                self._offer(dependant)

    def _freed(self, job_id: str) -> None:
        self._chosen.discard(job_id)
        self._offer(job_id)

    def _offer(self, job_id: str) -> None:
        pending = self._pending.get(job_id)
        if pending is None or job_id in self._chosen or self._missing[job_id]:
            return
        if keys.claim(job_id) in self._marked or keys.failed(job_id) in self._marked:
            return
        if pending.job.handler in self._handlers:
            self._lanes.setdefault(pending.lane, {})[job_id] = None

    def _unready(self, job_id: str) -> None:
        pending = self._pending.get(job_id)
        lane = self._lanes.get(pending.lane) if pending else None
        if pending is not None and lane is not None:
            lane.pop(job_id, None)
            if not lane:
                del self._lanes[pending.lane]


def _job_id(mark: str) -> str:
    """The job that a key under :data:`_MARKS` is about."""
    return mark.rpartition("/")[2]
