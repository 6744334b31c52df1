"""The queue of jobs as an operator sees it: read only, tolerant of what it does not know."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

READY: Final = "ready"
WAITS: Final = "waits"
CLAIMED: Final = "claimed"
FAILED: Final = "failed"

_ACTIONS: Final = (api.CREATE, api.MODIFY, api.DELETE, api.LOGICAL_DELETE)


@dataclasses.dataclass(frozen=True, slots=True)
class Queued:
    """A job that isn't finished.

    :ivar attempts: attempts that ended in a temporary error before
    :ivar waits_for: the dependencies that are left
    :ivar worker: who has claimed it; empty if nobody has
    :ivar failure: why it failed; None if it did not
    """

    job: api.Job
    attempts: int = 0
    waits_for: tuple[str, ...] = ()
    worker: str = ""
    failure: str | None = None

    @property
    def state(self) -> str:
        """``failed``, ``claimed``, ``waits`` or ``ready``."""
        if self.failure is not None:
            return FAILED
        if self.worker:
            return CLAIMED
        return WAITS if self.waits_for else READY

    @property
    def doing(self) -> str:
        """In a few words, what it is at."""
        if self.failure is not None:
            return f"failed: {self.failure}"
        if self.worker:
            return f"claimed by {self.worker}"
        return f"waits for {', '.join(self.waits_for)}" if self.waits_for else "ready, nobody has claimed it"


def read(store: base.Store) -> list[Queued]:
    """All unfinished jobs, in the order they were written."""
    entries = sorted(store.list(keys.JOBS).entries, key=lambda entry: (entry.create_revision, entry.key))
    return build({entry.key: entry.value for entry in entries})


def read_of(store: base.Store, ref: api.Ref, handlers: Iterable[str]) -> list[Queued]:
    """The unfinished jobs of one resource: what this costs does not depend on how many others there are.

    :param handlers: the handlers whose jobs are looked for
    """
    prefixes = [keys.job(f"{action}:{handler}:{ref}:") for action in _ACTIONS for handler in handlers]
    entries = [entry for prefix in prefixes for entry in store.list(prefix).entries]
    found = {entry.key: entry.value for entry in sorted(entries, key=lambda entry: (entry.create_revision, entry.key))}
    about = set()
    for job, _ in filter(None, map(_job, found.values())):
        about |= {keys.claim(job.id), keys.failed(job.id), *(keys.job(each) for each in job.dependency)}
    wanted = sorted(about - found.keys())
    for start in range(0, len(wanted), base.MAX_OPERATIONS):
        gets = [base.Get(key) for key in wanted[start : start + base.MAX_OPERATIONS]]
        found |= {entry.key: entry.value for entry in store.transact([], gets).entries if entry is not None}
    return of(build(found), ref)


def build(entries: Mapping[str, bytes]) -> list[Queued]:
    """Put together what the keys under ``/jobs/`` say, in their order."""
    jobs = [_job(value) for key, value in entries.items() if key.startswith(keys.ALL_JOBS)]
    left = {job.id for job, _ in filter(None, jobs)}
    return [_queued(job, attempts, left, entries) for job, attempts in filter(None, jobs)]


def of(jobs: Iterable[Queued], ref: api.Ref) -> list[Queued]:
    """The jobs of one resource."""
    return [each for each in jobs if each.job.ref == ref]


def _queued(job: api.Job, attempts: int, left: set[str], entries: Mapping[str, bytes]) -> Queued:
    claim, failure = entries.get(keys.claim(job.id)), entries.get(keys.failed(job.id))
    return Queued(
        job,
        attempts,
        waits_for=tuple(each for each in job.dependency if each in left),
        worker="" if claim is None else _member(claim, "worker"),
        failure=None if failure is None else _member(failure, "message"),
    )


def _job(value: bytes) -> tuple[api.Job, int] | None:
    try:
        _, document, attempts = codec.decode(value)
        return api.Job.from_document(document), int(attempts)
    except (api.DocumentError, KeyError, TypeError, ValueError):
        return None


def _member(value: bytes, name: str) -> str:
    try:
        document: Any = codec.decode(value)
    except api.DocumentError:
        return "?"
    return str(document.get(name, "?")) if isinstance(document, dict) else "?"
