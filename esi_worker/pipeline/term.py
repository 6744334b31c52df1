"""One term of the active job manager: from a listing of etcd to the loss of leadership, or of the thread of it.

All state is rebuilt from etcd at the start of a term.  Whatever goes wrong while writing ends the term, and the
next one compares anew: there is no other way to recover, so there is only one to get right.
"""

from __future__ import annotations

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import job_events
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import planner as planners
from esi_worker.pipeline import planning
from esi_worker.pipeline import reader as readers
from esi_worker.pipeline import refusals
from esi_worker.pipeline import scheduling
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class Term:
    """What the active job manager makes of each change of ``/config``.

    :param ledger: its state
    :param jobs: what happens to jobs
    :param patience: seconds that a resource waits for a missing relative or template
    """

    def __init__(self, ledger: ledgers.Ledger, jobs: job_events.JobEvents, *, patience: float) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._reader = readers.Reader(ledger.rules.catalog)
        self._refusals = refusals.Refusals(ledger)
        self._planning = planning.Planning(ledger, self._refusals, patience=patience)

    def listed(self, snapshot: base.Snapshot) -> None:
        """Everything under ``/config/``, consumed in the order in which it was written.

        :raises StoreError: if etcd can't be asked
        """
        self._ledger.flush()  # what is decided already has to be among what was published
        self._ledger.load_published()
        before = dict(self._ledger.planner.recorded)
        seen = set()
        for entry in sorted(snapshot.entries, key=lambda each: each.mod_revision):
            read = self._read(base.Event(base.PUT, entry))
            if isinstance(read, readers.ResourceRead) and read.ref is not None:
                seen.add(read.ref)
                self._recover_lost(read.ref, entry, read.envelope.version, before.get(read.ref))
            elif read is None:
                # A document that can't be read is there all the same: nothing is taken down for it.
                seen |= self._refs_at(entry.key)
        for ref in before.keys() - seen:
            self._resource_gone(ref)
        self._clear_refused({entry.key.removeprefix(keys.CONFIG) for entry in snapshot.entries})

    def changed(self, batch: base.Batch) -> None:
        """Changes under ``/config/``, in etcd's order."""
        for event in batch.events:
            self._read(event)

    def tick(self) -> None:
        """Publish the error of what has waited long enough; try again what an operator asks for."""
        self._planning.expire()
        for key in self._jobs.take_retries():
            self._ledger.submit(scheduling.Write((), (base.Delete(key),)))
            self._retry_key(key)

    def _retry_key(self, key: str) -> None:
        try:
            read = self._reader.gone(keys.CONFIG + key.removeprefix(keys.RETRY))
        except api.DocumentError as error:
            LOG.error("%s asks for another try of nothing: %s", key, error)
            return
        if isinstance(read, readers.ResourceGone) and read.ref is not None:
            LOG.info("%s is tried again, as an operator asks", read.ref)
            self._planning.retry(read.ref)

    def _read(self, event: base.Event) -> readers.Read | None:
        entry = event.entry
        try:
            if event.kind == base.DELETE:
                read = self._reader.gone(entry.key)
            else:
                read = self._reader.put(entry.key, entry.value, mod_revision=entry.mod_revision, seen_at=ledgers.now())
        except api.DocumentError as error:
            LOG.error("a document is left aside: %s: %s", entry.key, error)
            return None
        if isinstance(read, readers.TemplateRead):
            self._template(read)
        elif isinstance(read, readers.ResourceGone):
            if read.ref is not None:
                self._ledger.paths[read.ref] = read.path
                self._resource_gone(read.ref)
                self._planning.wake(read.ref)
            if read.ref is None or read.ref not in self._ledger.planner.recorded:
                self._ledger.forget_published(read.path)
        else:
            self._resource(read)
        return read

    def _template(self, read: readers.TemplateRead) -> None:
        template = read.template or self._ledger.file_templates.get(read.template_id)
        if template is None:
            self._ledger.planner.templates.pop(read.template_id, None)
            return
        self._ledger.planner.templates[read.template_id] = template
        self._planning.wake(read.template_id)

    def _resource(self, read: readers.ResourceRead) -> None:
        envelope, ref = read.envelope, read.ref
        if ref is None or envelope.body is None:
            if ref is not None:
                self._planning.room.remove(ref)
                self._refusals.forget(ref)
            self._refusals.document(read)
            return
        self._ledger.paths[ref] = read.path
        self._ledger.gone.discard(ref)
        recorded = self._ledger.planner.recorded.get(ref)
        if recorded is not None and envelope.version < recorded.version and not recorded.deleted:
            LOG.error("%s: version %d comes after version %d and is ignored", ref, envelope.version, recorded.version)
            return
        self._ledger.planner.resources[ref] = api.Resource(ref, envelope.body, envelope.version)
        self._planning.room.remove(ref)
        change = planners.Change(ref, envelope.version, envelope.body, envelope.marked)
        self._planning.attempt(change, read.seen_at)
        self._planning.wake(ref)

    def _resource_gone(self, ref: api.Ref) -> None:
        """The config document is gone: tear down what was brought about, then forget the resource."""
        self._ledger.planner.resources.pop(ref, None)
        self._planning.room.remove(ref)
        self._refusals.forget(ref)
        recorded = self._ledger.planner.recorded.get(ref)
        if recorded is None:
            return
        self._ledger.gone.add(ref)
        published = self._ledger.state_of(ref)
        failed = published is not None and published.undeleted and recorded.version > 0
        if failed and published is not None and self._at_work(ref):
            # That was the workflow before: a failure of this one will be told.
            self._ledger.published[str(self._ledger.path(ref))] = documents.Published(published.version, False)
        if not recorded.deleted or (failed and not self._ledger.planner.unfinished.of(ref)):
            # I3: a later version may have been refused, and its /state may not be followed by an older one.
            version = max(recorded.version, published.version if published else 0)
            teardown = planners.Change(ref, version, recorded.body, marked=True, again=True)
            self._planning.attempt(teardown, ledgers.now())
        self._jobs.forget_if_done(ref)

    def _at_work(self, ref: api.Ref) -> bool:
        """Whether jobs of a resource may still come to a good end."""
        return any(job.id not in self._ledger.failed for job in self._ledger.planner.unfinished.of(ref))

    def _refs_at(self, key: str) -> set[api.Ref]:
        """The resource that stands under a key."""
        try:
            read = self._reader.gone(key)
        except api.DocumentError:
            return set()
        return {read.ref} if isinstance(read, readers.ResourceGone) and read.ref is not None else set()

    def _clear_refused(self, present: set[str]) -> None:
        """What was refused, and removed while nobody led, has left its ``/state`` and its trace, and no record.

        :param present: the paths under ``/config/``
        """
        planned = {str(path) for path in self._ledger.paths.values()} | self._ledger.orphans.keys()
        for text in self._ledger.published.keys() - present - planned:
            try:
                path = keys.parse_path(text)
            except api.DocumentError:
                continue
            if self._ledger.store.get(path.trace) is not None:  # without one it is somebody else's
                self._ledger.forget_published(path)

    def _recover_lost(self, ref: api.Ref, entry: base.Entry, version: int, before: documents.Recorded | None) -> None:
        """I1: a version that was turned into jobs, has none left and no ``/state`` is planned again.

        :param entry: its config document, as it was listed
        :param before: what was recorded before this listing
        """
        if before is None or before is not self._ledger.planner.recorded.get(ref) or before.version != version:
            return
        if self._ledger.planner.unfinished.of(ref) or self._planning.room.get(ref) or ref in self._ledger.deferred:
            return
        published = self._ledger.state_of(ref)
        if published is None or published.version < version:
            current = self._ledger.store.get(entry.key)
            if current is None or current.mod_revision != entry.mod_revision:
                return  # its /state may have been removed with it, after it was listed: the watch tells
            LOG.warning("%s: version %d has neither jobs nor state: planned again", ref, version)
            self._planning.retry(ref)
