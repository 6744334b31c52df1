"""Finds the plug-ins, and refuses at start those that could only fail later.

:func:`load` is for the daemon; :func:`load_types` is for whatever plans or describes without running a job;
:func:`scan` and :func:`trial` never refuse and tell of each plug-in what is wrong with it.  Commands of esictl are
found in :mod:`esi_worker.cmd.commands`: no daemon needs them.

This is the only user of stevedore.  Left alone it logs what can't be loaded and goes on, keeps a cache of entry
points on disk that forgets which package they are from, and does not see that two packages use one name: so the
entry points are listed here, and stevedore is given one at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from oslo_config import cfg
from stevedore import extension

from esi_worker import api
from esi_worker import config
from esi_worker import plugin_checks
from esi_worker import plugin_conflicts

PACKAGE = "esi-worker"
"""The package of the built-in plug-ins, which come in by the same door as all others."""

Published = Callable[[api.Ref], Mapping[str, api.JSON] | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Types:
    """What is installed, as far as it can be known without a configuration; refused ones are in ``found`` only."""

    handlers: Mapping[str, type[api.Handler]]
    resolvers: Mapping[str, api.Resolver]
    probes: Mapping[str, type[api.Probe]]
    resource_types: Mapping[str, api.ResourceType]
    found: tuple[plugin_conflicts.Found, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Plugins:
    """What a process works with: one object of each handler, resolver and probe, used by all its threads."""

    handlers: Mapping[str, api.Handler]
    resolvers: Mapping[str, api.Resolver]
    probes: Mapping[str, api.Probe]
    resource_types: Mapping[str, api.ResourceType]
    found: tuple[plugin_conflicts.Found, ...]


def load(conf: cfg.ConfigOpts, published: Published | None = None) -> Plugins:
    """Find all plug-ins, register their options and make their objects.

    :param conf: the configuration; gets a group for each handler and probe
    :param published: gives the ``/monitoring`` document of a resource, for plug-ins that need another resource's
    :raises PluginError: naming package, entry point and reason of each plug-in that is refused
    :raises ConfigError: if ``[worker] handlers`` names one that isn't installed
    """
    candidates = _constructed(conf, published)
    for each in candidates:
        each.reasons += [f"it needs {need}" for need in each.needs]
    types = _types(candidates)
    _refuse(types.found)
    unknown = sorted(set(conf.worker.handlers) - set(types.handlers))
    if unknown:
        names = ", ".join(sorted(types.handlers))
        raise api.ConfigError(f"option handlers in group [worker]: no handler {', '.join(unknown)}; there are {names}")
    # The classes have become objects by now.
    handlers: Mapping[str, Any] = types.handlers
    probes: Mapping[str, Any] = types.probes
    return Plugins(handlers, types.resolvers, probes, types.resource_types, types.found)


def load_types(conf: cfg.ConfigOpts | None = None) -> Types:
    """Find all plug-ins without making objects of handlers and probes.

    :param conf: gets the options of each handler and probe
    :raises PluginError: naming package, entry point and reason of each plug-in that is refused
    """
    candidates = _candidates()
    if conf is not None:
        for each in plugin_conflicts.accepted(candidates, plugin_checks.HANDLERS, plugin_checks.PROBES):
            _register(each, conf)
    types = _types(candidates)
    _refuse(types.found)
    return types


def scan() -> Types:
    """Find all plug-ins, and say of each refused one why (``error`` of :class:`~esi_worker.plugin_conflicts.Found`)."""
    return _types(_candidates())


def trial(conf: cfg.ConfigOpts) -> tuple[plugin_conflicts.Found, ...]:
    """Find all plug-ins and make their objects as :func:`load` does, and say what came of it instead of refusing.

    :param conf: the configuration; gets a group for each handler and probe
    :returns: all, with ``needs`` and ``advice`` too; the objects are closed again
    """
    candidates = _constructed(conf, None)
    for each in plugin_conflicts.accepted(candidates, plugin_checks.HANDLERS):
        if not each.needs:
            _close(each)
    return tuple(each.result() for each in candidates)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Group name -> options of the built-in plug-ins, for ``oslo-config-generator``."""
    groups: dict[str, list[cfg.Opt]] = {}
    for each in plugin_conflicts.accepted(_candidates(), plugin_checks.HANDLERS, plugin_checks.PROBES):
        if each.found.package == PACKAGE and each.loaded.options:
            groups.setdefault(each.found.name, []).extend(each.loaded.options)
    return sorted(groups.items())


def _candidates() -> list[plugin_conflicts.Candidate]:
    candidates = [load_one(point) for group in plugin_checks.GROUPS for point in metadata.entry_points(group=group)]
    candidates.sort(key=lambda each: (plugin_checks.GROUPS.index(each.found.group), each.found.name))
    for each in candidates:
        if not each.reasons:
            each.reasons += plugin_checks.problems(each.found.group, each.found.name, each.loaded)
    plugin_conflicts.check(candidates, config.reserved_groups())
    for each in plugin_conflicts.accepted(candidates, plugin_checks.RESOLVERS):
        _make(each)
    return candidates


class _OnlyOne(extension.ExtensionManager[Any]):
    """Stevedore's manager of one entry point."""

    def __init__(self, point: metadata.EntryPoint, failures: list[BaseException]) -> None:
        self._point = point
        super().__init__(point.group, on_load_failure_callback=lambda _, __, error: failures.append(error))

    def list_entry_points(self) -> list[metadata.EntryPoint]:
        return [self._point]


def found(point: metadata.EntryPoint) -> plugin_conflicts.Found:
    """What can be told of an entry point without loading it."""
    package = point.dist
    return plugin_conflicts.Found(
        point.group,
        point.name,
        package.name if package else "unknown",
        package.version if package else "",
        point.value,
    )


def load_one(point: metadata.EntryPoint) -> plugin_conflicts.Candidate:
    """Load what an entry point names, and nothing else; whatever comes of it becomes a reason to refuse it."""
    failures: list[BaseException] = []
    loaded = None
    try:
        loaded = next((each.plugin for each in _OnlyOne(point, failures)), None)
    except (AssertionError, SystemExit) as error:  # these two stevedore lets through
        failures.append(error)
    reasons = [f"it can't be loaded: {type(each).__name__}: {each}" for each in failures]
    return plugin_conflicts.Candidate(found(point), loaded, reasons)


def _register(candidate: plugin_conflicts.Candidate, conf: cfg.ConfigOpts) -> None:
    try:
        config.register_plugin(conf, candidate.found.name, candidate.loaded.options)
    except api.ConfigError as error:
        candidate.reasons.append(str(error))


def _constructed(conf: cfg.ConfigOpts, published: Published | None) -> list[plugin_conflicts.Candidate]:
    """All candidates; those that nothing speaks against are objects."""
    candidates = _candidates()
    for each in plugin_conflicts.accepted(candidates, plugin_checks.HANDLERS, plugin_checks.PROBES):
        _register(each, conf)
        if not each.reasons:
            _construct(each, conf, published)
    return candidates


def _construct(candidate: plugin_conflicts.Candidate, conf: cfg.ConfigOpts, published: Published | None) -> None:
    name = candidate.found.name
    unset = [each for each in candidate.loaded.options if conf[name][each.dest] is None]
    # oslo.config looks at this once, before a plug-in's options are there.
    required = [f"option [{name}] {each.dest}" for each in unset if each.required]
    if required:
        candidate.needs.append(f"{' and '.join(required)}: not set, and without a default")
        return
    _make(candidate, api.Settings(conf, name, published))
    if candidate.reasons and unset:
        options = ", ".join(each.dest for each in unset)
        candidate.reasons.append(f"without a value in [{name}]: {options} (required=True says that one must be set)")


def _make(candidate: plugin_conflicts.Candidate, *arguments: api.Settings) -> None:
    try:
        candidate.loaded = candidate.loaded(*arguments)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code: whatever it raises is the reason)
        if arguments and isinstance(error, api.ConfigError):  # what it was given is wrong, not the plug-in
            candidate.needs.append(f"another configuration: {error}")
            return
        call = f"{candidate.loaded.__name__}({'settings' if arguments else ''})"
        candidate.reasons.append(f"its constructor {call} failed: {type(error).__name__}: {error}")


def _close(candidate: plugin_conflicts.Candidate) -> None:
    try:
        candidate.loaded.close()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (as above)
        candidate.advice.append(f"its close failed: {type(error).__name__}: {error}")


def _types(candidates: Sequence[plugin_conflicts.Candidate]) -> Types:
    by_group: dict[str, dict[str, Any]] = {group: {} for group in plugin_checks.GROUPS}
    for each in plugin_conflicts.accepted(candidates, *plugin_checks.GROUPS):
        by_group[each.found.group][each.found.name] = each.loaded
    return Types(
        handlers=by_group[plugin_checks.HANDLERS],
        resolvers=by_group[plugin_checks.RESOLVERS],
        probes=by_group[plugin_checks.PROBES],
        resource_types=by_group[plugin_checks.RESOURCE_TYPES],
        found=tuple(each.result() for each in candidates),
    )


def _refuse(found: Sequence[plugin_conflicts.Found]) -> None:
    refused = [each for each in found if each.error]
    if len(refused) == 1:
        raise api.PluginError(f"the plug-in {refused[0]} is refused: {refused[0].error}")
    if refused:
        lines = [f"{len(refused)} plug-ins are refused:", *(f"{each}: {each.error}" for each in refused)]
        raise api.PluginError("\n  ".join(lines))
