"""Checks of single calls of a probe."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker import redaction
from esi_worker.testing import kit


def target(probe: api.Probe, name: str, properties: Mapping[str, Any]) -> api.Target:
    """What the probe makes of properties.

    :raises JobError: what the probe raised
    :raises AssertionError: if it raised anything else
    """
    try:
        return probe.targets(name, properties)
    except api.JobError:
        raise
    except Exception as error:
        shown = redaction.mask(dict(properties))
        text = f"targets() let {type(error).__name__} through: {error}, with the properties {shown}"
        change = "check each property, and raise api.PermanentError with the names of target and property in it"
        raise AssertionError(kit.advice(text, change)) from error


def expect_unreachable(what: str, ask: Callable[[], object]) -> None:
    """The device is silent.

    :raises AssertionError: if asking it raises anything but Unreachable, or nothing
    """
    try:
        ask()
    except api.Unreachable:
        return
    except Exception as error:
        text = f"while the device was silent {what} raised {type(error).__name__}: {error}"
        change = "raise api.Unreachable(message): the monitor drops the session and opens another one later"
        raise AssertionError(kit.advice(text, change)) from error
    raise AssertionError(kit.advice(f"{what} gave an answer while the device was silent", "ask it each time"))


def complaint(ask: Callable[[], object]) -> tuple[str, ...]:
    """The texts of the error that asking raises; none if it raises none."""
    try:
        ask()
    except api.JobError as error:
        return (error.message, error.detail)
    return ()


def is_question(question: object) -> bool:
    """Whether targets can be compared by it."""
    if not isinstance(question, Mapping):
        return False
    return all(isinstance(name, str) and isinstance(value, (str, int, float)) for name, value in question.items())


def is_device(device: api.Device) -> bool:
    """Whether it says whom to ask."""
    address: object = device.address
    return isinstance(address, str) and bool(address) and isinstance(device.port, int)
