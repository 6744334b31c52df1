"""What a probe is: the plug-in that reads the status of targets.  Entry point group ``esi_worker.probes``."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import Protocol

from oslo_config import cfg

from esi_worker.api import settings as api_settings


@dataclasses.dataclass(frozen=True, slots=True)
class Device:
    """What a probe has to ask: all targets of one device are served by one session.

    :ivar address: host name or IP address
    :ivar port: TCP or UDP port
    :ivar username: empty where the protocol has none
    :ivar password: never shown
    """

    address: str
    port: int = 0
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}" if self.port else self.address


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One thing to watch.

    :ivar name: its name in the template, such as ``primary_41``
    :ivar probe: the probe's name (``type`` in the template)
    :ivar device: which device to ask
    :ivar question: what to ask of it, such as ``{"interface": "ae0.1025", "vrid": 41}``; hashable values only
    :ivar wanted_status: the status that a create waits for
    :ivar timeout: seconds that a create waits for it
    :ivar interval: seconds between two readings by the collector; 0 takes the collector's own
    """

    name: str
    probe: str
    device: Device
    question: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    wanted_status: str = "ACTIVE"
    timeout: float = 300.0
    interval: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a target.

    :ivar status: as the device spells it; None until it has answered for the first time, or where it has no
        such thing
    :ivar error: why there is no status; empty where there is one
    :ivar at: ``time.monotonic()`` of the answer
    :ivar trusted: no device was asked: the target counts as it is wanted to be
    """

    status: str | None
    error: str = ""
    at: float = 0.0
    trusted: bool = False


class Session(Protocol):
    """A connection to a device, kept by the monitor between two readings."""

    def close(self) -> None:
        """Give it up; never blocks for long, never raises."""


class Monitor(Protocol):
    """Reads targets in the background: one session per device, one question for all its targets."""

    def parse(self, name: str, properties: Mapping[str, Any]) -> Target:
        """Turn one entry of a rendered monitoring template into a target.

        :raises PermanentError: naming the target and what is wrong with it, and for an unknown type the
            installed probes
        """

    def observe(self, targets: Sequence[Target], interval: float) -> Mapping[str, Reading]:
        """What is known of these targets now; what is older than the interval is asked for in the background.

        :param interval: seconds
        :returns: target name -> reading; a target that was never read has the status None
        """

    def published(self, target: Target, reading: Reading) -> str:
        """The status as ``/monitoring`` shows it: upper case, FAIL for a target that can't be reached."""


class Probe(abc.ABC):
    """Reads the status of targets.

    :cvar options: oslo.config options, in the group named like the entry point
    :cvar transport: probes of one transport share their sessions to a device, such as ``netconf``
    :cvar wanted_status: what a create waits for where the template says nothing else
    :cvar timeout: seconds that it waits where the template says nothing else
    :cvar interval: seconds between two readings by the collector; 0 takes the collector's own
    """

    options: ClassVar[Sequence[cfg.Opt]] = ()
    transport: ClassVar[str] = ""
    wanted_status: ClassVar[str] = "ACTIVE"
    timeout: ClassVar[float] = 300.0
    interval: ClassVar[float] = 0.0

    def __init__(self, settings: api_settings.Settings) -> None:
        self.settings = settings

    @abc.abstractmethod
    def targets(self, name: str, properties: Mapping[str, Any]) -> Target:
        """Check the properties that a template gives a target and say what to ask, of which device.

        :raises PermanentError: naming the target and the property
        """

    @abc.abstractmethod
    def connect(self, device: Device) -> Session:
        """Open a session.

        :raises Unreachable: if the device does not answer
        :raises PermanentError: if it refuses the credentials
        """

    @abc.abstractmethod
    def read(self, session: Any, targets: Sequence[Target]) -> Mapping[str, str]:
        """Ask one question that serves all these targets of one device.

        Targets of different resources may have the same name, so the answer is keyed by question:
        see :func:`key`.

        :returns: key of the target -> status as the device spells it; a target that the device does not know is
            left out
        :raises Unreachable: if the session is broken; the monitor opens another one
        """

    def published(self, status: str) -> str:
        """The status as ``/monitoring`` shows it."""
        return status.upper()


def key(target: Target) -> str:
    """Names a target among all those of its device, whatever resource it belongs to."""
    return "|".join(f"{name}={target.question[name]}" for name in sorted(target.question))
