"""``esictl templates``: what the jobs' templates are, and putting them into etcd."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from cliff import command
from cliff import show

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.pipeline import documents
from esi_worker.pipeline import templates
from esi_worker.store import keys

ETCD: Final = "etcd"
FILE: Final = "file"


class Push(command.Command):
    """Put template files into etcd, where they hide files of the same id.

    A template that is there already gets a new version; one that is the same is left.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("directory", metavar="DIR", nargs="?", help="instead of the configured directories")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if a template could not be written."""
        here = session.of(self)
        found = templates.read_directory(parsed_args.directory) if parsed_args.directory else here.file_templates
        failed = 0
        for template_id in sorted(found):
            body = templates.to_document(found[template_id])
            try:
                what, version = resources.put(here.store, _path(template_id), body)
            except (api.DocumentError, api.Conflict) as error:
                failed = 1
                self.app.LOG.error("template %s: %s", template_id, error)
            else:
                self.app.stdout.write(f"{template_id} {what} (version {version})\n")
        return failed


class List(listing.Lister):
    """List the templates: those in etcd, and the files that none of them hides."""

    nothing = "no template"

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        rows = {each.id: (each.id, each.handler, FILE, display.Cell(None)) for each in here.file_templates.values()}
        for entry in here.store.list(keys.HEAT_TEMPLATES).entries:
            template_id = entry.key.removeprefix(keys.HEAT_TEMPLATES)
            try:
                envelope = documents.parse_config(entry.value)
                handler = str((envelope.body or {}).get("handler", ""))
                rows[template_id] = (template_id, handler, ETCD, display.Cell(envelope.version))
            except api.DocumentError as error:
                rows[template_id] = (template_id, f"unreadable: {error}", ETCD, display.Cell(None))
        return ("id", "handler", "source", "version"), [rows[each] for each in sorted(rows)]


class Show(show.ShowOne):
    """Show the template that jobs are rendered with."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and values."""
        here = session.of(self)
        shown = self._shown(here, parsed_args.id)
        return list(shown), [display.Cell(value) for value in shown.values()]

    def _shown(self, here: session.Session, template_id: str) -> Mapping[str, Any]:
        entry = here.store.get(keys.heat_template(template_id))
        if entry is not None:
            envelope = documents.parse_config(entry.value)
            if envelope.body is None:
                raise api.DocumentError(f"{entry.key}: {envelope.error}")
            template = templates.parse_document(template_id, envelope.body)
            return _members(template, ETCD, envelope.version)
        if template_id not in here.file_templates:
            raise api.DocumentError(f"there is no template {template_id!r}, neither in etcd nor among the files")
        return _members(here.file_templates[template_id], FILE, None)


def _members(template: api.Template, source: str, version: int | None) -> dict[str, Any]:
    return {
        "id": template.id,
        "handler": template.handler,
        "source": source,
        "version": version,
        "parameter_mappings": dict(template.parameter_mappings),
        "template": template.text,
    }


def _path(template_id: str) -> keys.Path:
    return keys.Path("v2.0", "heat_templates", template_id)
