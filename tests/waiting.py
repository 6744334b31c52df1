"""How tests wait: for a condition, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """The condition's first true value.

    :param what: what is waited for, for the message
    :param seconds: after which it fails
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:g} s")
        pause.wait(0.005)
    return value
