"""``esictl plugins`` and ``esictl plugins check``: what is installed, and what the daemon would refuse."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Final

from cliff import command

from esi_worker import api
from esi_worker import plugin_conflicts
from esi_worker import plugins
from esi_worker.cmd import commands
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import session

PASSED: Final = "passed"
REFUSED: Final = "refused"
NEEDS: Final = "needs"
_WIDTH: Final = 80
_INDENT: Final = "    "


class List(listing.Lister):
    """List the installed plug-ins, commands of esictl among them, and whether each passed the check.

    A refused command is only left out of esictl; with any other that is refused no daemon starts.  The exit code is 1
    if one is refused.
    """

    nothing = "no plug-in is installed: is esi-worker itself?"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refused = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--package", metavar="PACKAGE", help="only those of this package")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        found = (*plugins.scan().found, *commands.found(self.app))
        self._refused = any(each.error for each in found)
        if parsed_args.package:
            found = of_package(found, parsed_args.package)
        return ("group", "name", "package", "version", "check", "reason"), [_row(each) for each in found]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Write the list; for people the reasons stand below the table, which they would make too wide to read."""
        if parsed_args.formatter != "table" or parsed_args.columns:
            return super().produce_output(parsed_args, column_names, data)
        rows = list(data)
        super().produce_output(parsed_args, column_names[:-1], [row[:-1] for row in rows])
        for group, name, package, _, check, reason in rows:
            if check == REFUSED:
                text = f"{group}: {name} ({package}) is refused: {reason.machine_readable()}"
                self.app.stdout.write(f"\n{_filled(text, '')}\n")
        return 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if one is refused."""
        return super().run(parsed_args) or int(self._refused)


class Check(command.Command):
    """Check the plug-ins of one package as the daemon does at its start, and say why one is refused.

    Handlers and probes are constructed with the configuration that the global options name, or the one in the usual
    places; options that nobody set have their defaults.  One that needs options which are not set is not refused: it
    is told which.  Commands are checked as "esictl --help" needs them.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("package", metavar="PACKAGE", help="the name that pip knows it by")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if one is refused."""
        found = (*plugins.trial(session.of(self).conf), *commands.found(self.app))
        found = of_package(found, parsed_args.package)
        self.app.stdout.write(f"package {found[0].package}, version {found[0].version}\n")
        for each in found:
            self.app.stdout.write(_report(each))
        return int(any(each.error for each in found))


def of_package(found: Iterable[plugin_conflicts.Found], package: str) -> tuple[plugin_conflicts.Found, ...]:
    """Those of one package.

    :param package: its name, spelled in any way that pip takes
    :raises ConfigError: if it has none, naming the packages that have
    """
    found = tuple(found)
    name = _normalized(package)
    own = tuple(each for each in found if _normalized(each.package) == name)
    if not own:
        others = ", ".join(sorted({each.package for each in found})) or "none"
        raise api.ConfigError(f"no installed package {package!r} offers a plug-in; these do: {others}")
    return own


def _normalized(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _report(found: plugin_conflicts.Found) -> str:
    """One plug-in in lines of text."""
    state = REFUSED if found.error else NEEDS if found.needs else PASSED
    head = f"{state:<8} {_group(found)}: {found.name}"
    if found.error or found.needs:
        reason = found.error or f"it needs {found.needs}"
        return f"{head}\n{_lines(f'entry point {found.name} = {found.target}')}{_lines(reason)}"
    return f"{head}\n{_lines(found.advice)}"


def _lines(text: str) -> str:
    return f"{_filled(text, _INDENT)}\n" if text else ""


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=_INDENT, break_on_hyphens=False)


def _group(found: plugin_conflicts.Found) -> str:
    return found.group.removeprefix("esi_worker.")


def _row(found: plugin_conflicts.Found) -> tuple[Any, ...]:
    check = REFUSED if found.error else PASSED
    return (_group(found), found.name, found.package, found.version, check, display.Cell(found.error or None))
