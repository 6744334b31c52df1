"""``esictl wait``."""

from __future__ import annotations

import argparse
import time

from cliff import command

from esi_worker import api
from esi_worker.cmd import goals
from esi_worker.cmd import mirror
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.store import keys

_SINGLY = 4
"""So many resources are watched one by one; for more, all of /config and /state are."""


class Wait(command.Command):
    """Wait until resources are done, have failed or are taken down.

    Each is told as it gets there. One that can't get there any more with the version that is wanted now is not
    waited for. Exit code 0 if all got there, else 1 and why.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("resources", nargs="*", metavar="TYPE ID", help="the resources, one or more")
        parser.add_argument("--all", action="store_true", help="every resource that is in /config now")
        parser.add_argument("--for", dest="goal", choices=goals.GOALS, default=goals.DONE, help="what to wait for")
        parser.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="how long to wait (300)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if one of them did not get there."""
        here = session.of(self)
        wanted = self._wanted(here, parsed_args)
        started = time.monotonic()

        def told(status: resources.Status) -> None:
            after = f"after {time.monotonic() - started:.1f} s"
            self.app.stdout.write(f"{status.ref} {status.state or 'is gone'} {after}\n")
            self.app.stdout.flush()

        few = len(wanted) <= _SINGLY
        single = [key for path in wanted.values() for key in (path.config, path.state)]
        with mirror.Mirror(here.store, single if few else (keys.CONFIG, keys.STATE)) as copy:
            left = goals.wait(here, copy, wanted, parsed_args.goal, parsed_args.timeout, told)
        for ref, reason in left.items():
            self.app.LOG.error("%s is not %s: %s", ref, parsed_args.goal, reason)
        return 1 if left else 0

    def _wanted(self, here: session.Session, parsed_args: argparse.Namespace) -> dict[api.Ref, keys.Path]:
        words = parsed_args.resources
        if parsed_args.all == bool(words) or len(words) % 2:
            raise api.ConfigError("wait needs TYPE ID [TYPE ID ...], or --all")
        if parsed_args.all:
            found = resources.read_all(here.store, here.catalog)
            return {each.ref: each.path for each in found if each.version is not None}
        pairs = zip(words[::2], words[1::2], strict=True)
        return {api.Ref(here.resource_type(name).id, each): here.path(name, each) for name, each in pairs}
