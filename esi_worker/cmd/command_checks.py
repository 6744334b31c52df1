"""What a command must be to be let into esictl, alone and beside others.

The rest of esictl must not depend on the care of strangers: their commands are looked at before cliff works with
them, and what cliff does with all commands at once (``--help``, ``complete``) it does with those that passed.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from cliff import command

from esi_worker import plugin_checks
from esi_worker import plugin_conflicts
from esi_worker import plugins

OWN: Final[Mapping[str, str]] = {"help": "cliff", "complete": "cliff"}
"""Commands that are no entry points, and whose they are."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(_[A-Za-z0-9][A-Za-z0-9.-]*)*")
_METHODS: Final = ("get_description", "get_epilog", "get_parser", "run", "take_action")


def words(name: str) -> str:
    """What a command is called by.

    :param name: its entry point's name
    """
    return name.replace("_", " ")


def name_problems(found: plugin_conflicts.Found, others: Sequence[plugin_conflicts.Found]) -> Iterator[str]:
    """Reasons to refuse a command for its name: none of them is found by loading it.

    :param others: the other commands; a stranger's is no reason to refuse ours
    """
    if not _NAME.fullmatch(found.name):
        yield f"the name {found.name!r} can't be used: words of A-Z a-z 0-9 . - are wanted, with _ between them"
    if found.package == plugins.PACKAGE:
        return
    name = words(found.name)
    same = [other for other in others if words(other.name) == name]
    if same:
        yield f"its name is also used by {', '.join(f'{other.package} ({other.target})' for other in same)}"
    mistaken = {theirs: package for theirs, package in hidden(found, others).items() if theirs != name or not same}
    if mistaken:
        named = ", ".join(f"'{theirs}' of {package}" for theirs, package in mistaken.items())
        yield f"'esictl {name}' could as well mean {named}"


def hidden(found: plugin_conflicts.Found, others: Sequence[plugin_conflicts.Found]) -> Mapping[str, str]:
    """The commands of ours that one of another package would take calls from, and whose they are.

    ``get port`` would take ``esictl get port``, which lists the resources of that type; ``jobs`` would take what
    ``jobs list`` was abbreviated to.
    """
    owned = {words(other.name): other.package for other in others if other.package == plugins.PACKAGE}
    return {name: package for name, package in {**OWN, **owned}.items() if _begins(name, words(found.name))}


def _begins(one: str, other: str) -> bool:
    """Whether the words of one are the first words of the other."""
    count = min(len(one.split()), len(other.split()))
    return one.split()[:count] == other.split()[:count]


def class_problems(loaded: object) -> Iterator[str]:
    """Reasons to refuse what an entry point gave, seen without making an object of it."""
    if not isinstance(loaded, type):
        yield f"it is {plugin_checks.describe(loaded)}; a class derived from cliff.command.Command is wanted"
        return
    if not issubclass(loaded, command.Command) or loaded is command.Command:
        yield f"the class {loaded.__name__} is not derived from cliff.command.Command"
        return
    missing = sorted(getattr(loaded, "__abstractmethods__", ()))
    if missing:
        yield f"the class {loaded.__name__} lacks {', '.join(missing)}"
    for method in _METHODS:
        if method not in missing:
            yield from plugin_checks.method_problems(command.Command, loaded, method)
    # "complete" gives no name.
    reason = plugin_checks.bind(loaded, ["app", "app_args"])
    if reason:
        yield f"its constructor can't be called as {loaded.__name__}(app, app_args, cmd_name=None): {reason}"


def object_problems(name: str, loaded: Any, app: Any) -> Iterator[str]:
    """Reasons to refuse a class that :func:`class_problems` finds nothing wrong with.

    :param app: the application, which each command is given
    """
    call = f"{loaded.__name__}(app, None, cmd_name={words(name)!r})"
    try:
        # As for "esictl --help": no arguments yet.
        made = loaded(app, None, **_cmd_name(loaded, words(name)))
        call = "get_description()"
        description = made.get_description()
        call = "get_parser(prog_name)"
        parser = made.get_parser(f"esictl {words(name)}")
        call = "format_help() of its parser"
        if isinstance(parser, argparse.ArgumentParser):
            parser.format_help()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code: whatever it raises is the reason)
        yield f"{call} failed: {type(error).__name__}: {error}"
        return
    if not isinstance(description, str):
        yield f"its get_description gives {plugin_checks.describe(description)}; a text is wanted"
    if not isinstance(parser, argparse.ArgumentParser):
        yield f"its get_parser gives {plugin_checks.describe(parser)}; an argparse.ArgumentParser is wanted"


def advice(loaded: Any) -> Iterator[str]:
    """What the author of a command that passed should change."""
    described = loaded._description or loaded.get_description is not command.Command.get_description
    bases = (base for base in loaded.__mro__[1:] if inspect.isabstract(base))
    if not described and (inspect.getdoc(loaded) or "") in {inspect.getdoc(base) or "" for base in bases}:
        yield (
            f"'esictl --help' has nothing to say of it: give the class {loaded.__name__} a docstring, whose first line "
            "stands there"
        )


def _cmd_name(loaded: Any, name: str) -> dict[str, str]:
    """The keyword that cliff gives to the constructors that have it."""
    return {"cmd_name": name} if "cmd_name" in inspect.getfullargspec(loaded.__init__).args else {}
