"""What a job's end writes, as one transaction.  Pure.

Every transaction here is valid only while the claim is still this worker's (I5), so of two executions of one job
exactly one can finish it (I2).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

HEAT_KIND = "heat_stacks"
TARGETS_KIND = "targets"


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker runs, and what etcd held when it was claimed.

    :ivar revision: create revision of the claim: the fence
    :ivar attempts: attempts that ended in a temporary error before
    :ivar path: where the resource stands
    :ivar record_kind: of the job's handler
    :ivar job_state: what earlier jobs of the workflow gave
    :ivar record: the handler's own record
    :ivar trace: when each point was reached so far
    """

    job: api.Job
    revision: int
    attempts: int
    path: keys.Path
    record_kind: str
    job_state: Mapping[str, Any]
    record: Mapping[str, Any] | None
    trace: Mapping[str, int]

    @property
    def fence(self) -> base.Compare:
        """Holds while nobody else has claimed the job."""
        return base.created_at(keys.claim(self.job.id), self.revision)


@dataclasses.dataclass(frozen=True, slots=True)
class Finish:
    """A transaction: conditions and operations."""

    compares: tuple[base.Compare, ...]
    operations: tuple[base.Operation, ...]


def done(claim: Claim, result: api.Done) -> Finish:
    """The job came to its end.

    :raises DocumentError: if the result is not JSON
    """
    job, path = claim.job, claim.path
    job_state = {**claim.job_state, **result.result}
    operations = _record(claim, result)
    operations.append(base.Put(path.job_state, codec.encode(job_state)))
    points = dict(claim.trace) | _points(claim, result)
    if job.is_last:
        name = documents.worker_state(job.action)
        operations.append(base.Put(path.state, documents.state(name, job.version, job_state=job_state)))
        points["6"] = _now()
    operations.append(base.Put(path.trace, documents.trace(job.version, points)))
    operations += [base.Delete(keys.job(job.id)), base.Delete(keys.claim(job.id))]
    return Finish((claim.fence,), tuple(operations))


def failed(claim: Claim, message: str) -> Finish:
    """The job failed for good.

    The job stays until the job manager has cancelled its dependants: as long as it is there none of them can
    start.  Where its failure is to be ignored it goes as if it were done.
    """
    job, path = claim.job, claim.path
    if job.on_failure == api.IGNORE:
        return Finish((claim.fence,), (base.Delete(keys.job(job.id)), base.Delete(keys.claim(job.id))))
    name = documents.worker_state(job.action, failed=True)
    state = documents.state(name, job.version, job_state=claim.job_state, error=message)
    return Finish(
        (claim.fence,),
        (
            base.Put(path.state, state),
            base.Put(path.trace, documents.trace(job.version, {**claim.trace, "6": _now()})),
            base.Put(keys.failed(job.id), codec.encode({"message": message})),
            base.Delete(keys.claim(job.id)),
        ),
    )


def retried(claim: Claim, *, release: bool = False) -> Finish:
    """Another attempt follows: it is counted in the job.

    :param release: whether the claim is given up, so that anyone may make the attempt
    """
    job = claim.job
    document = codec.encode([job.handler, job.to_document(), claim.attempts + 1])
    operations: list[base.Operation] = [base.Put(keys.job(job.id), document)]
    if release:
        operations.append(base.Delete(keys.claim(job.id)))
    return Finish((claim.fence,), tuple(operations))


def _record(claim: Claim, result: api.Done) -> list[base.Operation]:
    key = claim.path.record(claim.record_kind)
    if result.record is api.KEEP:
        return []
    operations: list[base.Operation] = []
    if result.record is None:
        operations.append(base.Delete(key))
        if claim.record_kind == TARGETS_KIND:
            # The collector's writes hang on the targets' record, so what it published can't come back.
            operations.append(base.Delete(claim.path.monitoring))
    else:
        operations.append(base.Put(key, codec.encode(result.record)))
    return operations


def _points(claim: Claim, result: api.Done) -> dict[str, int]:
    """Which points of the resource's way this end reaches."""
    if claim.job.removes:
        return {}
    if claim.record_kind == HEAT_KIND:
        return {"3": _now(), "4": _now()}
    return {"5": _now()} if claim.record_kind == TARGETS_KIND else {}


def _now() -> int:
    return time.time_ns() // 1_000_000
