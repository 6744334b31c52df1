"""What the job manager writes, as operations: pure, so that it can be read and tested without etcd."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import planner
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

GROUP_OPERATIONS = 100
GROUP_BYTES = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """Operations that belong together, and what must hold for them."""

    compares: tuple[base.Compare, ...]
    operations: tuple[base.Operation, ...]

    @property
    def recorded(self) -> tuple[str, ...]:
        """The keys of the records that are written or removed."""
        return tuple(each.key for each in self.operations if each.key.startswith(keys.RECORDED))

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(len(each.key) + len(getattr(each, "value", b"")) for each in self.operations)


def job_document(job: api.Job, attempts: int = 0) -> bytes:
    """``/jobs/all/<job id>``."""
    return codec.encode([job.handler, job.to_document(), attempts])


def schedule(
    plan: planner.Plan, path: keys.Path, place: Iterable[base.Operation] = (), *, seen_at: int, now: int
) -> Write:
    """A workflow: its record, its jobs, the jobs it replaces; or READ_COMPLETE where there is nothing to do.

    :param place: what tells others where the resource stands
    :param seen_at: milliseconds since the epoch when the config document was seen
    :param now: milliseconds since the epoch
    """
    version = plan.change.version
    operations: list[base.Operation] = [base.Put(path.recorded, codec.encode(plan.recorded.to_document())), *place]
    operations += [base.Put(keys.job(job.id), job_document(job)) for job in plan.jobs]
    operations += [base.Delete(keys.job(job.id)) for job in plan.drops]
    points = {"1": seen_at, "2": now}
    if not plan.jobs:
        operations.append(base.Put(path.state, documents.state(documents.READ_COMPLETE, version)))
        points = {"1": seen_at, "6": now}
    operations.append(base.Put(path.trace, documents.trace(version, points)))
    # A job that somebody has claimed meanwhile is not dropped under their hands.
    return Write(tuple(base.absent(keys.claim(job.id)) for job in plan.drops), tuple(operations))


def new_jobs(write: Write) -> list[str]:
    """The ids of the jobs that are written."""
    return [
        each.key.removeprefix(keys.ALL_JOBS)
        for each in write.operations
        if isinstance(each, base.Put) and each.key.startswith(keys.ALL_JOBS)
    ]


def refuse(
    path: keys.Path, worker_state: str, version: int, error: str, recorded: documents.Recorded | None, *, now: int
) -> Write:
    """A document that can't be turned into jobs: its ``/state`` says why.

    :param recorded: what is there, and that this version was refused; None where another look may find it usable
    """
    operations: list[base.Operation] = [
        base.Put(path.state, documents.state(worker_state, version, error=error)),
        base.Put(path.trace, documents.trace(version, {"1": now, "6": now})),
    ]
    if recorded is not None:
        operations.append(base.Put(path.recorded, codec.encode(recorded.to_document())))
    return Write((), tuple(operations))


def forget(path: keys.Path, record_kinds: Iterable[str], place: Iterable[base.Operation] = ()) -> Write:
    """Nothing of a resource is left anywhere once it is taken down and its config document is gone.

    :param place: what told others where it stood
    """
    own = [path.record(kind) for kind in sorted(record_kinds)]
    gone = [path.recorded, path.job_state, path.trace, path.state, path.monitoring, *own]
    return Write((), (*(base.Delete(key) for key in gone), *place))


def cancel(job: api.Job, path: keys.Path | None, reason: str) -> Write:
    """A job that can't be done any more.

    :param path: of its resource, where its ``/state`` is to say so; None where something else says it
    """
    operations: list[base.Operation] = [base.Delete(keys.job(job.id))]
    if path is not None:
        failed = documents.worker_state(job.action, failed=True)
        operations.append(base.Put(path.state, documents.state(failed, job.version, error=reason)))
    return Write((base.absent(keys.claim(job.id)),), tuple(operations))


def end_failed(job_id: str) -> Write:
    """A failed job whose dependants are all cancelled."""
    return Write((), (base.Delete(keys.job(job_id)), base.Delete(keys.failed(job_id))))


def grouped(writes: Iterable[Write]) -> Iterable[Write]:
    """Several writes in one transaction each, as many as fit; etcd takes a key only once in each."""
    group: list[Write] = []
    touched: set[str] = set()
    for write in writes:
        keys_of = {each.key for each in write.operations}
        if group and (not _fits(group, write) or touched & keys_of):
            yield _joined(group)
            group, touched = [], set()
        group.append(write)
        touched |= keys_of
    if group:
        yield _joined(group)


def _fits(group: list[Write], write: Write) -> bool:
    operations = sum(len(each.operations) for each in group) + len(write.operations)
    # What was recorded is compared too: of each write no more is compared than is written.
    compares = sum(len(each.compares) for each in group) + len(write.compares)
    size = sum(each.size for each in group) + write.size
    return operations <= GROUP_OPERATIONS and compares <= GROUP_OPERATIONS and size <= GROUP_BYTES


def _joined(group: list[Write]) -> Write:
    compares = tuple(compare for write in group for compare in write.compares)
    return Write(compares, tuple(operation for write in group for operation in write.operations))
