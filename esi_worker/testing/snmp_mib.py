"""What the stand-in for an SNMP agent knows: an interface table and an uptime, to be changed at any time."""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from pysnmp.proto.api import v2c

Oid = tuple[int, ...]

SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
IF_OPER_STATUS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
AFTER_IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 2)
"""ifInMulticastPkts: what a walk that does not stop in time would come upon."""

UP = 1
DOWN = 2


class Mib:
    """The values of an agent.

    :param interfaces: names of interfaces that are up; they get the indexes 501, 502, ...
    """

    def __init__(self, interfaces: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._indexes: dict[str, int] = {}
        self._statuses: dict[str, int] = {}
        self._began = time.monotonic()
        self._frozen: int | None = None
        for name in interfaces:
            self.set(name)

    def set(self, name: str, *, up: bool = True, status: int | None = None) -> None:
        """An interface is up or down; a new one gets the next index.

        :param status: another value of ifOperStatus, such as 7 for lowerLayerDown
        """
        with self._lock:
            self._indexes.setdefault(name, max(self._indexes.values(), default=500) + 1)
            self._statuses[name] = status if status is not None else UP if up else DOWN

    def remove(self, name: str) -> None:
        """Take an interface out."""
        with self._lock:
            del self._indexes[name], self._statuses[name]

    def renumber(self, indexes: Mapping[str, int]) -> None:
        """Give interfaces other indexes, as a device may do when it restarts."""
        with self._lock:
            self._indexes |= indexes

    def restart(self, ticks: int = 0) -> None:
        """Let the uptime begin again.

        :param ticks: hundredths of a second, where it begins
        """
        with self._lock:
            self._frozen = None
            self._began = time.monotonic() - ticks / 100

    def freeze(self, ticks: int) -> None:
        """Let the uptime stand still."""
        with self._lock:
            self._frozen = ticks

    def get(self, oids: Sequence[Oid]) -> list[tuple[Oid, Any]]:
        """The values of these names."""
        values = self._values()
        return [(oid, values.get(oid, v2c.NoSuchInstance(""))) for oid in oids]

    def following(self, oid: Oid, most: int) -> list[tuple[Oid, Any]]:
        """What comes after a name, in order; at the end the sign that nothing does."""
        values = self._values()
        names = sorted(values)
        start = bisect.bisect_right(names, oid)
        found = [(name, values[name]) for name in names[start : start + most]]
        return found if len(found) == most else [*found, (found[-1][0] if found else oid, v2c.EndOfMibView(""))]

    def _values(self) -> dict[Oid, Any]:
        with self._lock:
            ticks = self._frozen if self._frozen is not None else int((time.monotonic() - self._began) * 100)
            values: dict[Oid, Any] = {SYS_UP_TIME: v2c.TimeTicks(ticks % 2**32)}
            for name, index in self._indexes.items():
                values[(*IF_OPER_STATUS, index)] = v2c.Integer32(self._statuses[name])
                values[(*IF_NAME, index)] = v2c.OctetString(name.encode())
                values[(*AFTER_IF_NAME, index)] = v2c.Counter32(0)
            return values
