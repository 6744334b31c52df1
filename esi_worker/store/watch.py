"""The watch: ``POST /v3/watch``, read as a stream of lines.

How it ends: etcd closes the stream or is gone, it cancels the watch (compaction, permission, a member without a
leader), or what comes is not etcd's.  All of these raise :class:`~esi_worker.store.base.WatchLost` with the reason.

A stream that stays silent may be mute for good: members without quorum and half-open connections have been.
etcd's own signs of life come only every ten minutes, and the gateway can't ask for more: it reads the request to its
end before it answers.  So a stream that was silent for ``idle`` seconds is replaced by a new one, on the next
endpoint if there are several, from the revision behind the last that came.  That costs one request, not a list;
what the old stream kept back comes with the new one; and if so old a revision has been compacted, etcd says so.
Each new stream begins with an empty batch, a sign of life for whoever reads it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import connection
from esi_worker.store import failures
from esi_worker.store import gateway
from esi_worker.store import wire

_SLICE: Final = 0.5
"""Seconds between two looks at the stop event."""


class PermissionRefused(base.WatchLost):
    """The watch may not be; etcd 3.5 says the same of a token that it has forgotten."""


class Stream:
    """The lines of one answer, whatever pieces they come in.

    :ivar heard_at: ``time.monotonic()`` of the last byte
    """

    def __init__(self, opened: connection.Connection) -> None:
        self.heard_at = time.monotonic()
        self._connection = opened
        self._head = b""
        self._chunks: connection.Chunks | None = None
        self._begun: list[bytes] = []

    def read(self) -> list[bytes]:
        """Wait for a short while for more.

        :returns: the lines that are whole now, perhaps none
        :raises WatchLost: at the end of the stream
        """
        if self._chunks is not None and self._chunks.ended:
            raise base.WatchLost("etcd ended the stream")
        try:
            data = self._connection.receive(_SLICE)
            if not data:
                raise base.WatchLost("etcd closed the stream")
            self.heard_at = time.monotonic()
            return self._take(data)
        except TimeoutError:
            return []
        except OSError as error:
            raise base.WatchLost(f"the stream was cut: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _take(self, data: bytes) -> list[bytes]:
        if self._chunks is None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return []
            self._chunks = _begin(connection.parse_head(head), data)
        body = self._chunks.feed(data)
        if self._chunks.ended:
            body += b"\n"  # the gateway ends no line when the last thing that it says is an error
        first, *others = body.split(b"\n")
        self._begun.append(first)
        if not others:
            return []
        lines = [b"".join(self._begun), *others[:-1]]
        self._begun = [others[-1]]
        return [line for line in lines if line]


def _begin(head: connection.Head, body: bytes) -> connection.Chunks:
    """:raises WatchLost: if the head is not that of a stream."""
    if head.status != 200:
        _, text = failures.parse(body.decode(errors="replace"), failures.UNKNOWN)
        raise base.WatchLost(f"etcd refused the watch with status {head.status}: {text or head.reason}")
    if not head.chunked:
        raise base.WatchLost("the answer is no stream")
    return connection.Chunks()


def follow(
    etcd: gateway.Gateway, prefix: str, revision: int, stop: threading.Event, idle: float
) -> Iterator[base.Batch]:
    """Watch a prefix until ``stop`` is set.

    :param revision: the first revision to deliver
    :param idle: seconds of silence after which the stream is replaced
    :raises WatchLost: when it can't go on
    """
    renewed = False
    while not stop.is_set():
        try:
            token = etcd.token()
            place, opened = etcd.stream("watch", wire.watch_body(prefix, revision))
        except api.StoreError as error:
            raise base.WatchLost(str(error)) from error
        with contextlib.closing(Stream(opened)) as stream:
            try:
                for batch in _batches(stream, revision, stop, min(idle, etcd.timeout), idle):
                    revision = batch.revision + 1
                    renewed = False
                    yield batch
            except PermissionRefused:
                if renewed or not _renew(etcd, token):
                    raise
                renewed = True
                continue
            except base.WatchLost:
                etcd.avoid(place)
                raise
        etcd.avoid(place)


def _renew(etcd: gateway.Gateway, token: str) -> bool:
    try:
        return etcd.renew(token)
    except api.StoreError as error:
        raise base.WatchLost(str(error)) from error


def _batches(stream: Stream, revision: int, stop: threading.Event, first: float, idle: float) -> Iterator[base.Batch]:
    """The batches of one stream, until it was silent for too long or ``stop`` is set.

    :param revision: the first that it delivers
    :param first: seconds within which etcd must have answered at all
    """
    answered = False
    fragments: list[base.Event] = []
    while not stop.is_set():
        for line in stream.read():
            answered = True
            result = _result(line)
            fragments.extend(map(wire.event, result.get("events", ())))
            if result.get("fragment"):
                continue
            revision = _reached(result, fragments, revision)
            yield base.Batch(revision - 1, tuple(fragments))
            fragments = []
        silent = time.monotonic() - stream.heard_at
        if not answered and silent > first:
            raise base.WatchLost(f"etcd did not answer within {first:g} s")
        if silent > idle:
            return


def _reached(result: dict[str, Any], events: list[base.Event], revision: int) -> int:
    """The next revision to deliver, after this result.

    A header without events tells how far the watch is only in a progress notification; that of ``created`` tells
    how far etcd is.
    """
    if events:
        return events[-1].entry.mod_revision + 1
    if result.get("created"):
        return revision
    return max(revision, wire.revision(result) + 1)


def _result(line: bytes) -> dict[str, Any]:
    """Read one line.

    :raises WatchLost: if it says that the watch has ended, or says nothing that can be understood
    """
    try:
        message = json.loads(line)
    except ValueError as error:
        raise base.WatchLost(f"the stream holds what is not JSON: {error}") from error
    result = message.get("result")
    if not isinstance(result, dict):
        _, text = failures.parse(line.decode(errors="replace"), failures.UNKNOWN)
        raise base.WatchLost(f"etcd ended the watch: {text}")
    if not result.get("canceled"):
        return result
    if result.get("compact_revision"):
        raise base.WatchLost(f"the revision has been compacted: etcd begins at {result['compact_revision']}")
    reason = result.get("cancel_reason", "no reason given")
    if "permission denied" in reason or "auth token" in reason:
        raise PermissionRefused(f"etcd refuses the watch: {reason}")
    raise base.WatchLost(f"etcd canceled the watch: {reason}")
