"""``esictl jobs list`` and ``esictl jobs show``: point (2)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from cliff import show

from esi_worker import api
from esi_worker.cmd import display
from esi_worker.cmd import listing
from esi_worker.cmd import queue
from esi_worker.cmd import session


class List(listing.Lister):
    """List the jobs that aren't finished, in the order they were written."""

    nothing = "no unfinished job"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE", nargs="?", help="only those of this resource type")
        parser.add_argument("id", metavar="ID", nargs="?", help="only those of this resource")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and rows."""
        here = session.of(self)
        jobs = queue.read(here.store)
        if parsed_args.type:
            name = here.resource_type(parsed_args.type).id
            jobs = [each for each in jobs if each.job.resource_type == name]
        if parsed_args.id:
            jobs = [each for each in jobs if each.job.resource_id == parsed_args.id]
        columns = ("id", "handler", "action", "resource", "state", "attempts", "waits_for", "worker", "error")
        return columns, [_row(each) for each in jobs]


def _row(queued: queue.Queued) -> tuple[Any, ...]:
    job = queued.job
    told = (display.Cell(list(queued.waits_for)), display.Cell(queued.worker), display.Cell(queued.failure))
    return (job.id, job.handler, job.action, str(job.ref), queued.state, queued.attempts, *told)


class Show(show.ShowOne):
    """Show a job: its document, with secrets masked, and where it is in the queue."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="JOB")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """:returns: columns and values."""
        jobs = {each.job.id: each for each in queue.read(session.of(self).store)}
        queued = jobs.get(parsed_args.id)
        if queued is None:
            raise api.DocumentError(f"there is no job {parsed_args.id}: it is finished, or never was")
        document = display.masked(queued.job.to_document())
        told = {
            "state": queued.state,
            "attempts": queued.attempts,
            "waits_for": list(queued.waits_for),
            "worker": queued.worker,
            "error": queued.failure,
        }
        shown = {**document, **told}
        return list(shown), [display.Cell(value) for value in shown.values()]
