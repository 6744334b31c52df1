"""The whole pipeline in one thread, stepped by hand, on a store in memory: from ``/config`` to ``/state``.

::

    here = pipeline.Pipeline(types=[CARD], handlers={"greeter": greeter}, templates=pipeline.templates("templates"))
    here.put(api.Ref("greeting_card", "c1"), {"recipient_id": "p1"})
    here.run()
    here.state(api.Ref("greeting_card", "c1"))     # {"state": {"worker_state": "CREATE_COMPLETED", ...}, ...}

Planning, claiming and finishing are the daemon's own.  What differs: nothing waits.  A delay of ``api.Again`` is added
to ``context.elapsed`` and the job called again; so is a job after a temporary error, until its attempts are used up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import threading
import time
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import claiming
from esi_worker.pipeline import execution
from esi_worker.pipeline import job_events
from esi_worker.pipeline import jobqueue
from esi_worker.pipeline import ledger as ledgers
from esi_worker.pipeline import outcome
from esi_worker.pipeline import planner
from esi_worker.pipeline import relatives
from esi_worker.pipeline import templates as template_files
from esi_worker.pipeline import term as terms
from esi_worker.pipeline import workflow
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys
from esi_worker.store import memory

_TTL = 86400


def templates(directory: pathlib.Path | str) -> list[api.Template]:
    """The templates in the files of a directory.

    :raises ConfigError: naming the file that can't be used
    """
    return list(template_files.read_directory(directory).values())


class DirectMonitor:
    """An :class:`~esi_worker.api.Monitor` that asks when it is asked, each time over a new session.

    :param probes: name -> probe
    """

    def __init__(self, probes: Mapping[str, api.Probe]) -> None:
        self._probes = probes

    def parse(self, name: str, properties: Mapping[str, api.JSON]) -> api.Target:
        """:raises PermanentError: as the probe does, and for a type that there is no probe for."""
        probe = self._probes.get(properties.get("type", ""))
        if probe is None:
            raise api.PermanentError(f"target {name}: there is no probe {properties.get('type')!r}")
        return probe.targets(name, properties)

    def observe(self, targets: Sequence[api.Target], interval: float) -> Mapping[str, api.Reading]:
        """Read all of them now."""
        return {target.name: self._read(target) for target in targets}

    def published(self, target: api.Target, reading: api.Reading) -> str:
        """The status as ``/monitoring`` shows it."""
        return "FAIL" if reading.status is None else self._probes[target.probe].published(reading.status)

    def _read(self, target: api.Target) -> api.Reading:
        probe = self._probes[target.probe]
        try:
            with contextlib.closing(probe.connect(target.device)) as session:
                status = probe.read(session, [target]).get(api.key(target))
        except api.JobError as error:
            return api.Reading(None, error.message, time.monotonic())
        return api.Reading(status, "" if status else "the device does not know it", time.monotonic())


@dataclasses.dataclass(slots=True)
class _Running:
    claim: outcome.Claim
    context: execution.Context


class Pipeline:
    """One deployment, stepped by hand.

    :param types: all resource types; relations may lead to types that nobody describes
    :param handlers: name -> handler
    :param templates: all templates
    :param resolvers: name -> resolver
    :param probes: name -> probe
    :param patience: seconds that a resource waits for a relative before its ``/state`` says so; 0: not at all
    :param max_attempts: attempts of a job before it fails
    :param secrets: ``inline`` or ``reference``, as ``[job_manager] secrets`` says
    :ivar store: all documents, to look at
    """

    def __init__(
        self,
        *,
        types: Iterable[api.ResourceType],
        handlers: Mapping[str, api.Handler],
        templates: Iterable[api.Template] = (),
        resolvers: Mapping[str, api.Resolver] | None = None,
        probes: Mapping[str, api.Probe] | None = None,
        patience: float = 60.0,
        max_attempts: int = 10,
        secrets: str = "inline",
    ) -> None:
        self.store = memory.MemoryStore()
        self._handlers = handlers
        self._templates = {each.id: each for each in templates}
        self._monitor = DirectMonitor(probes or {})
        self._patience, self._max_attempts = patience, max_attempts
        traits = {
            name: workflow.Traits(name, each.order, each.torn_down_before_modify, each.record_kind or name)
            for name, each in handlers.items()
        }
        self._kinds = {name: each.record_kind for name, each in traits.items()}
        self._rules = planner.Rules(catalogs.Catalog(types), traits, resolvers or {}, secrets)
        self._stopping = threading.Event()
        self._start()

    # -- what the API server does ----------------------------------------------------------------------------------

    def put(self, ref: api.Ref, body: Mapping[str, api.JSON], *, version: int | None = None) -> int:
        """Write the config document of a resource.

        :param version: one more than the last one where it is not given
        :returns: the version
        """
        version = version or self._version(ref) + 1
        self._write(ref, {"id": ref.resource_id, **body}, version, marked=False)
        return version

    def mark(self, ref: api.Ref) -> int:
        """Ask for a resource to be taken down; :returns: the version of the document that says so."""
        document = self._document(self._path(ref).config)
        self._write(ref, document["body"], document["version"] + 1, marked=True)
        return int(document["version"]) + 1

    def forget(self, ref: api.Ref) -> None:
        """Remove config and state, as the API server does when a resource is taken down."""
        self.store.delete(self._path(ref).config)
        self.store.delete(self._path(ref).state)

    # -- steps -----------------------------------------------------------------------------------------------------

    def run(self, limit: int = 1000) -> int:
        """Step until there is nothing to do.

        :returns: how many calls of handlers it took
        :raises AssertionError: if there still is something to do after so many calls
        """
        for calls in range(limit):
            if self.step() is None:
                return calls
        raise AssertionError(f"still not at rest after {limit} calls; unfinished: {[each.id for each in self.jobs()]}")

    def step(self) -> str | None:
        """Plan what can be planned, then call the handler of one job once.

        :returns: the job's id; None where no job could be called
        """
        self.plan()
        self._claim()
        job_id = next(iter(self._running), None)
        if job_id is not None:
            running = self._running.pop(job_id)
            self._call(running)
            self.plan()
        return job_id

    def plan(self) -> None:
        """Turn what changed in ``/config`` into jobs, cancel what can't be done any more."""
        while True:
            before = self.store.list("/").revision
            self._events.listed(self.store.list(keys.JOBS))
            self._term.listed(self.store.list(keys.CONFIG))
            self._term.tick()
            self._ledger.flush()
            if self.store.list("/").revision == before:
                return

    def restart(self) -> None:
        """Kill all processes and start them again: what is not in the store is lost."""
        self.store.revoke(self._lease)
        self._start()

    # -- what there is to see --------------------------------------------------------------------------------------

    def jobs(self) -> list[api.Job]:
        """The jobs that are not finished, in the order they were written."""
        entries = sorted(self.store.list(keys.ALL_JOBS).entries, key=lambda each: each.create_revision)
        return [api.Job.from_document(codec.decode(entry.value)[1]) for entry in entries]

    def state(self, ref: api.Ref) -> api.JSON:
        """``/state`` of a resource, or None."""
        return self._document(self._path(ref).state)

    def job_state(self, ref: api.Ref) -> api.JSON:
        """What the jobs of the last workflow gave, or None."""
        return self._document(self._path(ref).job_state)

    def record(self, handler: str, ref: api.Ref) -> api.JSON:
        """A handler's record of a resource, or None."""
        return self._document(self._path(ref).record(self._kinds[handler]))

    # -- how it is done --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        revision = self.store.put(keys.LEADER, b"{}")
        entry = self.store.get(keys.LEADER)
        fence = base.created_at(keys.LEADER, entry.create_revision if entry else revision)
        self._ledger = ledgers.Ledger(self.store, self._rules, self._templates, fence)
        self._events = job_events.JobEvents(self._ledger)
        self._term = terms.Term(self._ledger, self._events, patience=self._patience)
        self._events.listed(self.store.list(keys.JOBS))
        self._ledger.load_recorded()
        self._lease = self.store.grant(_TTL)
        self._relatives = relatives.Relatives(self.store, self._rules.catalog)
        self._claimer = claiming.Claimer(self.store, self._rules.catalog, self._kinds, self._templates, "by hand")
        self._running: dict[str, _Running] = {}

    def _claim(self) -> None:
        queue = jobqueue.JobQueue(self._handlers, lambda job: "")
        queue.listed(self.store.list(keys.JOBS))
        for claimed in self._claimer.claim(list(queue.ready(lambda lane: True)), self._lease).claimed:
            context = claimed.context(self._relatives.fetch, self._monitor, self._stopping, lambda: True)
            self._running[claimed.claim.job.id] = _Running(claimed.claim, context)

    def _call(self, running: _Running) -> None:
        claim = running.claim
        answer = execution.call(self._handlers[claim.job.handler], running.context)
        if isinstance(answer, api.Again):
            started = running.context.started - answer.delay
            self._running[claim.job.id] = _Running(claim, dataclasses.replace(running.context, started=started))
        elif isinstance(answer, api.Done):
            self._end(_done(claim, answer))
        elif isinstance(answer, api.TemporaryError) and claim.attempts + 1 < self._max_attempts:
            self._end(outcome.retried(claim))
            claim = dataclasses.replace(claim, attempts=claim.attempts + 1)
            self._running[claim.job.id] = _Running(claim, dataclasses.replace(running.context, claim=claim))
        else:
            self._end(outcome.failed(claim, answer.message))

    def _end(self, finish: outcome.Finish) -> None:
        if not self.store.transact(finish.compares, finish.operations).succeeded:
            raise AssertionError("the end of a job was refused: something else removed its claim")

    def _path(self, ref: api.Ref) -> keys.Path:
        return self._rules.catalog.path(ref)

    def _version(self, ref: api.Ref) -> int:
        document = self._document(self._path(ref).config)
        return int(document["version"]) if document else 0

    def _document(self, key: str) -> api.JSON:
        entry = self.store.get(key)
        return None if entry is None else codec.decode(entry.value)

    def _write(self, ref: api.Ref, body: api.JSON, version: int, *, marked: bool) -> None:
        document = {"body": body, "version": version, "marked_for_deletion": marked}
        self.store.put(self._path(ref).config, codec.encode(document))


def _done(claim: outcome.Claim, answer: api.Done) -> outcome.Finish:
    try:
        return outcome.done(claim, answer)
    except api.DocumentError as error:
        return outcome.failed(claim, f"internal error in {claim.job.handler}: {error}")
