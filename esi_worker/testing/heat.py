"""A stand-in for Heat, for tests and for the demo.

::

    python -m esi_worker.testing.heat --port 8004 --devices 192.0.2.1:830=127.0.0.1:10830
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from esi_worker.testing.heat_devices import Devices
from esi_worker.testing.heat_server import HeatServer
from esi_worker.testing.heat_stacks import Stack
from esi_worker.testing.keystone import KeystoneServer

__all__ = ["Devices", "HeatServer", "KeystoneServer", "Stack", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    :param arguments: of the command line
    """
    parser = argparse.ArgumentParser(description="A stand-in for Heat, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8004, help="0 takes a free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that every action takes")
    parser.add_argument(
        "--devices",
        nargs="*",
        metavar="IP:PORT=HOST:PORT",
        help="carry out NETCONF resources, and where to connect instead of the device's own address",
    )
    given = parser.parse_args(arguments)
    devices = None
    if given.devices is not None:
        devices = Devices(dict(each.split("=", 1) for each in given.devices))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with HeatServer(devices, port=given.port) as server:
        server.stacks.delay = given.delay
        sys.stdout.write(f"{server.endpoint}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
