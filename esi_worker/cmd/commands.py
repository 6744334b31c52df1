"""Where esictl has its commands from: entry points of which each is loaded when it is wanted, and by itself.

cliff left alone loads all of them first: one that ends the process while it is imported ends esictl, and of two with
one name the last wins.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from collections.abc import Sequence
from importlib import metadata
from typing import Any
from typing import Final

from cliff import commandmanager

from esi_worker import api
from esi_worker import plugin_conflicts
from esi_worker import plugins
from esi_worker.cmd import command_checks

LOG = logging.getLogger("esictl")

GROUP: Final = "esi_worker.commands"


class Command:
    """A command as cliff's manager knows it: what has a name, and can be loaded.

    :param point: its entry point
    :param reasons: why it is refused before it is loaded
    """

    def __init__(self, point: metadata.EntryPoint, reasons: Sequence[str]) -> None:
        self.found = plugins.found(point)
        self.name = point.name
        self.value = point.value
        self._point = point
        self._reasons = reasons

    def load(self) -> Any:
        """The class.

        :raises PluginError: if it is refused
        """
        if self._candidate.reasons:
            refused = self._candidate.result()
            raise api.PluginError(f"the command {refused} is refused: {refused.error}")
        return self._candidate.loaded

    def check(self, app: Any) -> plugin_conflicts.Found:
        """What is told of it, after doing all that cliff does with a command but running it."""
        candidate = self._candidate
        reasons = candidate.reasons or list(command_checks.object_problems(self.name, candidate.loaded, app))
        advice = [] if reasons else list(command_checks.advice(candidate.loaded))
        return plugin_conflicts.Candidate(self.found, candidate.loaded, reasons, advice=advice).result()

    @functools.cached_property
    def _candidate(self) -> plugin_conflicts.Candidate:
        candidate = plugins.load_one(self._point)
        if not candidate.reasons:
            candidate.reasons += command_checks.class_problems(candidate.loaded)
        candidate.reasons[:0] = self._reasons
        return candidate


class Manager(commandmanager.CommandManager):
    """Finds commands: ours, which may be abbreviated, and those of other packages, by their whole name.

    :param app: the application, which each command is given when it is checked
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._installed: list[Command] = []
        self._added: dict[str, Command] = {}
        super().__init__(GROUP)

    def load_commands(self, namespace: str) -> None:
        """List the commands of a group of entry points, without loading them."""
        self.group_list.append(namespace)
        points = sorted(
            metadata.entry_points(group=namespace), key=lambda point: (point.name, plugins.found(point).package)
        )
        found = [plugins.found(point) for point in points]
        owned: dict[str, Any] = self.commands  # cliff wants no more of an entry point than Command has
        for point, own in zip(points, found, strict=True):
            others = [each for each in found if each is not own]
            command = Command(point, list(command_checks.name_problems(own, others)))
            self._installed.append(command)
            if own.package == plugins.PACKAGE:
                owned[command_checks.words(own.name)] = command
            elif not command_checks.hidden(own, others):
                self._added[command_checks.words(own.name)] = command

    def find_command(self, argv: list[str]) -> tuple[Any, str, list[str]]:
        """The class of a command, what it was called, and its arguments.

        :raises PluginError: if it is refused
        :raises ValueError: if there is none, which cliff answers with those that are like it
        """
        for count in range(self._get_last_possible_command_index(argv), 0, -1):
            name = " ".join(argv[:count])
            if name in self._added:
                return self._added[name].load(), name, argv[count:]
        found: tuple[Any, str, list[str]] = super().find_command(argv)
        return found

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Those that passed the check, for what cliff does with all of them at once."""
        refused = [one for one, found in zip(self._installed, self.found, strict=True) if found.error]
        if refused:
            names = ", ".join(f"{command_checks.words(each.name)} (package {each.found.package})" for each in refused)
            LOG.warning("refused and left out: %s; 'esictl plugins' says why", names)
        return iter([each for each in {**self.commands, **self._added}.items() if each[1] not in refused])

    @functools.cached_property
    def found(self) -> tuple[plugin_conflicts.Found, ...]:
        """All that are installed, and why one is refused."""
        return tuple(each.check(self._app) for each in self._installed)


def found(app: Any) -> tuple[plugin_conflicts.Found, ...]:
    """All commands that are installed for an application, and why one is refused."""
    manager: Manager = app.command_manager
    return manager.found
