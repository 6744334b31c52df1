"""What etcd would refuse for its size is refused here, before it is sent and naming the key."""

from __future__ import annotations

from collections.abc import Sequence

from esi_worker import api
from esi_worker.store import base


def check_put(key: str, value: bytes) -> None:
    """:raises StoreError: if etcd would not take so large a value."""
    # The key counts too, but only a key of that size would make a difference.
    if len(value) + len(key) > base.MAX_BYTES:
        raise _too_large(key, len(value), len(value) + len(key))


def check_transaction(
    compares: Sequence[base.Compare], success: Sequence[base.Operation], failure: Sequence[base.Operation]
) -> None:
    """:raises StoreError: for too many operations or too large a request; names the largest key."""
    most = max(len(compares), len(success), len(failure))
    if most > base.MAX_OPERATIONS:
        raise api.StoreError(
            f"a transaction of {most} conditions or operations is refused: etcd takes {base.MAX_OPERATIONS}",
            permanent=True,
        )
    size = 0
    for operations in (success, failure):
        for operation in operations:
            size += len(operation.key)
            if isinstance(operation, base.Put):
                size += len(operation.value)
    if size > base.MAX_BYTES:
        puts = [each for each in (*success, *failure) if isinstance(each, base.Put)]
        largest = max(puts, key=lambda put: len(put.value), default=base.Put("", b""))
        raise _too_large(largest.key, len(largest.value), size)


def check_duplicates(operations: Sequence[base.Operation]) -> None:
    """What etcd itself refuses: a key that is written twice, or written and removed, in one branch.

    :raises StoreError: naming the key
    """
    written: set[str] = set()
    for operation in operations:
        if isinstance(operation, base.Put):
            if operation.key in written:
                raise api.StoreError(f"transaction: {operation.key} is written twice", permanent=True)
            written.add(operation.key)
    for operation in operations:
        if not isinstance(operation, base.Delete):
            continue
        for key in written:
            if key.startswith(operation.key) if operation.prefix else key == operation.key:
                raise api.StoreError(f"transaction: {key} is written and removed", permanent=True)


def _too_large(key: str, value: int, size: int) -> api.StoreError:
    return api.StoreError(
        f"{key}: its value of {value} bytes makes a request of {size} bytes, and etcd takes {base.MAX_BYTES}",
        permanent=True,
    )
