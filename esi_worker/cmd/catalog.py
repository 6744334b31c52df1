"""``esictl catalog``: what the resource types are, where that is said, and whether it fits together."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Final

import yaml
from cliff import command

from esi_worker import api
from esi_worker.clients import gohan as gohan_api
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import session
from esi_worker.cmd import templates as template_commands
from esi_worker.pipeline import catalog_checks
from esi_worker.pipeline import catalog_sources
from esi_worker.pipeline import documents
from esi_worker.pipeline import gohan
from esi_worker.pipeline import templates
from esi_worker.store import keys

TOKEN: Final = "OS_TOKEN"  # noqa: S105  (the variable's name)

_COLUMNS: Final = ("type", "plural", "prefix", "relations", "templates", "two_step_deletion", "source")


class Show(listing.Lister):
    """Show the resource types that the entry points and the catalog files give together, or one of them.

    A prefix shown as "-" is any. A type that is only referred to by others' relations has no description: its documents
    are read, and nothing is done for them.
    """

    nothing = "no resource type"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE", nargs="?", help="a resource type, or its plural")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        merged = here.merged
        described = {each.id: each for each in merged.types}
        wanted = [here.resource_type(parsed_args.type)] if parsed_args.type else list(merged.types)
        if not parsed_args.type:
            referred = {target for each in merged.types for target in each.relations.values()}
            wanted += [here.resource_type(each) for each in sorted(referred - described.keys())]
        return _COLUMNS, [_row(each, merged) for each in wanted]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """A list of types is a table; one type is an object."""
        if not parsed_args.type:
            return super().produce_output(parsed_args, column_names, data)
        return display.one(self, parsed_args, column_names, next(iter(data)))


def _row(described: api.ResourceType, merged: catalog_sources.Merged) -> tuple[Any, ...]:
    places: Sequence[str] = merged.places.get(described.id, ())
    if not places:
        places = [
            f"referred to by {each.id}" for each in merged.types if described.id in each.relations.values()
        ]  # fmt: skip
    anywhere = described.id in merged.any_prefix or described.id not in merged.places
    return (
        described.id,
        described.plural,
        display.Cell(None if anywhere else described.prefix),
        display.Cell(dict(described.relations) or None),
        display.Cell(dict(described.templates) or None),
        described.two_step_deletion,
        display.Cell(list(places)),
    )


class Check(listing.Lister):
    """Look for what is wrong with the catalog and the templates; the exit code is 1 if anything is.

    Reported are: files that can't be used, what two sources say differently, relations to types that nobody describes,
    templates, handlers and resolvers that are named and aren't there, mappings and templates that can't be read. If
    etcd does not answer, the templates in it are left out, and none is called missing.
    """

    nothing = "nothing is wrong"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._failed = False

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        statements, problems = _read_sources(here)
        try:
            merged = catalog_sources.merge(statements)
        except api.CatalogError as error:
            problems.append(catalog_checks.Problem("catalog", "all sources", str(error)))
        else:
            problems += catalog_checks.check(merged, self._surroundings(here, problems))
        self._failed = bool(problems)
        return ("subject", "place", "problem"), [(each.subject, each.place, each.problem) for each in problems]

    def run(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if anything is wrong."""
        return super().run(parsed_args) or int(self._failed)

    def _surroundings(
        self, here: session.Session, problems: list[catalog_checks.Problem]
    ) -> catalog_checks.Surroundings:
        found: dict[str, catalog_checks.Located] = {}
        complete = True
        try:
            files = here.file_templates
        except api.ConfigError as error:
            problems.append(catalog_checks.Problem("templates", template_commands.FILE, str(error)))
            complete = False
        else:
            found = {name: catalog_checks.Located(each, template_commands.FILE) for name, each in files.items()}
        try:
            found |= _stored_templates(here, problems)
        except api.StoreError as error:
            self.app.LOG.warning("the templates in etcd are not checked: %s", error)
            complete = False
        plugins = here.plugins
        return catalog_checks.Surroundings(found, complete, tuple(plugins.handlers), tuple(plugins.resolvers))


def _read_sources(
    here: session.Session,
) -> tuple[list[catalog_sources.Statement], list[catalog_checks.Problem]]:
    """What all sources say that can be read, and what is wrong with the others."""
    statements = list(here.installed_statements)
    problems = []
    for path in catalog_sources.files(here.conf.catalog.files):
        try:
            statements += catalog_sources.read_file(path)
        except api.CatalogError as error:
            problems.append(catalog_checks.Problem("catalog", str(path), str(error)))
    return statements, problems


def _stored_templates(
    here: session.Session, problems: list[catalog_checks.Problem]
) -> dict[str, catalog_checks.Located]:
    """:raises StoreError: if etcd does not answer."""
    found = {}
    for entry in here.store.list(keys.HEAT_TEMPLATES).entries:
        template_id = entry.key.removeprefix(keys.HEAT_TEMPLATES)
        try:
            body = documents.parse_config(entry.value).body
            found[template_id] = catalog_checks.Located(
                templates.parse_document(template_id, body), template_commands.ETCD
            )
        except api.DocumentError as error:
            problems.append(catalog_checks.Problem(template_id, template_commands.ETCD, str(error)))
    return found


class Import(command.Command):
    """Make a catalog file of Gohan's schemas: of a file with them, or of what a Gohan answers.

    The token for a Gohan that wants one is taken from the environment (OS_TOKEN). Schemas without
    metadata.state_versioning are left out, since Gohan writes no versions for their resources.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("source", metavar="FILE|URL", help="Gohan's schemas (JSON or YAML), or Gohan's URL")
        parser.add_argument("--output", metavar="FILE", help="the catalog file to write, instead of the output")
        parser.add_argument("--timeout", metavar="SECONDS", type=float, default=30.0, help="for a Gohan's answer")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 0."""
        source = parsed_args.source
        text = _text(source, parsed_args.timeout)
        try:
            imported = gohan.read(catalog_sources.parse(text))
        except api.CatalogError as error:
            raise api.CatalogError(f"{source}: {error}") from error
        written = f"# Imported from {source!r}; {len(imported.catalog['types'])} resource types.\n"
        written += yaml.safe_dump(imported.catalog, sort_keys=False, allow_unicode=True, width=100)
        if parsed_args.output:
            _replace(pathlib.Path(parsed_args.output), written)
        else:
            self.app.stdout.write(written)
        for each in imported.left_out:
            self.app.stderr.write(f"esictl: {each} is left out: its metadata.state_versioning is not true\n")
        return 0


def _text(source: str, timeout: float) -> str:
    if "://" in source:
        return gohan_api.schemas(source, os.environ.get(TOKEN, ""), timeout=timeout)
    try:
        return pathlib.Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise api.ConfigError(f"{source}: {error}") from error


def _replace(path: pathlib.Path, text: str) -> None:
    """Write a file as a whole: a daemon that reads it meanwhile must not see half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise api.ConfigError(f"{path} can't be written: {error}") from error
