"""Takes what an HTTP client sends apart."""

from __future__ import annotations

import re
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


class Requests:
    """Takes the bytes of a client apart into whole requests."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """:returns: the requests that are whole now."""
        self._buffer += data
        whole: list[bytes] = []
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer[: end + 2])
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < size:
                break
            whole.append(self._buffer[:size])
            self._buffer = self._buffer[size:]
        return whole
