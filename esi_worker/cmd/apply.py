"""``esictl apply`` and ``esictl delete``: what Gohan does, by hand."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterable

from cliff import command

from esi_worker import api
from esi_worker.cmd import documents
from esi_worker.cmd import goals
from esi_worker.cmd import mirror
from esi_worker.cmd import resources
from esi_worker.cmd import session
from esi_worker.store import keys


def apply_documents(
    here: session.Session,
    found: Iterable[documents.Document | documents.Bad],
    done: Callable[[api.Ref, str, int], None],
    failed: Callable[[documents.Bad], None],
) -> None:
    """Write documents one after another, in their order; one that can't be written does not stop the rest.

    :param done: told of each one written: resource, what was done, version
    :param failed: told of each one that was not
    """
    for each in found:
        if isinstance(each, documents.Bad):
            failed(each)
            continue
        try:
            path = here.path(each.ref.resource_type, each.ref.resource_id)
            what, version = resources.put(here.store, path, each.body)
        except (api.ConfigError, api.DocumentError, api.Conflict) as error:
            failed(documents.Bad(each.place, f"{each.ref}: {error}"))
        except api.StoreError as error:
            if not error.permanent:
                raise
            failed(documents.Bad(each.place, f"{each.ref}: {error}"))
        else:
            done(each.ref, what, version)


class Apply(command.Command):
    """Put resources into etcd, as files describe them.

    A file holds YAML or JSON documents of the form {type, id, body}, or lists of them, and they are written in
    their order. A resource that is there already gets a new version; one that is as described is left.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "-f",
            "--filename",
            metavar="FILE|DIR",
            action="append",
            required=True,
            help="a file, a directory (its *.yaml, *.yml and *.json in the order of their names), or - for standard "
            "input; can be repeated",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if a document could not be applied."""
        bad: list[documents.Bad] = []

        def failed(each: documents.Bad) -> None:
            bad.append(each)
            self.app.LOG.error("%s", each)

        def done(ref: api.Ref, what: str, version: int) -> None:
            self.app.stdout.write(f"{ref} {what} (version {version})\n")

        found = documents.read(parsed_args.filename, self.app.stdin)
        apply_documents(session.of(self), found, done, failed)
        return 1 if bad else 0


class Delete(command.Command):
    """Ask for a resource to be taken down.

    It is marked for deletion with a new version; esi-worker takes it down and says so in /state. With --purge, its
    config and state are removed then, as Gohan does.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("type", metavar="TYPE")
        parser.add_argument("id", metavar="ID")
        parser.add_argument("--purge", action="store_true", help="wait until it is taken down, then remove it")
        parser.add_argument(
            "--timeout", type=float, default=300.0, metavar="SECONDS", help="how long --purge waits (300)"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """:returns: 1 if it was not taken down in time."""
        here = session.of(self)
        description = here.resource_type(parsed_args.type)
        ref = api.Ref(description.id, parsed_args.id)
        path = here.path(ref.resource_type, ref.resource_id)
        if not description.two_step_deletion:
            # Nobody waits for this one: its document goes, and esi-worker takes it down from its own copy.
            what = f"{resources.REMOVED} from /config" if here.store.delete(path.config) else "is not there"
            self.app.stdout.write(f"{ref} {what}\n")
            return 0
        what, version = resources.mark(here.store, path)
        what = "was marked for deletion before" if what == resources.UNCHANGED else what
        self.app.stdout.write(f"{ref} {what} (version {version})\n")
        return self._purge(here, ref, path, parsed_args.timeout) if parsed_args.purge else 0

    def _purge(self, here: session.Session, ref: api.Ref, path: keys.Path, timeout: float) -> int:
        with mirror.Mirror(here.store, (path.config, path.state)) as copy:
            left = goals.wait(here, copy, {ref: path}, goals.DELETED, timeout, lambda status: None)
        if left:
            self.app.LOG.error("%s was not taken down: %s", ref, left[ref])
            return 1
        resources.purge(here.store, path)
        self.app.stdout.write(f"{ref} {resources.REMOVED}\n")
        return 0
