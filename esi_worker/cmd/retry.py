"""``esictl retry``."""

from __future__ import annotations

import argparse

from cliff import command

from esi_worker import api
from esi_worker.cmd import session
from esi_worker.pipeline import documents
from esi_worker.store import base
from esi_worker.store import codec


class Retry(command.Command):
    """Try a failed resource once more, by the version that it has.

    The job manager plans it anew, and /state says what came of it. Gohan takes only the first /state of a version,
    so it goes on showing the failure until the resource is changed there: the next version then finds all in place.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE", help="the resource's type, or its plural")
        parser.add_argument("id", metavar="ID", help="the resource's id")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if there is nothing to try again."""
        here = session.of(self)
        path = here.path(parsed_args.type, parsed_args.id)
        config, state = here.store.get(path.config), here.store.get(path.state)
        if config is None:
            raise api.ConfigError(f"{path.config} isn't there")
        published = documents.parse_state(state.value) if state else None
        if published is None or not published.failed:
            self.app.LOG.error("%s did not fail: there is nothing to try again", path)
            return 1
        asked = base.Put(path.retry, codec.encode({"version": published.version}))
        # Only for what is there still: a key without its resource would stay for nothing.
        if not here.store.transact([base.created_at(path.config, config.create_revision)], [asked]).succeeded:
            self.app.LOG.error("%s was removed at this moment", path.config)
            return 1
        self.app.stdout.write(f"{path} version {published.version} is tried again: see esictl trace, esictl wait\n")
        return 0
