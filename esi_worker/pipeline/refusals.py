"""Documents that can't be turned into jobs: their own ``/state`` says why, and everything else goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import planner as planners
from esi_worker.pipeline import reader as readers
from esi_worker.pipeline import scheduling
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class Refusals:
    """Publishes what is refused.

    :param ledger: the state of the term
    """

    def __init__(self, ledger: ledgers.Ledger) -> None:
        self._ledger = ledger

    def forget(self, ref: api.Ref) -> None:
        """Something newer is known of a resource: a refusal that is not told yet never will be."""
        self._ledger.deferred.pop(ref, None)

    def change(self, change: planners.Change, reason: str) -> None:
        """A change that can't be planned; it is not planned again by this version.

        What is recorded is still what is there, and what the next version is compared with.
        """
        action = self._ledger.planner.action(change) or api.MODIFY
        LOG.error("%s version %d can't be planned: %s", change.ref, change.version, reason)
        failed = documents.worker_state(action, failed=True)

        def publish() -> None:
            known = self._ledger.planner.recorded.get(change.ref, documents.NOTHING)
            recorded = dataclasses.replace(known, refused=change.version)
            self._ledger.planner.recorded[change.ref] = recorded
            self._publish(self._ledger.path(change.ref), failed, change.version, reason, recorded)

        self._when_idle(change.ref, publish)

    def document(self, read: readers.ResourceRead) -> None:
        """A document that can't be used, of which no more than the version is known."""
        envelope = read.envelope
        known = self._ledger.published.get(str(read.path))
        if known is not None and known.version >= envelope.version:
            return
        if read.ref is None and self._ledger.orphans.get(str(read.path), 0) >= envelope.version:
            return  # it was planned, and a worker may still be at it: its own /state may still come
        LOG.error("%s version %d can't be used: %s", read.path.config, envelope.version, envelope.error)
        recorded = read.ref and self._ledger.planner.recorded.get(read.ref)
        action = api.LOGICAL_DELETE if envelope.marked else api.MODIFY if recorded else api.CREATE
        failed = documents.worker_state(action, failed=True)
        reason = f"the config document {read.path.config} can't be used: {envelope.error}"

        def publish() -> None:
            self._publish(read.path, failed, envelope.version, reason, None)

        if read.ref is None:
            publish()
        else:
            self._when_idle(read.ref, publish)

    def _when_idle(self, ref: api.Ref, publish: Callable[[], None]) -> None:
        """I3: while an older version is at work its own ``/state`` may still come, so this one's has to be later."""
        if self._ledger.planner.unfinished.of(ref):
            self._ledger.deferred[ref] = publish
        else:
            publish()

    def _publish(
        self, path: keys.Path, worker_state: str, version: int, reason: str, recorded: documents.Recorded | None
    ) -> None:
        self._ledger.published[str(path)] = documents.Published(version, True, worker_state == documents.UNDELETED)
        self._ledger.submit(scheduling.refuse(path, worker_state, version, reason, recorded, now=ledgers.now()))
