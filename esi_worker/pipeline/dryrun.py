"""What the job manager would write, without any etcd and without anything being executed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import planner as planners
from esi_worker.pipeline import reader as readers
from esi_worker.pipeline import waiting
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys


@dataclasses.dataclass(frozen=True)
class DryRun:
    """What came of it.

    :ivar jobs: in the order they would be written
    :ivar errors: one line for each document that can't be planned
    """

    jobs: list[api.Job]
    errors: list[str]


def plan_events(
    rules: planners.Rules, events: Iterable[Mapping[str, Any]], templates: Mapping[str, api.Template]
) -> DryRun:
    """Plan config documents in their order; each job of an earlier one counts as unfinished.

    :param events: ``{"key": ..., "value": ...}``; a null value means that the key was removed
    :param templates: used where the events have no template of the same id
    """
    run = _Run(rules, templates)
    for place, event in enumerate(events):
        key, value = event.get("key"), event.get("value")
        if not isinstance(key, str) or not key.startswith(keys.CONFIG):
            run.errors.append(f"event {place}: {key!r} is no key under {keys.CONFIG}")
            continue
        run.consume(key, None if value is None else json.dumps(value).encode())
    return run.result()


def plan_store(store: base.Store, rules: planners.Rules, templates: Mapping[str, api.Template]) -> DryRun:
    """Plan what the documents in etcd would still cause."""
    run = _Run(rules, templates)
    for entry in store.list(keys.ALL_JOBS).entries:
        run.planner.unfinished.add(api.Job.from_document(codec.decode(entry.value)[1]))
    for entry in store.list(keys.RECORDED).entries:
        run.recorded(entry)
    present = set()
    for entry in sorted(store.list(keys.CONFIG).entries, key=lambda each: each.mod_revision):
        present.add(entry.key.removeprefix(keys.CONFIG))
        run.consume(entry.key, entry.value)
    for path in run.paths - present:
        run.consume(keys.CONFIG + path, None)
    return run.result()


class _Run:
    def __init__(self, rules: planners.Rules, templates: Mapping[str, api.Template]) -> None:
        self.planner = planners.Planner(rules, dict(templates))
        self.paths: set[str] = set()
        self.errors: list[str] = []
        self._jobs: list[api.Job] = []
        self._templates = templates
        self._reader = readers.Reader(rules.catalog)
        self._room = waiting.WaitingRoom()

    def result(self) -> DryRun:
        waiters = self._room.expired(float("inf"))
        return DryRun(self._jobs, [*self.errors, *(waiter.reason for waiter in waiters)])

    def recorded(self, entry: base.Entry) -> None:
        read = self._reader.gone(keys.CONFIG + entry.key.removeprefix(keys.RECORDED))
        if not isinstance(read, readers.ResourceGone) or read.ref is None:
            return
        recorded = documents.Recorded.from_document(codec.decode(entry.value))
        self.paths.add(str(read.path))
        self.planner.recorded[read.ref] = recorded
        if not recorded.deleted:
            self.planner.resources[read.ref] = api.Resource(read.ref, recorded.body, recorded.version)

    def consume(self, key: str, value: bytes | None) -> None:
        try:
            read = self._reader.gone(key) if value is None else self._reader.put(key, value)
        except api.DocumentError as error:
            self.errors.append(f"{key}: {error}")
            return
        if isinstance(read, readers.TemplateRead):
            self._template(read)
        elif isinstance(read, readers.ResourceGone):
            self._gone(read)
        elif read.ref is None or read.envelope.body is None:
            self.errors.append(f"{key}: {read.envelope.error}")
        else:
            ref, envelope = read.ref, read.envelope
            self.planner.resources[ref] = api.Resource(ref, envelope.body or {}, envelope.version)
            self._room.remove(ref)
            self._attempt(planners.Change(ref, envelope.version, envelope.body or {}, envelope.marked))
            self._wake(ref)

    def _template(self, read: readers.TemplateRead) -> None:
        template = read.template or self._templates.get(read.template_id)
        if template is None:
            self.planner.templates.pop(read.template_id, None)
        else:
            self.planner.templates[read.template_id] = template
            self._wake(read.template_id)

    def _gone(self, read: readers.ResourceGone) -> None:
        if read.ref is None:
            return
        self.planner.resources.pop(read.ref, None)
        self._room.remove(read.ref)
        self._tear_down(read.ref)
        self._wake(read.ref)

    def _tear_down(self, ref: api.Ref) -> None:
        recorded = self.planner.recorded.get(ref)
        if recorded is not None and not recorded.deleted:
            self._attempt(planners.Change(ref, recorded.version, recorded.body, marked=True, again=True))
        elif recorded is not None:
            self.planner.recorded.pop(ref)

    def _attempt(self, change: planners.Change) -> None:
        try:
            # Nothing is dropped: each job of an earlier event counts as one that somebody runs.
            plan = self.planner.plan(change, {job.id for job in self.planner.unfinished.of(change.ref)})
            if plan is None:
                return
            blocker = waiting.blocked_by(plan, self._room)
        except api.Unresolved as error:
            self._wait(change, waiting.missing(error), error.message)
            return
        except api.JobError as error:
            self._room.remove(change.ref)
            self.errors.append(f"{change.ref} version {change.version}: {error.message}")
            return
        if blocker is not None:
            self._wait(change, (blocker,), f"{change.ref} waits for {blocker}, which itself waits")
            return
        self.planner.adopt(plan)
        self._jobs += plan.jobs

    def _wait(self, change: planners.Change, missing: tuple[object, ...], reason: str) -> None:
        self._room.add(waiting.Waiter(change, 0, missing, reason, 0.0, frozenset(self.planner.consulted)))

    def _wake(self, changed: object) -> None:
        for waiter in self._room.woken_by(changed):
            if self._room.get(waiter.change.ref) is waiter:
                self._attempt(waiter.change)
                if self.planner.action(waiter.change) is None:
                    self._room.remove(waiter.change.ref)
                if self._room.get(waiter.change.ref) is None:
                    self._wake(waiter.change.ref)
