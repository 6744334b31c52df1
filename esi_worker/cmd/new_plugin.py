"""``esictl new plugin``: writes a package of plug-ins that installs, passes its tests and runs."""

from __future__ import annotations

import argparse
import pathlib
import re
import string
from collections.abc import Iterator
from collections.abc import Mapping
from importlib import resources
from importlib.resources import abc
from typing import Final

from cliff import command

from esi_worker import api
from esi_worker import plugins
from esi_worker.pipeline import catalog_document

SUFFIX: Final = ".tmpl"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_NEXT: Final = """\
{folder}/ is a package that works. What to do next:

    cd {folder}
    pip install .
    python -m unittest discover -s tests -t .
    esictl plugins check {package}

README.md says how to see it run and which parts to replace.
"""


class NewPlugin(command.Command):
    """Write a package with a handler, a resolver, a probe, a resource type, templates and tests.

    It keeps a file for each resource, so it needs nothing but esi-worker; replace the file by what you look after.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="NAME", help="of the resource type and the handler, such as dns_name")
        parser.add_argument("--directory", metavar="DIR", help="where to write it; NAME in this directory if not given")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:raises ConfigError: if the name can't be used, or there is something in the directory."""
        folder = pathlib.Path(parsed_args.directory or parsed_args.name)
        variables = names(parsed_args.name)
        write(folder, variables)
        self.app.stdout.write(_NEXT.format(folder=folder, package=variables["package"]))
        return 0


def names(name: str) -> dict[str, str]:
    """What stands for what in the skeleton.

    :raises ConfigError: if the name can't be used, or a plug-in has it
    """
    if not _NAME.fullmatch(name) or len(name) > 60:
        raise api.ConfigError(
            f"{name!r} can't be used: small letters and digits, and _ between words, such as dns_name"
        )
    taken = [each for each in plugins.scan().found if each.name in (name, f"{name}_text", f"{name}_file")]
    if taken:
        raise api.ConfigError(f"the name {taken[0].name} is taken: {taken[0]}")
    return {
        "name": name,
        "NAME": name.upper(),
        "Name": "".join(part.capitalize() for part in name.split("_")),
        "plural": catalog_document.plural(name),
        "module": f"esi_worker_{name}",
        "package": f"esi-worker-{name.replace('_', '-')}",
        "directory": f"/var/tmp/{name}",  # noqa: S108  # nosec B108  (a place for a trial; the README says to change it)
    }


def write(folder: pathlib.Path, variables: Mapping[str, str]) -> None:
    """Write the package.

    :param folder: where; made if it isn't there
    :raises ConfigError: if there is something in it, or it can't be written
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise api.ConfigError(f"{folder} is there already, and nothing is overwritten")
        for path, text in _files(resources.files("esi_worker.cmd") / "skeleton", pathlib.PurePath()):
            target = folder / str(path).replace("NAME", variables["name"]).removesuffix(SUFFIX)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(string.Template(text).substitute(variables), encoding="utf-8")
    except OSError as error:
        raise api.ConfigError(f"{folder} can't be written: {error}") from error


def _files(place: abc.Traversable, path: pathlib.PurePath) -> Iterator[tuple[pathlib.PurePath, str]]:
    for each in sorted(place.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _files(each, path / each.name)
        elif each.name.endswith(SUFFIX):
            yield path / each.name, each.read_text(encoding="utf-8")
