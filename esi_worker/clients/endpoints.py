"""Where a device is really reached, for port forwards, jump hosts and labs: the option ``endpoints`` of a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from esi_worker import api

PATTERN: Final = r"[^=\s]+:[0-9]+=[^=\s]+:[0-9]+"
"""One entry: ``ADDRESS:PORT`` as the documents have it, ``=``, ``ADDRESS:PORT`` to go to."""


def place(device: api.Device, endpoints: Sequence[str]) -> tuple[str, int]:
    """The address and port to go to: the device's own where no entry names it."""
    for endpoint in endpoints:
        name, _, there = endpoint.partition("=")
        if name in (str(device), f"[{device.address}]:{device.port}"):
            address, _, port = there.rpartition(":")
            return address.strip("[]"), int(port)
    return device.address, device.port
