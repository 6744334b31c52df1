"""Unfinished jobs, and who waits for whom.  No I/O.

The rules are those of the design's life cycle:

- *forward*: a workflow waits for the unfinished jobs that bring about the resources its params passed;
- *reverse*: a modify or a deletion waits for every unfinished job whose own params passed this resource;
- a workflow waits for the unfinished jobs of an older version of its resource.

Each set is found through an index: its cost follows the change, not what exists.
"""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TypeVar

from esi_worker import api

_Key = TypeVar("_Key")


class Unfinished:
    """The jobs that are written and not finished, indexed by what is asked of them."""

    def __init__(self) -> None:
        self._jobs: dict[str, api.Job] = {}
        self._of: dict[api.Ref, dict[str, None]] = collections.defaultdict(dict)
        self._mentioning: dict[api.Ref, dict[str, None]] = collections.defaultdict(dict)
        self._dependants: dict[str, dict[str, None]] = collections.defaultdict(dict)

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._jobs

    def __iter__(self) -> Iterator[api.Job]:
        return iter(tuple(self._jobs.values()))

    def get(self, job_id: str) -> api.Job | None:
        """:returns: the job, or None if it is finished or never was."""
        return self._jobs.get(job_id)

    def add(self, job: api.Job) -> None:
        """A job was written; one that is known already changes nothing."""
        if job.id in self._jobs:
            return
        self._jobs[job.id] = job
        self._of[job.ref][job.id] = None
        for ref in mentioned(job):
            self._mentioning[ref][job.id] = None
        for job_id in job.dependency:
            self._dependants[job_id][job.id] = None

    def remove(self, job_id: str) -> api.Job | None:
        """A job is finished, or was dropped.

        :returns: the job, or None if it was not known
        """
        job = self._jobs.pop(job_id, None)
        if job is None:
            return None
        _discard(self._of, job.ref, job_id)
        for ref in mentioned(job):
            _discard(self._mentioning, ref, job_id)
        for dependency in job.dependency:
            _discard(self._dependants, dependency, job_id)
        return job

    def of(self, ref: api.Ref) -> list[api.Job]:
        """The jobs of a resource, oldest first."""
        return [self._jobs[job_id] for job_id in self._of.get(ref, ())]

    def mentioning(self, ref: api.Ref) -> list[api.Job]:
        """The jobs whose own params passed a resource."""
        return [self._jobs[job_id] for job_id in self._mentioning.get(ref, ())]

    def dependants(self, job_id: str) -> list[api.Job]:
        """The jobs that wait for this one directly."""
        return [self._jobs[each] for each in self._dependants.get(job_id, ())]


def _discard(index: dict[_Key, dict[str, None]], key: _Key, job_id: str) -> None:
    members = index.get(key)
    if members is not None:
        members.pop(job_id, None)
        if not members:
            del index[key]


def mentioned(job: api.Job) -> set[api.Ref]:
    """The resources that the job's params passed."""
    return {ref for param in job.params for ref in param.resources}


def needed(
    ref: api.Ref, chain: Iterable[api.Job], unfinished: Unfinished, followers: Collection[str], *, reverse: bool
) -> tuple[str, ...]:
    """The jobs that the first job of a new workflow has to wait for, in the order they were written.

    :param ref: the resource of the workflow
    :param chain: the jobs of the workflow
    :param followers: handlers that only follow what others bring about (monitoring): nobody waits for them forward
    :param reverse: whether the jobs that use this resource come first (modify and deletions)
    """
    found: dict[str, None] = {job.id: None for job in unfinished.of(ref)}
    passed = {each: None for job in chain for param in job.params for each in param.resources}
    for other in passed:
        if other != ref:
            found.update({job.id: None for job in unfinished.of(other) if job.handler not in followers})
    if reverse:
        found.update({job.id: None for job in unfinished.mentioning(ref)})
    return tuple(found)


def droppable(ref: api.Ref, unfinished: Unfinished, claimed: Collection[str]) -> tuple[api.Job, ...]:
    """The jobs of a resource that a newer workflow makes needless.

    A job that somebody runs goes on; so does one that another resource's job waits for (that one needs what the
    job brings about before its own turn, and its dependency is fixed), and all that such a job waits for itself.

    :param claimed: ids of jobs that somebody runs, or that failed and are about to be removed
    """
    own = {job.id: job for job in unfinished.of(ref)}
    queue = [
        job
        for job in own.values()
        if job.id in claimed or any(each.ref != ref for each in unfinished.dependants(job.id))
    ]
    kept: set[str] = set()
    while queue:
        job = queue.pop()
        kept.add(job.id)
        queue.extend(own[each] for each in job.dependency if each in own and each not in kept)
    return tuple(job for job in own.values() if job.id not in kept)


def cancelled_with(failed: api.Job, unfinished: Unfinished) -> list[api.Job]:
    """The jobs that can't be done any more because a job failed, those nearest to it first.

    A job is cancelled when it belongs to the same workflow, or when it was to use what the failed one should have
    brought about.  One that only had to come later (a newer version of the same resource, the deletion of
    something that the failed job used) is released instead.
    """
    found: dict[str, api.Job] = {}
    queue = collections.deque([failed])
    while queue:
        job = queue.popleft()
        for dependant in unfinished.dependants(job.id):
            if dependant.id not in found and _lost_without(dependant, job, unfinished):
                found[dependant.id] = dependant
                queue.append(dependant)
    return list(found.values())


def _lost_without(dependant: api.Job, failed: api.Job, unfinished: Unfinished) -> bool:
    if dependant.ref == failed.ref:
        return dependant.version == failed.version and _deletes(dependant, unfinished) == _deletes(failed, unfinished)
    if _deletes(dependant, unfinished):
        return False
    workflow = [job for job in unfinished.of(dependant.ref) if job.version == dependant.version]
    return any(failed.ref in mentioned(job) for job in workflow)


def _deletes(job: api.Job, unfinished: Unfinished) -> bool:
    """Whether the job's workflow takes the resource down: its last job does."""
    workflow = [each for each in unfinished.of(job.ref) if each.version == job.version]
    return all(each.removes for each in (*workflow, job))
