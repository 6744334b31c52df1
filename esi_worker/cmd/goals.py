"""Waiting for resources to get somewhere: by watching, without polling."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Final

from esi_worker import api
from esi_worker.cmd import mirror
from esi_worker.cmd import queue
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.store import keys

DONE: Final = "done"
ERROR: Final = "error"
DELETED: Final = "deleted"
GOALS: Final = (DONE, ERROR, DELETED)

_FEW: Final = 4


def reached(status: resources.Status, goal: str) -> bool:
    """Whether a resource is where it is waited for."""
    if goal == DELETED:
        return status.deleted
    return status.version is not None and (status.failed if goal == ERROR else status.done)


def hopeless(status: resources.Status, goal: str) -> str:
    """Why a resource can't get there with the version that is wanted now; empty if it can."""
    if status.version is None:
        return ""
    if goal == DONE and status.failed:
        return f"{status.state}: {status.error}"
    if goal == DONE and status.marked and status.done:
        return "it is taken down"
    if goal == ERROR and status.done:
        return f"it is done: {status.state}"
    if goal == DELETED and status.marked and status.failed:
        return f"{status.state}: {status.error}"
    return ""


def wait(
    here: session.Session,
    copy: mirror.Mirror,
    wanted: Mapping[api.Ref, keys.Path],
    goal: str,
    timeout: float,
    told: Callable[[resources.Status], None],
) -> dict[api.Ref, str]:
    """Wait until all these resources have reached the goal.

    :param copy: of at least their config and state documents
    :param timeout: seconds
    :param told: called with each one that has reached it
    :returns: those that have not, and why
    """
    deadline = time.monotonic() + timeout
    by_key = {key: ref for ref, path in wanted.items() for key in (path.config, path.state)}
    left, lost, touched = dict(wanted), dict[api.Ref, str](), set(wanted)
    copy.listed(timeout)
    while left:
        for ref in [each for each in left if each in touched]:
            status = _status(here, copy, left[ref])
            lost[ref] = hopeless(status, goal)
            if reached(status, goal):
                told(status)
            if lost[ref] or reached(status, goal):
                del left[ref]
        if not left or time.monotonic() >= deadline:
            break
        changed = copy.wait(max(0.0, deadline - time.monotonic()))
        touched = {by_key[key] for key in changed & by_key.keys()}
    hopeless_ones = {ref: why for ref, why in lost.items() if why}
    return {**hopeless_ones, **_reasons(here, copy, left, goal)}


def _status(here: session.Session, copy: mirror.Mirror, path: keys.Path) -> resources.Status:
    return resources.status(here.catalog, path, copy.get(path.config), copy.get(path.state))


def _reasons(
    here: session.Session, copy: mirror.Mirror, left: Mapping[api.Ref, keys.Path], goal: str
) -> dict[api.Ref, str]:
    # For a few, what is looked up does not depend on how many jobs there are.
    everything = queue.read(here.store) if len(left) > _FEW else []
    found = {}
    for ref, path in left.items():
        jobs = queue.of(everything, ref) if everything else queue.read_of(here.store, ref, here.handlers)
        found[ref] = reason(_status(here, copy, path), jobs, goal)
    return found


def reason(status: resources.Status, jobs: list[queue.Queued], goal: str) -> str:
    """Why a resource is not where it is waited for, as far as can be told.

    :param jobs: those of the resource that are left
    """
    if status.version is None:
        return "there is no such resource"
    if goal == DELETED and not status.marked:
        return "it is not marked for deletion"
    now = f"{status.state} of version {status.state_version}" if status.state_version is not None else "nothing"
    text = f"/state says {now}, wanted is version {status.version}"
    if jobs:
        return "; ".join([text, *(f"{each.job.id} {each.doing}" for each in jobs)])
    return f"{text}; it has no job: is a job manager running, and is all there that it refers to?"
