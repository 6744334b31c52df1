"""``esictl``: the operator's command line.

Its commands are entry points in the group ``esi_worker.commands``: the built-in ones come in by the same door as a
plug-in's.  One that is refused (:mod:`esi_worker.cmd.command_checks`) leaves the others as they are.

Exit codes: 0 it is done; 1 what was asked for failed or was not reached; 2 it was asked for wrongly, or the
configuration can't be used.  An error is one line on stderr; ``--debug`` shows its traceback.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from collections.abc import Sequence
from importlib import metadata
from typing import Any
from typing import Final

from cliff import app

from esi_worker import api
from esi_worker import assembly
from esi_worker.cmd import commands
from esi_worker.cmd import session
from esi_worker.store import base

FAILED: Final = 1
USAGE: Final = 2


class Application(app.App):
    """The command line.

    :param open_store: opens the store that a configuration names
    :param streams: ``stdin``, ``stdout`` and ``stderr``, where they are not the process's
    """

    NAME = "esictl"
    LOG = logging.getLogger("esictl")

    def __init__(self, open_store: Callable[[Any], base.Store] = assembly.store, **streams: Any) -> None:
        manager = commands.Manager(self)
        text = "Looks after an esi-worker deployment: puts resources in, shows what becomes of them."
        super().__init__(text, metadata.version("esi-worker"), manager, deferred_help=True, **streams)
        self.session: session.Session
        self._open_store = open_store
        self._code = 0

    def build_option_parser(
        self, description: str | None, version: str | None, argparse_kwargs: dict[str, Any] | None = None
    ) -> argparse.ArgumentParser:
        """Add the options that say which deployment is meant."""
        parser = super().build_option_parser(description, version, {**(argparse_kwargs or {}), "allow_abbrev": False})
        session.add_options(parser)
        return parser

    def configure_logging(self) -> None:
        """Log to stderr: warnings only, unless asked for more; bodies of requests never."""
        level = {0: logging.ERROR, 1: logging.WARNING, 2: logging.INFO}.get(self.options.verbose_level, logging.DEBUG)
        shown = logging.StreamHandler(self.stderr)
        shown.setLevel(level)
        shown.setFormatter(logging.Formatter("esictl: %(message)s"))
        handlers: list[logging.Handler] = [shown]
        if self.options.log_file:
            kept = logging.FileHandler(self.options.log_file)
            kept.setFormatter(logging.Formatter(self.LOG_FILE_MESSAGE_FORMAT))
            handlers.append(kept)
        logging.basicConfig(level=min(level, logging.INFO), handlers=handlers, force=True)
        logging.captureWarnings(True)

    def initialize_app(self, argv: list[str]) -> None:
        """Open nothing yet: help needs no deployment."""
        self.session = session.Session(self.options, self._open_store)
        if not argv and not self.options.deferred_help:
            self.parser.print_usage(self.stderr)
            self.stderr.write("esictl: which command? 'esictl --help' lists them\n")
            raise SystemExit(USAGE)

    def clean_up(self, cmd: Any, result: int, err: BaseException | None) -> None:
        """Close the session, and tell a wrong question from one with a bad answer."""
        self.session.close()
        if isinstance(err, api.ConfigError):
            self._code = USAGE

    def run_subcommand(self, argv: list[str]) -> int:
        """:returns: the exit code."""
        try:
            code = super().run_subcommand(argv)
        except BrokenPipeError:
            raise
        except Exception as error:  # a command that is refused, or a stranger's that can't even be made
            if self.options.debug:
                raise
            told = isinstance(error, api.EsiWorkerError)
            self.LOG.error(str(error) if told else f"the command failed: {type(error).__name__}: {error}")
            return USAGE if isinstance(error, api.ConfigError) else FAILED
        return self._code or code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; :returns: the exit code."""
    return Application().run(list(sys.argv[1:] if argv is None else argv))
