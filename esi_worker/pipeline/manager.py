"""The job manager: one leads in the whole deployment, any number stand by.

The leader follows ``/config`` and ``/jobs`` and hands what it sees to a :class:`~esi_worker.pipeline.term.Term`,
one thing after another, in one thread: etcd's order is the order of planning.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import inbox as inboxes
from esi_worker.pipeline import job_events
from esi_worker.pipeline import leader
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import planner
from esi_worker.pipeline import term as terms
from esi_worker.store import base
from esi_worker.store import keys

LOG = logging.getLogger(__name__)

_TICK = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the configuration says.

    :ivar lease_ttl: seconds until a dead leader is replaced
    :ivar relist_interval: seconds between two listings of everything
    :ivar patience: seconds that a resource waits for a missing relative or template
    """

    lease_ttl: int = 10
    relist_interval: float = 300.0
    patience: float = 60.0


class Manager:
    """Leads when it can, plans while it leads.

    :param rules: what planning goes by; when it gives another object than before, the term ends and the next one
        compares all there is by the new rules
    :param file_templates: the templates in files; the same
    :param name: of this process, for people who look into etcd
    """

    def __init__(
        self,
        store: base.Store,
        rules: Callable[[], planner.Rules],
        file_templates: Callable[[], Mapping[str, api.Template]],
        options: Options,
        name: str,
    ) -> None:
        self._store = store
        self._rules = rules
        self._file_templates = file_templates
        self._options = options
        self._name = name

    def run(self, stop: threading.Event) -> None:
        """Stand by and lead until stop is set."""
        while not stop.is_set():
            leadership = leader.campaign(self._store, self._name, self._options.lease_ttl, stop)
            if leadership is None:
                return
            try:
                self._lead(leadership, stop)
            finally:
                leadership.resign()

    def _lead(self, leadership: leader.Leadership, stop: threading.Event) -> None:
        while not stop.is_set() and not leadership.lost.is_set():
            over = threading.Event()
            try:
                self._serve_term(leadership, stop, over)
            except api.StoreError as error:
                LOG.warning("the job manager starts over from what etcd says: %s", error)
                stop.wait(0.2)
            finally:
                over.set()

    def _serve_term(self, leadership: leader.Leadership, stop: threading.Event, over: threading.Event) -> None:
        rules, file_templates = self._rules(), self._file_templates()
        ledger = ledgers.Ledger(self._store, rules, file_templates, leadership.fence)
        jobs = job_events.JobEvents(ledger)
        term = terms.Term(ledger, jobs, patience=self._options.patience)
        inbox = inboxes.Inbox(self._store, over, self._options.relist_interval)
        # Jobs first: a job that is gone by now has its /state written, and /state is listed later.
        inbox.follow(keys.JOBS, jobs.listed, jobs.changed)
        while not inbox.serve(_TICK):
            if stop.is_set() or leadership.lost.is_set():
                return
        ledger.load_recorded()
        inbox.follow(keys.CONFIG, term.listed, term.changed)
        while not stop.is_set() and not leadership.lost.is_set():
            inbox.serve(_TICK)
            term.tick()
            ledger.flush()
            if self._rules() is not rules or self._file_templates() is not file_templates:
                LOG.info("the job manager starts over: the catalog or the templates have changed")
                return
