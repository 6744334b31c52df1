"""Claiming jobs: one transaction proves that they may start and brings back all that their handlers need."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import documents
from esi_worker.pipeline import execution
from esi_worker.pipeline import jobqueue
from esi_worker.pipeline import outcome
from esi_worker.pipeline import places
from esi_worker.pipeline import templates
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Claimed:
    """A claim, and what came with it.

    :ivar template: the job's template, from etcd or from a file; None where neither has it
    """

    claim: outcome.Claim
    template_id: str | None
    template: api.Template | None

    def context(
        self, fetch: execution.Fetch, monitor: api.Monitor, stopping: threading.Event, alive: Callable[[], bool]
    ) -> execution.Context:
        """What the job's handler is given; the job's time begins now.

        :param alive: whether the claim can still be counted on
        """
        return execution.Context(
            self.claim, self.template, self.template_id, fetch, monitor, stopping, alive, time.monotonic()
        )


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of an attempt to claim jobs; a job that is in neither list is not claimed.

    :ivar claimed: those that are claimed now
    :ivar doubtful: etcd did not tell whether they are: :meth:`Claimer.look` again, for a claim that nobody knows of
        would keep its job from everybody
    """

    claimed: list[Claimed] = dataclasses.field(default_factory=list)
    doubtful: list[jobqueue.Pending] = dataclasses.field(default_factory=list)


class Claimer:
    """Claims jobs for one worker.

    :param record_kinds: handler -> the kind of its records
    :param file_templates: used where etcd has no template of the same id
    """

    def __init__(
        self,
        store: base.Store,
        catalog: catalogs.Catalog,
        record_kinds: Mapping[str, str],
        file_templates: Mapping[str, api.Template],
        name: str,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._places = places.Places(store, catalog)
        self._record_kinds = record_kinds
        self._file_templates = file_templates
        self._name = name

    def knows(self, ref: api.Ref) -> bool:
        """Whether the catalog has the type of a resource, and its id can be used."""
        try:
            self._catalog.path(ref)
        except (api.CatalogError, api.DocumentError):
            return False
        return True

    def claim(self, pending: Sequence[jobqueue.Pending], lease: int) -> Answer:
        """Claim these jobs, together if that works, else one by one.

        :raises StoreError: if etcd can't be asked, and none of them is claimed
        """
        if len(pending) > 1:
            together = self._transact(pending, lease)
            if together.claimed or together.doubtful:
                return together
        answer = Answer()
        for each in pending:
            try:
                alone = self._transact([each], lease)
            except api.StoreError:
                if not answer.claimed and not answer.doubtful:
                    raise
                break  # what was claimed before has to be worked on
            answer.claimed.extend(alone.claimed)
            answer.doubtful.extend(alone.doubtful)
        return answer

    def look(self, pending: Sequence[jobqueue.Pending], lease: int) -> Answer:
        """Find out which of these jobs are claimed under this lease.

        The lease is only this worker's: a claim that hangs on it was made by this worker.
        """
        answer = Answer()
        for each in pending:
            try:
                claimed = self._look(each, lease)
            except api.StoreError:
                answer.doubtful.append(each)
            else:
                answer.claimed.extend([claimed] if claimed else [])
        return answer

    def _transact(self, pending: Sequence[jobqueue.Pending], lease: int) -> Answer:
        value = codec.encode({"worker": self._name, "lease": f"{lease:x}"})
        compares = [condition for each in pending for condition in each.conditions()]
        paths = self._paths(pending)
        operations: list[base.Operation] = []
        for each, path in zip(pending, paths, strict=True):
            operations += self._operations(each, path, lease, value)
        if len(operations) > base.MAX_OPERATIONS or len(compares) > base.MAX_OPERATIONS:
            return Answer()
        try:
            result = self._store.transact(compares, operations)
        except api.StoreError as error:
            if not error.unknown:
                raise
            return self.look(pending, lease)
        if not result.succeeded:
            return Answer()
        size = len(result.entries) // len(pending)
        return Answer(
            [
                self._claimed(each, paths[place], result.revision, result.entries[place * size : (place + 1) * size])
                for place, each in enumerate(pending)
            ]
        )

    def _paths(self, pending: Sequence[jobqueue.Pending]) -> list[keys.Path]:
        refs = [each.job.ref for each in pending]
        found = self._places.paths(refs)
        return [found[ref] for ref in refs]

    def _operations(self, pending: jobqueue.Pending, path: keys.Path, lease: int, value: bytes) -> list[base.Operation]:
        job = pending.job
        template_id = self._template_id(job)
        operations: list[base.Operation] = [
            base.Put(keys.claim(job.id), value, lease),
            base.Get(keys.job(job.id)),
            base.Get(path.record(self._record_kinds[job.handler])),
            base.Get(path.trace),
            base.Get(keys.heat_template(template_id) if template_id else keys.HEAT_TEMPLATES),
            base.Get(path.job_state),
        ]
        if job.is_first:
            operations.append(base.Put(path.job_state, b"{}"))
        return operations

    def _look(self, pending: jobqueue.Pending, lease: int) -> Claimed | None:
        """After an unknown outcome: whether the claim is this worker's, and then all that comes with it."""
        entry = self._store.get(keys.claim(pending.job_id))
        if entry is None or entry.lease != lease:
            return None
        [path] = self._paths([pending])
        gets = [each for each in self._operations(pending, path, lease, b"") if isinstance(each, base.Get)]
        found = self._store.transact([], gets)
        return self._claimed(pending, path, entry.create_revision, found.entries)

    def _claimed(
        self, pending: jobqueue.Pending, path: keys.Path, revision: int, entries: Sequence[base.Entry | None]
    ) -> Claimed:
        job = pending.job
        document, record, trace, template, job_state = entries
        claim = outcome.Claim(
            job=job,
            revision=revision,
            attempts=codec.decode(document.value)[2] if document else 0,
            path=path,
            record_kind=self._record_kinds[job.handler],
            job_state={} if job.is_first or job_state is None else codec.decode(job_state.value),
            record=codec.decode(record.value) if record else None,
            trace=documents.parse_trace(trace.value if trace else None, job.version),
        )
        template_id = self._template_id(job)
        return Claimed(claim, template_id, self._template(template_id, template))

    def _template_id(self, job: api.Job) -> str | None:
        resource = api.Resource(job.ref, job.resource_input, job.version)
        try:
            return self._catalog.template_id(resource, job.handler, {})
        except api.EsiWorkerError as error:
            LOG.debug("no template for %s: %s", job.id, error)
            return None

    def _template(self, template_id: str | None, entry: base.Entry | None) -> api.Template | None:
        if template_id is None:
            return None
        if entry is not None:
            try:
                return templates.parse_document(template_id, codec.decode(entry.value)["body"])
            except (api.DocumentError, KeyError, TypeError) as error:
                LOG.error("the template %s in etcd can't be used: %s", template_id, error)
                return None
        return self._file_templates.get(template_id)
