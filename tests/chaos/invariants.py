"""What must hold whatever happens, checked over all that etcd went through.  Pure.

I1  nothing lost: every config version ends in a ``/state`` of that version or a newer one
I2  no two completions of one job, nor of two jobs that are the same action on the same version
I3  ``/state.version`` never falls and never exceeds the config's
I4  no job starts before what it depends on has ended
I5  whoever decides holds the claim, or leads, in the very revision in which he decides
I7  no orphans: claims, jobs, records, stacks, leases
I8  no secret in a log

I6, that all this comes within a stated time, is for the tests that wait for it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from esi_worker.store import keys
from tests.functional.deployment import Change

_NOT_RECORDS = (keys.RECORDED, keys.JOB_STATE, keys.TRACE, keys.COLLECTORS)


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, and where that shows."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


class Checker:
    """Follows the history of an etcd from its first revision on, or from one at which it was empty."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.revision = 0
        self._now: dict[str, Any] = {}
        self._job_paths: dict[str, str] = {}
        self._ended: set[str] = set()
        self._completed: dict[tuple[str, str], str] = {}
        self._told: dict[str, dict[str, int]] = {}
        self._newest: dict[str, int] = {}

    def feed(self, history: Iterable[Change]) -> list[Violation]:
        """Look at what came after all that was fed before.

        :returns: the violations among it
        """
        known = len(self.violations)
        for revision, group in itertools.groupby(history, key=lambda change: change.revision):
            self._step(_Step(revision, list(group), self._now))
            self.revision = revision
        return self.violations[known:]

    @property
    def present(self) -> Mapping[str, Any]:
        """Key -> value at the end of what was fed."""
        return self._now

    # -- one revision --------------------------------------------------------------------------------------------

    def _step(self, step: _Step) -> None:
        for change in step.changes:
            if change.key.startswith(keys.ALL_JOBS):
                self._job(step, change)
            elif change.key.startswith(keys.CLAIMS) and change.value is not None:
                self._claim(step, change)
            elif change.key.startswith(keys.FAILED) and change.value is not None:
                self._worker_wrote(step, change, change.key.removeprefix(keys.FAILED))
            elif change.key.startswith(keys.CONFIG):
                self._config(change)
            elif change.key.startswith(keys.STATE):
                self._state(step, change)
            elif change.key.startswith(keys.RETRY) and change.value is not None:
                self._retry(change.key.removeprefix(keys.RETRY))
            elif change.key.startswith(keys.OWN):
                self._own(step, change)
            elif change.key.startswith(keys.MONITORING) and change.value is not None:
                self._monitoring(step, change)
        for change in step.changes:
            if change.value is None:
                self._now.pop(change.key, None)
            else:
                self._now[change.key] = change.value

    def _job(self, step: _Step, change: Change) -> None:
        job_id = change.key.removeprefix(keys.ALL_JOBS)
        if change.value is None:
            self._job_ended(step, job_id)
        elif change.key in self._now:
            if keys.claim(job_id) not in self._now:
                self._add("I5", step, f"an attempt at {job_id} was counted by somebody without its claim")
        else:
            if job_id in self._ended:
                self._add("I2", step, f"{job_id} came back after its end")
            self._leader_wrote(step, change.key)

    def _job_ended(self, step: _Step, job_id: str) -> None:
        self._ended.add(job_id)
        claimed, ends_claim = keys.claim(job_id) in self._now, keys.claim(job_id) in step.removed
        if claimed and not ends_claim:
            self._add("I5", step, f"{job_id} was removed under the hands of who has claimed it")
        elif claimed:
            self._completion(step, job_id)
        else:
            self._leader_wrote(step, keys.job(job_id))
            if not self._leader_may_end(step, job_id):
                self._add("I5", step, f"{job_id} was finished by somebody without its claim")

    def _leader_may_end(self, step: _Step, job_id: str) -> bool:
        """It drops jobs for a newer version, cancels those that depend on a failed one, and ends failed ones."""
        path = self._path_of(job_id)
        failed = any(key.startswith(keys.FAILED) for key in self._now)
        return keys.failed(job_id) in step.removed or keys.RECORDED + path in step.written or failed

    def _completion(self, step: _Step, job_id: str) -> None:
        name = (self._path_of(job_id), job_id.rpartition(":")[0])
        if keys.failed(job_id) in self._now:
            self._add("I2", step, f"{job_id} was completed after it had failed")
        earlier = self._completed.get(name)
        if earlier is not None:
            self._add("I2", step, f"{name[1]} was completed twice: as {earlier} and as {job_id}")
        self._completed[name] = job_id

    def _claim(self, step: _Step, change: Change) -> None:
        job_id = change.key.removeprefix(keys.CLAIMS)
        job = self._now.get(keys.job(job_id))
        if job is None:
            self._add("I5", step, f"{job_id} was claimed though it is not there")
            return
        if change.key in self._now:
            self._add("I2", step, f"{job_id} was claimed twice at the same time")
        for dependency in job[1]["dependency"]:
            if keys.job(dependency) in self._now:
                self._add("I4", step, f"{job_id} was started before the end of {dependency}")

    def _own(self, step: _Step, change: Change) -> None:
        """Records and results: written with the end of a job of the resource, or with its claim."""
        if change.value is None or change.key.startswith((keys.TRACE, keys.COLLECTORS)):
            return
        if change.key.startswith(keys.RECORDED):
            self._leader_wrote(step, change.key)
            return
        path = change.key.split("/", 3)[3]
        starts = change.key.startswith(keys.JOB_STATE) and path in step.claims_made
        if not starts and path not in step.claims_ended:
            self._add("I5", step, f"{change.key} was written by somebody without a claim")

    def _monitoring(self, step: _Step, change: Change) -> None:
        path = change.key.removeprefix(keys.MONITORING)
        if keys.TARGETS + path not in self._now:
            self._add("I5", step, f"{change.key} was written though nothing is to be watched")

    def _worker_wrote(self, step: _Step, change: Change, job_id: str) -> None:
        if keys.claim(job_id) not in self._now:
            self._add("I5", step, f"{change.key} was written by somebody without the claim")

    def _leader_wrote(self, step: _Step, key: str) -> None:
        if keys.LEADER not in self._now:
            self._add("I5", step, f"{key} was written or removed while nobody led")

    def _config(self, change: Change) -> None:
        path = change.key.removeprefix(keys.CONFIG)
        if change.value is None:
            return
        if change.key not in self._now:
            # A new life, perhaps under an old id.
            self._told.pop(path, None)
            self._newest.pop(path, None)
            self._completed = {name: job for name, job in self._completed.items() if name[0] != path}
        version = _version(change.value)
        if version is not None:
            self._newest[path] = max(version, self._newest.get(path, 0))

    def _state(self, step: _Step, change: Change) -> None:
        path = change.key.removeprefix(keys.STATE)
        if change.value is None:
            return
        version, name = change.value["version"], change.value["state"]["worker_state"]
        if path not in step.claims_ended:
            self._leader_wrote(step, change.key)
        before = self._now.get(change.key)
        if before is not None and version < before["version"]:
            self._add("I3", step, f"/state/{path} fell from version {before['version']} to {version}")
        newest = self._newest.get(path)
        if newest is not None and version > newest:
            self._add("I3", step, f"/state/{path} is of version {version}, the config of {newest}")
        action = name.partition("_")[0]
        if self._told.get(path, {}).get(action) == version:
            self._add("I2", step, f"/state/{path} was written twice for {action} of version {version}")
        self._told.setdefault(path, {})[action] = version

    def _retry(self, path: str) -> None:
        """An operator asks for another try of a version: it may be completed and told once more."""
        self._told.pop(path, None)
        self._completed = {name: job for name, job in self._completed.items() if name[0] != path}

    def _path_of(self, job_id: str) -> str:
        """Where the resource of a job stands; the plural is the type with an ``s``, as all built-in ones are."""
        _, _, resource_type, resource_id, *_ = job_id.split(":")
        return path_of(resource_type, resource_id)

    def _add(self, invariant: str, step: _Step, text: str) -> None:
        self.violations.append(Violation(invariant, f"revision {step.revision}: {text}"))


class _Step:
    """One revision: what it wrote, what it removed, and what that means for claims."""

    def __init__(self, revision: int, changes: Sequence[Change], before: Mapping[str, Any]) -> None:
        self.revision = revision
        self.changes = changes
        self.removed = {each.key for each in changes if each.value is None}
        self.written = {each.key for each in changes if each.value is not None}
        self.claims_ended = {
            _claimed_path(key) for key in self.removed if key.startswith(keys.CLAIMS) and key in before
        }
        self.claims_made = {_claimed_path(key) for key in self.written if key.startswith(keys.CLAIMS)}


def path_of(resource_type: str, resource_id: str) -> str:
    """Where a resource of a built-in type stands."""
    prefix = "common/v1.0" if resource_type == "tenant" else "v2.0"
    plural = "reserve_addresses" if resource_type == "reserve_address" else f"{resource_type}s"
    return f"{prefix}/{plural}/{resource_id}"


def _claimed_path(key: str) -> str:
    _, _, resource_type, resource_id, *_ = key.removeprefix(keys.CLAIMS).split(":")
    return path_of(resource_type, resource_id)


def _version(document: Any) -> int | None:
    version = document.get("version") if isinstance(document, dict) else None
    return version if isinstance(version, int) else None


def at_rest(present: Mapping[str, Any], stacks: Collection[str] = ()) -> list[Violation]:
    """What must hold when nothing is left to do (I1, I7).

    :param present: key -> value
    :param stacks: names of the stacks that Heat has
    """
    found = []
    paths = {key.removeprefix(keys.CONFIG) for key in present if key.startswith(keys.CONFIG)}
    for path in sorted(paths):
        version = _version(present[keys.CONFIG + path])
        if version is None or keys.CONFIG + path.rpartition("/")[0] + "/" == keys.HEAT_TEMPLATES:
            continue
        told = (present.get(keys.STATE + path) or {}).get("version", 0)
        if told < version:
            found.append(Violation("I1", f"/state/{path} is of version {told}, the config of {version}"))
    for key in sorted(present):
        if key.startswith(keys.JOBS):
            found.append(Violation("I7", f"{key} is left"))
        elif _owner(key) not in paths and _owner(key):
            found.append(Violation("I7", f"{key} is left of a resource that is gone"))
    wanted = {_stack_name(path) for path in paths}
    found += [Violation("I7", f"Heat has a stack {name} that is nobody's") for name in sorted(set(stacks) - wanted)]
    return found


def _stack_name(path: str) -> str:
    plural, _, resource_id = path.rpartition("/")
    return f"{plural.rpartition('/')[2].removesuffix('s')}_{resource_id}"


def _owner(key: str) -> str:
    """The path of the resource that a key of the service's own is about; empty for a key of another kind."""
    for prefix in (keys.STATE, keys.MONITORING):
        if key.startswith(prefix):
            return key.removeprefix(prefix)
    if key.startswith(keys.OWN) and not key.startswith(keys.COLLECTORS):
        return key.split("/", 3)[3]
    return ""


def unpublished(present: Mapping[str, Any]) -> list[Violation]:
    """What the collectors still have to publish: every target is watched, whoever died (I1).

    :param present: key -> value
    """
    found = []
    for key, record in sorted(present.items()):
        if key.startswith(keys.TARGETS) and record["targets"]:
            published = (present.get(keys.MONITORING + key.removeprefix(keys.TARGETS)) or {}).get("version")
            if published != record["version"]:
                found.append(Violation("I1", f"{key} is of version {record['version']}, published is {published}"))
    return found


def leases(count: int, roles: int) -> list[Violation]:
    """Each process has one lease for each of its roles, no more (I7).

    :param count: leases that etcd has
    :param roles: of all processes that run, together
    """
    if count <= roles:
        return []
    return [Violation("I7", f"etcd has {count} leases; what runs needs {roles} at most")]


def secrets(logs: str, canary: str) -> list[Violation]:
    """No secret is in a log (I8).

    :param canary: the secret
    """
    return [
        Violation("I8", f"a secret is in the log: {line.replace(canary, '<canary>')[:300]}")
        for line in logs.splitlines()
        if canary in line
    ][:3]
