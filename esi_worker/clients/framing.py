"""How NETCONF marks the end of a message: a delimiter (RFC 6242 section 4.3), or chunks (section 4.2).

ncclient has its own; this one keeps what a 4 kB read cuts in two (a character of several bytes, a delimiter) whole,
looks at each byte once, and refuses a message that never ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

DELIMITER: Final = b"]]>]]>"
END_OF_CHUNKS: Final = b"\n##\n"
MAX_MESSAGE: Final = 64 * 1024 * 1024
"""Bytes: 1,000 VRRP groups take 300 KiB."""

_HEADER: Final = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|(#))\n")
_HEADER_START: Final = re.compile(rb"\n(?:#(?:#|[1-9][0-9]{0,9})?)?")


class FramingError(ValueError):
    """What came is not framed as it should be."""


def frame(message: bytes, *, chunked: bool) -> bytes:
    """Mark the end of a message.

    :param chunked: whether both sides have the capability base:1.1
    """
    if chunked:
        return b"\n#%d\n%b%b" % (len(message), message, END_OF_CHUNKS)
    return message + DELIMITER


class Deframer:
    """Cuts what comes over the wire into messages.

    :ivar chunked: whether what comes next is in chunks; to be set after the hello messages
    """

    def __init__(self, *, limit: int = MAX_MESSAGE) -> None:
        self.chunked = False
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._chunks: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what was read and give each message that it completes.

        :raises FramingError: if a chunk doesn't begin where it should, or a message is too long
        """
        self._buffer += data
        while (message := self._chunked() if self.chunked else self._delimited()) is not None:
            yield message
        if self._length + len(self._buffer) > self._limit:
            raise FramingError(f"a message is longer than {self._limit} bytes")

    def _delimited(self) -> bytes | None:
        end = self._buffer.find(DELIMITER, self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - len(DELIMITER) + 1)
            return None
        message = bytes(self._buffer[:end]).strip()
        del self._buffer[: end + len(DELIMITER)]
        self._searched = 0
        return message

    def _chunked(self) -> bytes | None:
        while header := _HEADER.match(self._buffer):
            if header[2]:
                message = b"".join(self._chunks)
                del self._buffer[: header.end()]
                self._chunks, self._length = [], 0
                return message
            end = header.end() + int(header[1])
            if end > self._limit:
                raise FramingError(f"a message is longer than {self._limit} bytes")
            if len(self._buffer) < end:
                return None
            self._chunks.append(bytes(self._buffer[header.end() : end]))
            self._length += end - header.end()
            del self._buffer[:end]
        if self._buffer and not _HEADER_START.fullmatch(self._buffer):
            raise FramingError("a chunk does not begin where it should")
        return None
