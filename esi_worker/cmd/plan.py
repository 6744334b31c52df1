"""``esictl plan``: the jobs that documents cause, without executing anything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import yaml

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import session
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import dryrun
from esi_worker.pipeline import planner


class Plan(listing.Lister):
    """Show the jobs that config documents cause, in their order, without executing anything.

    With --events, those that the documents in a file cause, one after another, from nothing; etcd is not asked.
    Without, those that what is in etcd would still cause.

    The table shows no parameters. "-f json" prints the job documents as they would be written, and so with the
    passwords in them that "[job_manager] secrets = inline" puts there.
    """

    nothing = "no job is needed"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._jobs: list[api.Job] = []
        self._failed = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--catalog",
            metavar="FILE",
            help="the resource types, instead of the installed ones: {relations: {type: {field: type}}, templates: "
            "{handler: {type: mapping}}}; YAML or JSON",
        )
        parser.add_argument(
            "--events",
            metavar="FILE",
            help="config documents in their order, templates too: a list of {key, value}, where a null value is a "
            "removal; YAML or JSON",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        rules = here.rules
        if parsed_args.catalog:
            rules = here.rules_for(catalogs.Catalog.from_document(_read(parsed_args.catalog), open=True))
        run = self._run(here, rules, parsed_args.events)
        for line in run.errors:
            self.app.LOG.error("%s", line)
        self._jobs, self._failed = run.jobs, bool(run.errors)
        columns = ("id", "action", "handler", "resource", "version", "dependency", "on_failure")
        return columns, [_row(job) for job in run.jobs]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """The job documents for programs, a table for people."""
        if parsed_args.formatter == "json":
            indent = None if parsed_args.noindent else 2
            json.dump([job.to_document() for job in self._jobs], self.app.stdout, indent=indent)
            self.app.stdout.write("\n")
        else:
            super().produce_output(parsed_args, column_names, data)
        return 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if a document could not be planned."""
        return super().run(parsed_args) or int(self._failed)

    def _run(self, here: session.Session, rules: planner.Rules, events: str | None) -> dryrun.DryRun:
        if events is None:
            return dryrun.plan_store(here.store, rules, here.file_templates)
        found = _read(events)
        if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
            raise api.ConfigError(f"{events}: events are a list of objects with key and value")
        return dryrun.plan_events(rules, found, here.file_templates)


def _row(job: api.Job) -> tuple[Any, ...]:
    dependency = display.Cell(list(job.dependency))
    return (job.id, job.action, job.handler, str(job.ref), job.version, dependency, job.on_failure)


def _read(name: str) -> Any:
    """:raises ConfigError: if the file can't be read."""
    try:
        with open(name, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise api.ConfigError(f"{name}: {error}") from error
    try:
        return json.loads(text) if text.lstrip()[:1] in ("{", "[") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise api.ConfigError(f"{name}: neither JSON nor YAML: {error}") from error
