"""Wires the stages, starts and stops their threads.  The only module that knows all of them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api
from esi_worker import assembly
from esi_worker import plugins
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import collector
from esi_worker.pipeline import manager
from esi_worker.pipeline import monitor
from esi_worker.pipeline import places
from esi_worker.pipeline import planner
from esi_worker.pipeline import relatives
from esi_worker.pipeline import worker
from esi_worker.store import codec

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """What is read from files: replaced as a whole by a reload."""

    catalog: catalogs.Catalog
    rules: planner.Rules
    templates: Mapping[str, api.Template]


class Service:
    """The roles that the configuration names, each in a thread of its own, until :meth:`stop`.

    :raises ConfigError: if the configuration or a plug-in can't be used
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._stop = threading.Event()
        self._name = assembly.process_name()
        self._store = assembly.store(conf)
        self._plugins = plugins.load(conf, self._published)
        self._known = self._read()
        self._worker: worker.Worker | None = None
        self._reloading = threading.Lock()
        self._monitor = monitor.DeviceMonitor(self._plugins.probes, mode=conf.monitoring.mode)
        roles: dict[str, Callable[[threading.Event], None]] = {
            "job_manager": self._run_manager,
            "worker": self._run_worker,
            "collector": self._run_collector,
        }
        self._roles = {name: run for name, run in roles.items() if name in conf.roles}

    def run(self) -> int:
        """Run all roles until :meth:`stop`.

        :returns: 0
        """
        LOG.info("esi-worker %s runs: %s", self._name, ", ".join(self._roles))
        threads = [
            threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
            for name, run in self._roles.items()
        ]
        for thread in threads:
            thread.start()
        self._stop.wait()
        for thread in threads:
            thread.join(self._conf.worker.drain_timeout + 5)
        self._monitor.close()
        self._store.close()
        LOG.info("esi-worker %s has stopped", self._name)
        return 0

    def stop(self) -> None:
        """Make :meth:`run` drain and return; any thread may call it, more than once too."""
        self._stop.set()

    def reload(self) -> None:
        """Read the catalog files and the templates again; jobs that run go on with what they began with.

        The job manager begins a new term with it: what only the new catalog knows is planned then, what it has no
        type for any more is left as it is.

        :raises ConfigError: if something can't be used; then everything stays as it was
        """
        with self._reloading:
            known = self._read()
            gone = sorted(self._known.catalog.types.keys() - known.catalog.types.keys())
            if gone:
                LOG.warning("the catalog has no %s any more: what there is of it is left as it is", ", ".join(gone))
            self._known = known
            if self._worker is not None:
                self._worker.adopt(known.catalog, known.templates)
        LOG.info("read again: %d resource types, %d templates in files", len(known.catalog.types), len(known.templates))

    def _read(self) -> _Known:
        merged = assembly.merged(self._conf, self._plugins.resource_types)
        for each in merged.contradictions:
            LOG.warning("the catalog contradicts itself: %s", each)
        catalog = assembly.catalog(self._conf, merged)
        rules = assembly.rules(self._conf, catalog, self._plugins.handlers, self._plugins.resolvers)
        return _Known(catalog, rules, assembly.file_templates(self._conf))

    def _run_manager(self, stop: threading.Event) -> None:
        group = self._conf.job_manager
        options = manager.Options(group.lease_ttl, group.relist_interval, group.wait_for_relatives)
        leading = manager.Manager(
            self._store, lambda: self._known.rules, lambda: self._known.templates, options, self._name
        )
        leading.run(stop)

    def _run_worker(self, stop: threading.Event) -> None:
        group = self._conf.worker
        chosen = group.handlers or list(self._plugins.handlers)
        options = worker.Options(
            slots=group.slots,
            slots_per_system=group.slots_per_system,
            lease_ttl=group.lease_ttl,
            max_attempts=group.max_attempts,
            retry_delay=group.retry_delay,
            retry_delay_max=group.retry_delay_max,
            job_timeout=group.job_timeout,
            call_timeout=group.call_timeout,
            drain_timeout=group.drain_timeout,
            relist_interval=self._conf.job_manager.relist_interval,
        )
        handlers = {name: self._plugins.handlers[name] for name in chosen}
        with self._reloading:
            known = self._known
            self._worker = worker.Worker(
                self._store, known.catalog, handlers, known.templates, self._monitor, options, self._name
            )
        self._worker.run(stop)

    def _run_collector(self, stop: threading.Event) -> None:
        options = collector.Options(
            self._conf.collector.interval, self._conf.collector.lease_ttl, self._conf.job_manager.relist_interval
        )
        collector.Collector(self._store, self._monitor, self._body, options, self._name).run(stop)

    def _body(self, ref: api.Ref) -> Mapping[str, Any] | None:
        return relatives.Relatives(self._store, self._known.catalog).fetch(relatives.CONFIG, ref)

    def _published(self, ref: api.Ref) -> Mapping[str, Any] | None:
        entry = self._store.get(places.Places(self._store, self._known.catalog).path(ref).monitoring)
        return None if entry is None else codec.decode(entry.value)
