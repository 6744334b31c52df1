"""What goes to and fro between a client and a stand-in, and what can go wrong on the way."""

from __future__ import annotations

import collections
import dataclasses
import json
import re
import threading
from collections.abc import Mapping
from typing import Any
from typing import Final

HTML: Final = "html"
HANG: Final = "hang"
RESET: Final = "reset"
LOSE: Final = "lose"
DEEP: Final = "deep"


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A request as it came.

    :ivar path: without the query
    :ivar body: JSON, or None
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON, or bytes of another content type."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    content_type: str = "application/json"

    def data(self) -> bytes:
        """The bytes to send."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    :ivar kind: ``html`` (a page with status 200), ``hang`` (no answer at all), ``reset`` (the connection is cut
        before anything is done), ``lose`` (it is done, then the connection is cut), ``deep`` (JSON nested too
        deeply), or a status such as ``503``
    :ivar after: how many requests that fit it lets pass
    """

    method: str
    path: re.Pattern[str]
    kind: str
    reply: Reply
    after: int = 0


class Faults:
    """A queue of faults: each one meets the next request that fits it, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: collections.deque[Fault] = collections.deque()

    def add(
        self, kind: str | int, method: str = "", path: str = "", *, times: int = 1, after: int = 0, body: Any = None
    ) -> None:
        """Let something go wrong.

        :param kind: see :class:`Fault`
        :param method: of the request; empty: any
        :param path: a regular expression that is searched for in its path
        :param after: how many requests that fit are let pass before
        :param body: of the answer with a status: JSON, or bytes for a page
        """
        content_type = "text/html" if isinstance(body, bytes) else "application/json"
        reply = Reply(kind, body, content_type=content_type) if isinstance(kind, int) else Reply()
        with self._lock:
            self._queue.extend([Fault(method, re.compile(path), str(kind), reply, after)] * times)

    def take(self, call: Call) -> Fault | None:
        """The fault that a request meets."""
        with self._lock:
            for place, fault in enumerate(self._queue):
                if fault.method not in ("", call.method) or not fault.path.search(call.path):
                    continue
                if not fault.after:
                    del self._queue[place]
                    return fault
                self._queue[place] = dataclasses.replace(fault, after=fault.after - 1)
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._queue.clear()

    @property
    def left(self) -> int:
        """How many faults have not met a request."""
        with self._lock:
            return len(self._queue)
