"""``esi-worker``: the daemon.

The service runs in a thread of its own.  The main thread only waits, for signals and for the end of the service: a
signal's handler may interrupt it anywhere, and so does nothing but leave a note for it.
"""

from __future__ import annotations

import logging as stdlib_logging
import os
import queue
import signal
import sys
import threading
import types
from collections.abc import Sequence
from typing import Final
from typing import Protocol

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api
from esi_worker import config
from esi_worker import logs

LOG = logging.getLogger(__name__)

STOPPED: Final = 0
FAILED: Final = 1
UNUSABLE: Final = 2

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Runnable(Protocol):
    """What the daemon asks of the service."""

    def run(self) -> int:
        """Work until it is stopped.

        :returns: the exit status
        """

    def stop(self) -> None:
        """Make :meth:`run` return soon; any thread may call it, more than once too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon.

    :param argv: the command line without the program's name
    :returns: the exit status: 0 stopped, 1 failed, 2 configuration or plug-in can't be used
    """
    try:
        conf = config.build(sys.argv[1:] if argv is None else argv)
        logs.setup(conf)
        service = _service(conf)
    except api.ConfigError as error:
        print(f"esi-worker: {logs.redact(str(error))}", file=sys.stderr)  # noqa: T201  (logging may not work yet)
        return UNUSABLE
    except SystemExit as stop:
        # Help was printed, or argparse told what is wrong with the command line.
        return UNUSABLE if stop.code else STOPPED
    return Daemon(service).run()


def _service(conf: cfg.ConfigOpts) -> Runnable:
    # Imported here so that --help answers at once.
    from esi_worker import service

    return service.Service(conf)


class Daemon:
    """Runs a service until it ends, a signal comes or one of its threads dies.

    :param service: has to return from ``run`` within a bounded time after ``stop``
    """

    def __init__(self, service: Runnable) -> None:
        self._service = service
        # A SimpleQueue, because its put may be interrupted by another put.
        self._notes: queue.SimpleQueue[signal.Signals | threading.ExceptHookArgs | int] = queue.SimpleQueue()
        self._status = STOPPED
        self._stopping = False

    def run(self) -> int:
        """:returns: the exit status."""
        hook = threading.excepthook
        previous = {each: signal.signal(each, self._on_signal) for each in _SIGNALS}
        threading.excepthook = self._notes.put
        thread = threading.Thread(target=self._serve, name="service", daemon=True)
        try:
            thread.start()
            while True:
                note = self._notes.get()
                if isinstance(note, signal.Signals):
                    self._signalled(note)
                elif isinstance(note, int):
                    return self._status or note
                else:
                    self._thread_died(note)
                    if note.thread is thread:
                        return FAILED
        finally:
            threading.excepthook = hook
            for each, handler in previous.items():
                signal.signal(each, handler)

    def _serve(self) -> None:
        self._notes.put(int(self._service.run()))

    def _on_signal(self, number: int, _: types.FrameType | None) -> None:
        self._notes.put(signal.Signals(number))

    def _signalled(self, number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            self._reload()
        elif self._stopping:
            LOG.warning("%s came again: ending at once", number.name)
            stdlib_logging.shutdown()
            os._exit(FAILED)
        else:
            LOG.info("%s: stopping", number.name)
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        # Not in this thread: a second signal must be heard while the first is being obeyed.
        threading.Thread(target=self._service.stop, name="stop", daemon=True).start()

    def _reload(self) -> None:
        reload = getattr(self._service, "reload", None)
        if reload is None:
            LOG.info("SIGHUP: there is nothing to be read again")
            return
        try:
            reload()
        except api.ConfigError as error:
            LOG.error("SIGHUP: the configuration stays as it was: %s", error)

    def _thread_died(self, note: threading.ExceptHookArgs) -> None:
        name = note.thread.name if note.thread else "unknown"
        value = note.exc_value or note.exc_type()
        LOG.critical("the thread %s died: stopping", name, exc_info=(note.exc_type, value, note.exc_traceback))
        self._status = FAILED
        if not self._stopping:
            self._stop()


if __name__ == "__main__":
    sys.exit(main())
