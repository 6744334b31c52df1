"""What etcd's JSON gateway is sent and what it answers.

Keys and values travel as base64 and numbers as texts, so a body is put together from its pieces without a JSON
encoder: nothing in it could need an escape.  Keys are UTF-8; one that somebody else wrote and that is not comes
through as surrogate escapes, so that it can be named, refused and removed.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from esi_worker.store import base

_TARGETS: Final = {"create": ("CREATE", "create_revision"), "mod": ("MOD", "mod_revision")}


def key_bytes(key: str) -> bytes:
    """A key as etcd holds it."""
    return key.encode("utf-8", "surrogateescape")


def key_text(data: bytes) -> str:
    """The other way round."""
    return data.decode("utf-8", "surrogateescape")


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all that begin with the prefix; a zero byte means: no end."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b"\0"


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _key(key: str) -> str:
    return _base64(key_bytes(key))


def _prefix(prefix: str) -> str:
    start = key_bytes(prefix)
    return f'"key":"{_base64(start or bytes(1))}","range_end":"{_base64(prefix_end(start))}"'


def get_body(key: str) -> bytes:
    """``/v3/kv/range`` for one key."""
    return f'{{"key":"{_key(key)}"}}'.encode("ascii")


def page_body(start: bytes, end: bytes, limit: int, revision: int) -> bytes:
    """``/v3/kv/range`` for a page: etcd sorts by key.

    :param revision: 0 for the newest
    """
    return (f'{{"key":"{_base64(start)}","range_end":"{_base64(end)}","limit":{limit},"revision":{revision}}}').encode(
        "ascii"
    )


def _put(key: str, value: bytes, lease: int) -> str:
    hangs = f',"lease":{lease}' if lease else ""
    return f'{{"key":"{_key(key)}","value":"{_base64(value)}"{hangs}}}'


def put_body(key: str, value: bytes, lease: int) -> bytes:
    """``/v3/kv/put``."""
    return _put(key, value, lease).encode("ascii")


def delete_body(key: str) -> bytes:
    """``/v3/kv/deleterange`` for one key."""
    return get_body(key)


def _compare(compare: base.Compare) -> str:
    target, member = _TARGETS[compare.target]
    return f'{{"key":"{_key(compare.key)}","target":"{target}","{member}":{compare.revision}}}'


def _operation(operation: base.Operation) -> str:
    if isinstance(operation, base.Put):
        return f'{{"request_put":{_put(operation.key, operation.value, operation.lease)}}}'
    if isinstance(operation, base.Get):
        return f'{{"request_range":{{"key":"{_key(operation.key)}"}}}}'
    what = _prefix(operation.key) if operation.prefix else f'"key":"{_key(operation.key)}"'
    return f'{{"request_delete_range":{{{what}}}}}'


def transaction_body(
    compares: Iterable[base.Compare], success: Iterable[base.Operation], failure: Iterable[base.Operation]
) -> bytes:
    """``/v3/kv/txn``."""
    conditions = ",".join(map(_compare, compares))
    then = ",".join(map(_operation, success))
    otherwise = ",".join(map(_operation, failure))
    return f'{{"compare":[{conditions}],"success":[{then}],"failure":[{otherwise}]}}'.encode("ascii")


def watch_body(prefix: str, revision: int) -> bytes:
    """``/v3/watch``: all under a prefix; a large answer may come in fragments."""
    return (
        f'{{"create_request":{{{_prefix(prefix)},"start_revision":{revision},"progress_notify":true,"fragment":true}}}}'
    ).encode("ascii")


def grant_body(ttl: int) -> bytes:
    """``/v3/lease/grant``; etcd chooses the id."""
    return f'{{"TTL":{ttl}}}'.encode("ascii")


def lease_body(lease: int) -> bytes:
    """``/v3/lease/keepalive`` and ``/v3/lease/revoke``."""
    return f'{{"ID":{lease}}}'.encode("ascii")


def revision(reply: Mapping[str, Any]) -> int:
    """The revision in the header of an answer."""
    return int(reply["header"].get("revision", 0))


def entry(document: Mapping[str, Any]) -> base.Entry:
    """One ``kv`` of an answer; the gateway leaves out what is zero or empty."""
    return base.Entry(
        key_text(binascii.a2b_base64(document["key"])),
        binascii.a2b_base64(document.get("value", "")),
        int(document.get("create_revision", 0)),
        int(document["mod_revision"]),
        int(document.get("lease", 0)),
    )


def first_entry(reply: Mapping[str, Any]) -> base.Entry | None:
    """The entry that a range request for one key found."""
    found = reply.get("kvs")
    return entry(found[0]) if found else None


def event(document: Mapping[str, Any]) -> base.Event:
    """One event of a watch."""
    kind = base.DELETE if document.get("type") == "DELETE" else base.PUT
    return base.Event(kind, entry(document["kv"]))


def outcome(
    reply: Mapping[str, Any], success: Sequence[base.Operation], failure: Sequence[base.Operation]
) -> base.Outcome:
    """The answer to a transaction."""
    succeeded = bool(reply.get("succeeded"))
    taken = success if succeeded else failure
    entries = tuple(
        first_entry(response.get("response_range", {}))
        for operation, response in zip(taken, reply.get("responses", ()), strict=True)
        if isinstance(operation, base.Get)
    )
    return base.Outcome(succeeded, revision(reply), entries)
