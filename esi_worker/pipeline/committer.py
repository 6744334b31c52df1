"""Commits the ends of jobs, several at hand in one transaction, and decides what an unknown outcome was."""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import outcome
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

GROUP = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """The end of a job, or of an attempt.

    :ivar claim: the fence
    :ivar finish: the transaction
    :ivar accepted: called with whether it was: False means that the claim is this worker's no more
    :ivar refused: called with a message if etcd will never take it (too large, ...)
    """

    claim: outcome.Claim
    finish: outcome.Finish
    accepted: Callable[[bool], None]
    refused: Callable[[str], None]


class Committer:
    """One thread that writes; what comes while a transaction is under way shares the next one."""

    def __init__(self, store: base.Store) -> None:
        self._store = store
        self._commits: queue.SimpleQueue[Commit | None] = queue.SimpleQueue()
        self._open = 0
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, commit: Commit) -> None:
        """Write this; its callbacks come from the committer's thread."""
        with self._lock:
            self._open += 1
        self._commits.put(commit)

    @property
    def idle(self) -> bool:
        """Whether everything is written."""
        with self._lock:
            return self._open == 0

    def close(self, timeout: float) -> None:
        """Write what is open, within so many seconds."""
        self._commits.put(None)
        self._thread.join(timeout)
        self._given_up.set()

    def _run(self) -> None:
        while (first := self._commits.get()) is not None:
            group = [first]
            last = False
            while len(group) < GROUP:
                try:
                    commit = self._commits.get_nowait()
                except queue.Empty:
                    break
                if commit is None:
                    last = True
                    break
                group.append(commit)
            self._write(group)
            with self._lock:
                self._open -= len(group)
            if last:
                return

    def _write(self, group: list[Commit]) -> None:
        if len(group) > 1 and self._together(group):
            return
        for commit in group:
            self._alone(commit)

    def _together(self, group: list[Commit]) -> bool:
        compares = [compare for commit in group for compare in commit.finish.compares]
        operations = [operation for commit in group for operation in commit.finish.operations]
        try:
            succeeded = self._store.transact(compares, operations).succeeded
        except api.StoreError as error:
            LOG.info("a group of %d finishes is written one by one: %s", len(group), error)
            return False
        if succeeded:
            for commit in group:
                commit.accepted(True)
        return succeeded

    def _alone(self, commit: Commit) -> None:
        """Write one; never repeat blindly: the claim tells whether it was applied."""
        delay = 0.1
        while not self._given_up.is_set():
            try:
                commit.accepted(self._store.transact(commit.finish.compares, commit.finish.operations).succeeded)
                return
            except api.StoreError as error:
                if isinstance(error, api.Conflict) or error.permanent:
                    LOG.error("the end of %s can't be written: %s", commit.claim.job.id, error)
                    commit.refused(str(error))
                    return
                LOG.warning("the end of %s was not written, looking again: %s", commit.claim.job.id, error)
                self._given_up.wait(delay)
                delay = min(delay * 2, 2.0)
            if self._applied(commit):
                commit.accepted(True)
                return

    def _applied(self, commit: Commit) -> bool:
        """After an unknown outcome: a claim that is gone was ended by this transaction or by the lease."""
        try:
            entry = self._store.get(keys.claim(commit.claim.job.id))
        except api.StoreError:
            return False
        return entry is None or entry.create_revision != commit.claim.revision
