"""The demo's main program."""

from __future__ import annotations

import argparse
import logging
import pathlib
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from esi_worker import api
from esi_worker import assembly
from esi_worker.cmd import apply
from esi_worker.cmd import documents
from esi_worker.cmd import esictl
from esi_worker.cmd import mirror
from esi_worker.cmd import session
from esi_worker.store import keys
from esi_worker.testing import etcd
from esi_worker.testing.demo import parts
from esi_worker.testing.demo import progress
from esi_worker.testing.demo import screen
from esi_worker.testing.demo import world

_FOLDER: Final = pathlib.Path(".demo")
_FRAME: Final = 0.125
_LEADER_SECONDS: Final = 30.0


class DemoError(Exception):
    """The demo did not reach its end; the text says what is missing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo.

    :returns: 0 if all seven points were reached
    """
    given = _arguments(argv)
    previous = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        wanted = world.read(given.world)
        _FOLDER.mkdir(exist_ok=True)
        logging.basicConfig(filename=_FOLDER / "demo.log", filemode="w", level=logging.INFO)
        with parts.running(_FOLDER, wanted, given.interval, given.delay) as running:
            try:
                return _run(running, wanted, given)
            finally:
                # Whatever happened, what was started is ended now: an impatient second Ctrl-C must not leave it behind.
                for each in previous:
                    signal.signal(each, signal.SIG_IGN)
    except (api.EsiWorkerError, etcd.EtcdError, OSError) as error:
        _fail(str(error))
        return 1
    except KeyboardInterrupt:
        _say("\nInterrupted; everything is stopped.")
        return 130
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _run(running: parts.Running, wanted: world.World, given: argparse.Namespace) -> int:
    try:
        _play(running, wanted, given.timeout)
        if given.keep:
            _keep(running, wanted)
    except DemoError as error:
        _fail(f"{error}\n\nThe end of {running.log}:\n{running.tail()}")
        return 1
    _say("Stopping what was started ...")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    examples = pathlib.Path(__file__).resolve().parents[3] / "examples" / "gateway-world"
    parser = argparse.ArgumentParser(prog="esi_worker.testing.demo", description="All of esi-worker on one machine.")
    parser.add_argument("--world", type=pathlib.Path, default=examples, metavar="DIR", help="the resources to apply")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--interval", type=float, default=2.0, help="of the collector, in seconds (2)")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds that Heat takes for a stack (1)")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for all of it (120)")
    return parser.parse_args(argv)


def _play(running: parts.Running, wanted: world.World, timeout: float) -> None:
    """Apply the world, and show what becomes of it until all is there.

    :raises DemoError: if it does not get there
    """
    _introduce(running)
    options = argparse.Namespace(config_file=[str(running.config)], config_dir=[], endpoints="")
    here = session.Session(options, assembly.store)
    try:
        with mirror.Mirror(here.store, [progress.EVERYTHING]) as copy:
            _await_leader(running, copy)
            shown = progress.Progress(here, copy, wanted)
            _apply(here, wanted)
            _follow(running, shown, copy, timeout)
    finally:
        here.close()
    _show_trace(running, wanted)


def _introduce(running: parts.Running) -> None:
    _say("Started, on this machine only:")
    _say(f"  etcd        {running.etcd.endpoint}")
    _say(f"  Heat        {running.heat.url}  (stand-in)")
    for each, server in running.routers:
        place = f"{server.host}:{server.port}"
        _say(f"  router      {place}  (stand-in for {each.name}, {each.address}, {each.role})")
    for agent, listening in running.agents:
        place = f"{listening.host}:{listening.port}"
        _say(f"  SNMP agent  {place}  (stand-in for {agent.name}, {agent.address})")
    _say(f"  esi-worker  process {running.daemon.pid}, config {running.config}, log {running.log}")


def _await_leader(running: parts.Running, copy: mirror.Mirror) -> None:
    deadline = time.monotonic() + _LEADER_SECONDS
    while copy.get(keys.LEADER) is None:
        _check_daemon(running)
        if time.monotonic() > deadline:
            raise DemoError(f"no job manager leads after {_LEADER_SECONDS:.0f} s")
        copy.wait(_FRAME)


def _check_daemon(running: parts.Running) -> None:
    if running.daemon.poll() is not None:
        raise DemoError(f"the daemon ended with status {running.daemon.returncode}")


def _apply(here: session.Session, wanted: world.World) -> None:
    bad: list[documents.Bad] = []
    apply.apply_documents(here, wanted.documents, lambda *_: None, bad.append)
    if bad:
        raise DemoError(str(bad[0]))
    _say(f"\nApplied {len(wanted.documents)} resources, as 'esictl apply' does. Each passes up to seven points:")
    _say("  1 config  2 jobs  3 stack  4 outputs  5 monitored  6 state  7 monitoring\n")


def _follow(running: parts.Running, shown: progress.Progress, copy: mirror.Mirror, timeout: float) -> None:
    with screen.opened(sys.stdout) as output:
        while True:
            steps = shown.steps()
            output.show(steps, shown.seconds)
            if all(step.complete for step in steps):
                return
            _check_daemon(running)
            failed = progress.failures(steps)
            if failed:
                raise DemoError("; ".join(f"{ref}: {reason}" for ref, reason in failed.items()))
            if shown.seconds > timeout:
                raise DemoError(f"after {timeout:.0f} s is missing:\n  " + "\n  ".join(shown.missing()))
            copy.wait(_FRAME)


def _show_trace(running: parts.Running, wanted: world.World) -> None:
    arguments = [
        "--config-file",
        str(running.config),
        "trace",
        wanted.gateway.resource_type,
        wanted.gateway.resource_id,
    ]
    _say(f"\n$ esictl {shlex.join(arguments)}")
    if esictl.Application().run(arguments):
        raise DemoError("esictl trace failed")
    lines = (f"{each.name} {len(server.engine.configuration().splitlines())}" for each, server in running.routers)
    _say(f"\nAll seven points are reached. Lines of configuration on the routers now: {', '.join(lines)}.")


def _keep(running: parts.Running, wanted: world.World) -> None:
    base = f"esictl --config-file {shlex.quote(str(running.config))}"
    ref = wanted.gateway
    _say("\nEverything goes on running. In another terminal, from this directory:")
    for command in (
        "get",
        f"get {ref.resource_type} {ref.resource_id}",
        f"trace --full {ref.resource_type} {ref.resource_id}",
        "jobs list",
        f"delete --purge {ref.resource_type} {ref.resource_id}",
    ):
        _say(f"  {base} {command}")
    _say("Ctrl-C ends it.")
    try:
        running.daemon.wait()
        raise DemoError(f"the daemon ended with status {running.daemon.returncode}")
    except KeyboardInterrupt:
        _say("")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(reason: str) -> None:
    sys.stderr.write(f"\nThe demo failed: {reason}\n")


if __name__ == "__main__":
    sys.exit(main())
