"""What an agent's answers mean: its interfaces (IF-MIB, RFC 2863) and its uptime (SNMPv2-MIB, RFC 3418).

Each remembers what one session has learned of one agent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from collections.abc import Collection
from typing import Final

from oslo_log import log as logging

from esi_worker.clients import snmp
from esi_worker.clients import snmp_messages

LOG = logging.getLogger(__name__)

UP: Final = 1
"""ifOperStatus of an interface that passes packets."""

_IF_NAME: Final = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
_IF_OPER_STATUS: Final = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)
_SYS_UP_TIME: Final = (1, 3, 6, 1, 2, 1, 1, 3, 0)

_WALK_PAUSE: Final = 10.0
"""Seconds between two looks for an interface that isn't there: its table may have thousands of rows."""

_TICKS: Final = 100
"""sysUpTime counts hundredths of a second."""
_WRAP: Final = 2**32
"""Where it starts again at 0: after 497 days."""
_WRAP_SLACK: Final = 60 * _TICKS
_STANDSTILL: Final = 10.0
"""Seconds: some agents move their clock once in a second or a few."""


class Interfaces:
    """Finds interfaces by name.

    The table of names is read once.  An index belongs to a name only until the device renumbers, so each question
    asks for the name at that index too; where it is another one the table is read again.

    :param session: to the agent
    :param clock: seconds, monotonic
    """

    def __init__(self, session: snmp.SnmpSession, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._indexes: dict[str, snmp_messages.Oid] = {}
        self._walked_at = -math.inf

    def statuses(self, names: Collection[str]) -> dict[str, int]:
        """ifOperStatus of each of these; those that the device does not have are left out.

        :raises Refused: if the agent answers with an error
        :raises Unreachable: if it does not answer
        """
        fresh = not self._indexes.keys() >= set(names) and self._clock() - self._walked_at >= _WALK_PAUSE
        if fresh:
            self._walk()
        found, moved = self._ask(names)
        if moved and not fresh:
            LOG.debug("%s has renumbered its interfaces", self._session)
            self._walk()
            found, _ = self._ask(names)
        return found

    def _walk(self) -> None:
        indexes: dict[str, snmp_messages.Oid] = {}
        for index, value in self._session.walk(_IF_NAME):
            indexes.setdefault(_text(value), index)
        self._indexes = indexes
        self._walked_at = self._clock()

    def _ask(self, names: Collection[str]) -> tuple[dict[str, int], bool]:
        """:returns: the statuses; and whether a name is no longer where it was."""
        indexes = {name: self._indexes[name] for name in names if name in self._indexes}
        oids = [(*column, *index) for index in indexes.values() for column in (_IF_NAME, _IF_OPER_STATUS)]
        values = self._session.get(oids)
        found: dict[str, int] = {}
        moved = False
        for name, index in indexes.items():
            status = values.get((*_IF_OPER_STATUS, *index))
            if _text(values.get((*_IF_NAME, *index), b"")) != name:
                moved = True
            elif isinstance(status, int):
                found[name] = status
        return found, moved


class Uptime:
    """Watches an agent's clock.

    :param session: to the agent
    :param clock: seconds, monotonic
    """

    def __init__(self, session: snmp.SnmpSession, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._ticks: int | None = None
        self._since = 0.0

    def grows(self) -> bool | None:
        """Whether the agent's clock goes on.

        It does not when it has stood still for 10 s, nor, for once, after a restart.

        :returns: None if the agent has none
        :raises Refused: if the agent answers with an error
        :raises Unreachable: if it does not answer
        """
        ticks = self._session.get([_SYS_UP_TIME]).get(_SYS_UP_TIME)
        return self._judge(ticks) if isinstance(ticks, int) else None

    def _judge(self, ticks: int) -> bool:
        now = self._clock()
        last, since = self._ticks, self._since
        if ticks == last:
            return now - since < _STANDSTILL
        self._ticks, self._since = ticks, now
        if last is None or ticks > last or last + (now - since) * _TICKS > _WRAP - _WRAP_SLACK:
            return True
        LOG.warning("%s has restarted: its sysUpTime went from %d to %d", self._session, last, ticks)
        return False


def _text(value: snmp_messages.Value) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
