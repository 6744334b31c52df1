"""The seven points of one resource, read for showing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import queue
from esi_worker.cmd import resources
from esi_worker.pipeline import documents
from esi_worker.store import codec
from esi_worker.store import keys

NUMBERS: Final = (1, 2, 3, 4, 5, 6, 7)
HEAT_STACKS: Final = "heat_stacks"
TARGETS: Final = "targets"


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One of the seven.

    :ivar at: milliseconds since the epoch when it was written for the version that is wanted; None if it wasn't
    :ivar took: milliseconds since the point before
    :ivar says: what the document says, in short, a line for each target; or what it is waiting for
    :ivar document: the document with secrets masked; for point 2 the jobs that are left
    """

    number: int
    key: str
    at: int | None
    took: int | None
    says: str
    document: api.JSON


def wanted_keys(path: keys.Path) -> dict[str, str]:
    """Name -> key of all that :func:`build` asks for, the jobs aside."""
    return {
        "config": path.config,
        "stack": path.record(HEAT_STACKS),
        "targets": path.record(TARGETS),
        "job_state": path.job_state,
        "state": path.state,
        "monitoring": path.monitoring,
        "trace": path.trace,
    }


def build(
    path: keys.Path, status: resources.Status, get: Callable[[str], bytes | None], jobs: list[queue.Queued]
) -> list[Point]:
    """Put together what etcd says of the seven points.

    :param get: gives the value of a key of :func:`wanted_keys`
    :param jobs: those of the resource that are left
    """
    found = {name: _decoded(get(key)) for name, key in wanted_keys(path).items()}
    times = documents.parse_trace(get(path.trace), status.version or 0) if status.version else {}
    at = {number: times.get(str(number)) for number in NUMBERS}
    of_key = {1: path.config, 2: keys.ALL_JOBS, 3: path.record(HEAT_STACKS), 4: path.job_state, 5: path.job_state}
    of_key |= {6: path.state, 7: path.monitoring}
    whole = _documents(found, jobs)
    secrets = found["config"]
    points: list[Point] = []
    before: int | None = None
    for number in NUMBERS:
        says = _SAYS[number](whole[number]) if whole[number] else ""
        if at[number] is None and number != 1:
            says = _absent(number, says, status, jobs)
        now = at[number]
        took = now - before if now is not None and before is not None else None
        if number == 2 and now is not None and not jobs:
            says = "all jobs are finished"
        if number == 5 and now is not None and (found["targets"] or {}).get("trusted"):
            says += "\ntrusted: no device was asked"
        document = display.masked(whole[number], secrets)
        points.append(Point(number, of_key[number], now, took, display.masked(says, secrets), document))
        before = before if now is None else now
    return points


def _documents(found: Mapping[str, Any], jobs: list[queue.Queued]) -> dict[int, Any]:
    job_state = found["job_state"] if isinstance(found["job_state"], dict) else {}
    return {
        1: found["config"],
        2: [each.job.to_document() for each in jobs],
        3: found["stack"],
        4: _only(job_state, "heat_outputs"),
        5: _only(job_state, "state_monitoring"),
        6: found["state"],
        7: found["monitoring"],
    }


def _only(document: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return {name: document[name]} if name in document else None


def _decoded(data: bytes | None) -> Any:
    try:
        return codec.decode(data) if data else None
    except api.DocumentError as error:
        return {"unreadable": str(error)}


def _absent(number: int, says: str, status: resources.Status, jobs: list[queue.Queued]) -> str:
    """What to say of a point that the wanted version has not reached."""
    if number == 2:
        return _left(jobs) if jobs else "no job is needed" if status.done else "not planned yet"
    if says:
        return f"{says} (an earlier version)"
    if number == 7 and status.done and not jobs:
        return "no target is monitored, or the collector has not read it yet"
    if status.failed:
        return "not reached"
    if status.settled:
        return "not needed"
    awaited = {3: "heat_worker", 4: "heat_worker", 5: "monitoring_worker"}.get(number)
    for each in jobs:
        if not each.job.removes and (each.job.handler == awaited or (number == 6 and each.job.is_last)):
            return f"{each.job.action}:{each.job.handler} {each.doing}"
    return ""


def _left(jobs: list[queue.Queued]) -> str:
    return "; ".join(f"{each.job.action}:{each.job.handler} {each.state}" for each in jobs)


def _config(document: Any) -> str:
    marked = ", marked for deletion" if document.get("marked_for_deletion") else ""
    return f"version {document.get('version')}{marked}"


def _jobs(document: Any) -> str:
    return ", ".join(f"{each['action']}:{each['handler']}" for each in document) + " left"


def _stack(document: Any) -> str:
    return f"{document.get('stack_status')}: {len(document.get('output') or ())} outputs"


def _outputs(document: Any) -> str:
    return f"heat_outputs: {len(document['heat_outputs'])}"


def _statuses(document: Any) -> str:
    pairs = document.get("state_monitoring", document)
    return "\n".join(f"{name} {value}" for name, value in sorted(pairs.items()) if name != "version") or "no targets"


def _state(document: Any) -> str:
    error = f": {document['error']}" if document.get("error") else ""
    return f"{document.get('state', {}).get('worker_state')}{error}"


_SAYS: Final[Mapping[int, Callable[[Any], str]]] = {
    1: _config,
    2: _jobs,
    3: _stack,
    4: _outputs,
    5: _statuses,
    6: _state,
    7: _statuses,
}
