"""Daemons that start in a moment: each is forked from a process that has imported everything and does nothing else.

What comes of it is a process like any other, with its own id, its own end and its own log; only the second that Python
needs to read the modules is not spent again for each of the many that are killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pathlib
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from typing import Final
from typing import IO

import esi_worker
from esi_worker.cmd import daemon

_UNUSED: Final = ("esi_worker.testing", "esi_worker.cmd.")
"""Parts of the package that no daemon imports; its own command is imported above."""

_STEP: Final = 0.01
"""Seconds."""

_LOCK: Final = threading.Lock()
"""multiprocessing looks at all its children whenever it starts one; how one ended can be read only once."""


class Fork:
    """A daemon; what tests use of :class:`subprocess.Popen`.

    :param config_file: of the daemon
    :param log: where it writes; a file that has a name
    """

    def __init__(self, config_file: pathlib.Path, log: IO[bytes]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_modules())
        self._process = context.Process(target=_become, args=(str(config_file), log.name), daemon=True)
        self._status: int | None = None
        with _LOCK:
            self._process.start()
        self.pid: int = self._process.pid or 0
        self._pause = threading.Event()

    def poll(self) -> int | None:
        """:returns: the exit status, negative for a signal; None while it runs."""
        with _LOCK:
            if self._status is None:
                self._status = self._process.exitcode
                if self._status is not None:
                    self._process.close()  # thousands of these must not keep their pipes
            return self._status

    def wait(self, timeout: float | None = None) -> int:
        """:returns: the exit status.

        :param timeout: seconds
        :raises subprocess.TimeoutExpired: if it still runs then
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("esi-worker", timeout or 0)
            # In short steps: another thread may be the one that learns of the end.
            self._pause.wait(_STEP)
        return status

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            # Somebody else is its parent: it may be gone though its status has not come yet.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _modules() -> list[str]:
    """What a daemon and the built-in plug-ins import."""
    found = pkgutil.walk_packages(esi_worker.__path__, "esi_worker.")
    return [each.name for each in found if not each.name.startswith(_UNUSED)]


def _become(config_file: str, log_file: str) -> None:
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    sys.argv = ["esi-worker", "--config-file", config_file]
    sys.exit(daemon.main())
