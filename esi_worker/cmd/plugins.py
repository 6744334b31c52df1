"""``esictl plugins`` and ``esictl plugins check``: what is installed, and what the daemon would refuse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Final

from cliff import command

from esi_worker import api
from esi_worker import plugin_conflicts
from esi_worker import plugins
from esi_worker.cmd import display
from esi_worker.cmd import listing

PASSED: Final = "passed"
REFUSED: Final = "refused"


class List(listing.Lister):
    """List the installed handlers, resolvers, probes and resource types, and whether each passed the check.

    With one that is refused no daemon starts; the exit code is 1 then.  Commands are listed by "esictl --help".
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
        found = plugins.scan().found
        self._refused = any(each.error for each in found)
        if parsed_args.package:
            found = of_package(found, parsed_args.package)
        return ("group", "name", "package", "version", "check", "reason"), [_row(each) for each in found]

    def run(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if one is refused."""
        return super().run(parsed_args) or int(self._refused)


class Check(command.Command):
    """Check the plug-ins of one package as the daemon does at its start, and say why one is refused.

    Whether their constructors work with a configuration is seen when the daemon starts with it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("package", metavar="PACKAGE", help="the name that pip knows it by")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if one is refused."""
        found = of_package(plugins.scan().found, parsed_args.package)
        for each in found:
            state = f"{REFUSED}: {each.error}" if each.error else PASSED
            self.app.stdout.write(f"{each.group}: {each.name} = {each.target}: {state}\n")
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


def _row(found: plugin_conflicts.Found) -> tuple[Any, ...]:
    group = found.group.removeprefix("esi_worker.")
    check = REFUSED if found.error else PASSED
    return (group, found.name, found.package, found.version, check, display.Cell(found.error or None))
