"""The store in etcd, through its JSON gateway.

:mod:`~esi_worker.store.gateway` is the one user of etcd3gw; of that library only the transport is used, since its
watch does not notice when it ends, its lock has no fencing and its lists no revision.
"""

from __future__ import annotations

import binascii
import contextlib
import ssl
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import failures
from esi_worker.store import gateway
from esi_worker.store import limits
from esi_worker.store import watch
from esi_worker.store import wire


class EtcdStore(base.Store):
    """A store in etcd 3.4 or newer.

    Reads, renewals and revocations are tried on another endpoint when one does not answer; other writes only where
    the first attempt was certainly not applied.  Where it may have been, the error's ``unknown`` is true.

    :param endpoints: such as ``http://192.0.2.1:2379``; without a scheme it is http
    :param username: of etcd's users; empty for none
    :param ca_cert: file with the authority that signed etcd's certificates; empty for the system's
    :param cert_file: file with the client's certificate; empty for none.  The gateway takes no user from it
    :param key_file: file with the key to it
    :param timeout: seconds for a call, all its attempts together
    :param watch_idle: seconds of silence after which a watch's stream is replaced by a new one
    :raises ConfigError: for endpoints or files that can't be used
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        username: str = "",
        password: str = "",
        ca_cert: str = "",
        cert_file: str = "",
        key_file: str = "",
        timeout: float = 10.0,
        watch_idle: float = 15.0,
    ) -> None:
        if not endpoints:
            raise api.ConfigError("no endpoint of etcd is configured")
        parsed = [gateway.parse_endpoint(each) for each in endpoints]
        secure = any(each.protocol == "https" for each in parsed)
        tls = _tls(ca_cert, cert_file, key_file) if secure else None
        self._gateway = gateway.Gateway(parsed, tls, username, password, timeout)
        self._watch_idle = watch_idle

    def get(self, key: str) -> base.Entry | None:
        """:returns: the entry, or None."""
        return wire.first_entry(self._read(wire.get_body(key), key))

    def pages(self, prefix: str, *, size: int = 1000) -> Iterator[base.Snapshot]:
        """List a prefix page by page, all pages as of the revision of the first one.

        :raises StoreError: also if that revision is compacted meanwhile: list again
        """
        start = wire.key_bytes(prefix)
        end = wire.prefix_end(start)
        start = start or b"\0"
        revision = 0
        while True:
            reply = self._read(wire.page_body(start, end, size, revision), prefix)
            revision = revision or wire.revision(reply)
            found = reply.get("kvs", ())
            yield base.Snapshot(revision, tuple(map(wire.entry, found)))
            if not reply.get("more"):
                return
            start = binascii.a2b_base64(found[-1]["key"]) + b"\0"

    def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        """:returns: the revision of the write."""
        limits.check_put(key, value)
        body = wire.put_body(key, value, lease)
        return wire.revision(self._gateway.call("kv/put", body, f"put {key}", repeatable=False))

    def delete(self, key: str) -> bool:
        """:returns: whether the key was there."""
        reply = self._gateway.call("kv/deleterange", wire.delete_body(key), f"delete {key}", repeatable=False)
        return int(reply.get("deleted", 0)) > 0

    def transact(
        self,
        compares: Sequence[base.Compare],
        success: Sequence[base.Operation],
        failure: Sequence[base.Operation] = (),
    ) -> base.Outcome:
        """Do all operations of one branch, at one revision, or none."""
        limits.check_transaction(compares, success, failure)
        body = wire.transaction_body(compares, success, failure)
        reads = all(isinstance(each, base.Get) for each in (*success, *failure))
        subject = "transaction on " + ", ".join([each.key for each in (*compares, *success, *failure)][:3])
        reply = self._gateway.call("kv/txn", body, subject, repeatable=reads, reads=reads)
        return wire.outcome(reply, success, failure)

    def grant(self, ttl: int) -> int:
        """:param ttl: seconds; etcd may make it longer; :returns: the lease's id."""
        reply = self._gateway.call("lease/grant", wire.grant_body(ttl), "grant a lease", repeatable=False)
        return int(reply["ID"])

    def keep_alive(self, lease: int) -> float:
        """Renew a lease.

        :returns: seconds that it has left, counted from when this was called; 0 if it is gone
        """
        reply = self._gateway.call(
            "lease/keepalive", wire.lease_body(lease), f"renew the lease {lease}", repeatable=True
        )
        return float(reply["result"].get("TTL", 0))

    def revoke(self, lease: int) -> None:
        """End a lease, and with it all keys that hang on it; one that is gone is no error."""
        with contextlib.suppress(failures.Missing):
            self._gateway.call("lease/revoke", wire.lease_body(lease), f"revoke the lease {lease}", repeatable=True)

    def watch(self, prefix: str, revision: int, stop: threading.Event) -> Iterator[base.Batch]:
        """All changes under a prefix from a revision on, in etcd's order: see :mod:`~esi_worker.store.watch`."""
        return watch.follow(self._gateway, prefix, revision, stop, self._watch_idle)

    def close(self) -> None:
        """Close all connections; a watch that is still read ends with WatchLost."""
        self._gateway.close()

    def _read(self, body: bytes, key: str) -> Any:
        return self._gateway.call("kv/range", body, f"get {key}", repeatable=True, reads=True)


def _tls(ca_cert: str, cert_file: str, key_file: str) -> ssl.SSLContext:
    """:raises ConfigError: if a file can't be used."""
    try:
        context = ssl.create_default_context(cafile=ca_cert or None)
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(filter(None, (ca_cert, cert_file, key_file)))
        raise api.ConfigError(f"etcd's certificates can't be used ({names}): {error}") from error
    return context
