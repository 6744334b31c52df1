"""How jobs end, as the active job manager sees it: releasing, cancelling, forgetting."""

from __future__ import annotations

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import dependency
from esi_worker.pipeline import documents
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import scheduling
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class JobEvents:
    """Keeps the unfinished jobs of a ledger as etcd has them.

    A job that is done needs nothing written here: its dependants see that it is gone.

    :param ledger: the state of the term
    """

    def __init__(self, ledger: ledgers.Ledger) -> None:
        self._ledger = ledger
        self._retries: list[str] = []
        self._unfinished = ledger.planner.unfinished

    def listed(self, snapshot: base.Snapshot) -> None:
        """Everything under ``/jobs/``: what is known beyond it is finished."""
        present = {entry.key for entry in snapshot.entries}
        for job in self._unfinished:
            if keys.job(job.id) not in present and self._was_written(job.id, snapshot.revision):
                self._removed(job.id)
        self._ledger.claimed = {key.removeprefix(keys.CLAIMS) for key in present if key.startswith(keys.CLAIMS)}
        # In the order of their writing: "oldest first" is what dependencies are listed by.
        entries = sorted(snapshot.entries, key=lambda each: each.create_revision)
        # Failures come last: what was written after one and depends on it is cancelled too.
        for entry in sorted(entries, key=lambda each: each.key.startswith(keys.FAILED)):
            self._put(entry)

    def changed(self, batch: base.Batch) -> None:
        """Changes under ``/jobs/``."""
        for event in batch.events:
            key = event.entry.key
            if event.kind == base.PUT:
                self._put(event.entry)
            elif key.startswith(keys.ALL_JOBS):
                self._removed(key.removeprefix(keys.ALL_JOBS))
            elif key.startswith(keys.CLAIMS):
                self._ledger.claimed.discard(key.removeprefix(keys.CLAIMS))

    def _was_written(self, job_id: str, revision: int) -> bool:
        """Whether a job was there before a revision; a listing that is older than the job does not tell of its end."""
        written = self._ledger.own.get(job_id, 0)
        return written is not None and written <= revision

    def take_retries(self) -> list[str]:
        """The keys by which operators asked for another try, each once."""
        asked, self._retries = self._retries, []
        return asked

    def forget_if_done(self, ref: api.Ref) -> None:
        """Remove the last keys of a resource that is taken down and whose config document is gone."""
        ledger = self._ledger
        recorded = ledger.planner.recorded.get(ref)
        if ref not in ledger.gone or recorded is None or not recorded.deleted or self._unfinished.of(ref):
            return
        published = ledger.state_of(ref)
        if published is not None and published.undeleted and recorded.version > 0:
            return  # it was not taken down: the next listing tries again
        path = ledger.path(ref)
        ledger.gone.discard(ref)
        ledger.planner.recorded.pop(ref, None)
        ledger.forget(path)
        LOG.info("%s is gone, and all that was known of it", ref)

    def _put(self, entry: base.Entry) -> None:
        if entry.key.startswith(keys.CLAIMS):
            self._ledger.claimed.add(entry.key.removeprefix(keys.CLAIMS))
        elif entry.key.startswith(keys.FAILED):
            self._failed(entry.key.removeprefix(keys.FAILED), entry.value)
        elif entry.key.startswith(keys.RETRY):
            self._retries.append(entry.key)
        elif entry.key.startswith(keys.ALL_JOBS):
            job_id = entry.key.removeprefix(keys.ALL_JOBS)
            self._ledger.own.pop(job_id, None)
            if job_id not in self._unfinished:
                self._add(entry)

    def _add(self, entry: base.Entry) -> None:
        try:
            self._unfinished.add(api.Job.from_document(codec.decode(entry.value)[1]))
        except (api.DocumentError, KeyError, TypeError, IndexError) as error:
            LOG.error("%s is no job that esi-worker wrote, it is left aside: %r", entry.key, error)

    def _removed(self, job_id: str) -> None:
        job = self._unfinished.remove(job_id)
        self._ledger.failed.discard(job_id)
        self._ledger.own.pop(job_id, None)
        if job is None or self._unfinished.of(job.ref):
            return
        publish = self._ledger.deferred.pop(job.ref, None)
        if publish is not None:
            publish()
        self.forget_if_done(job.ref)

    def _failed(self, job_id: str, value: bytes) -> None:
        """Cancel what can't be done any more, those farthest from the failed job first, the job itself last.

        As long as the failed job is there none of its dependants can start, so a crash in between does no harm.
        """
        job = self._unfinished.get(job_id)
        if job is None or job_id in self._ledger.failed:
            return
        self._ledger.failed.add(job_id)
        self._told(job)
        told = {job.ref}
        reason = f"{job_id} failed: {_message(value)}"
        for each in reversed(dependency.cancelled_with(job, self._unfinished)):
            newer = any(other.version > each.version for other in self._unfinished.of(each.ref))
            path = None if each.ref in told or newer else self._ledger.place(each.ref)
            if path is not None:
                told.add(each.ref)
                self._told(each)
            LOG.warning("cancelled %s: %s", each.id, reason)
            self._ledger.submit(scheduling.cancel(each, path, f"cancelled: {reason}"))
        self._ledger.submit(scheduling.end_failed(job_id))

    def _told(self, job: api.Job) -> None:
        path = self._ledger.place(job.ref)
        if path is not None:
            self._ledger.published[str(path)] = documents.Published(job.version, True, undeleted=job.removes)


def _message(value: bytes) -> str:
    try:
        return str(codec.decode(value)["message"])
    except (api.DocumentError, KeyError, TypeError):
        return "no reason given"
