"""One active job manager in the whole deployment: ``/job_manager_id``, with a lease.

Whoever holds the key leads; every write of the leader proves it by the key's create revision.
"""

from __future__ import annotations

import dataclasses
import threading
import uuid

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import lease as leases
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True)
class Leadership:
    """Held from an election until :attr:`lost` is set or :meth:`resign` is called.

    :ivar fence: the condition that each of the leader's writes carries
    :ivar lost: set when the lease is lost
    """

    fence: base.Compare
    lost: threading.Event
    lease: leases.Lease

    def resign(self) -> None:
        """Give the leadership up: another manager may take over at once."""
        self.lease.close()


def campaign(store: base.Store, name: str, ttl: int, stop: threading.Event) -> Leadership | None:
    """Wait until this manager leads.

    :param name: of this process, for people who look into etcd
    :param ttl: seconds until another one takes over after this one's death
    :returns: None if stop was set meanwhile
    """
    while not stop.is_set():
        try:
            won = _try(store, name, ttl)
        except api.StoreError as error:
            LOG.warning("no election possible, trying again: %s", error)
            won = None
        if won is not None:
            return won
        stop.wait(ttl / 3)
    return None


def _try(store: base.Store, name: str, ttl: int) -> Leadership | None:
    if store.get(keys.LEADER) is not None:
        return None
    lost = threading.Event()
    lease = leases.Lease(store, ttl, "leader", lost.set)
    # The nonce tells this candidacy from every other one when the answer to the transaction is lost.
    value = codec.encode({"name": name, "nonce": uuid.uuid4().hex})
    try:
        store.transact([base.absent(keys.LEADER)], [base.Put(keys.LEADER, value, lease.id)])
    except api.StoreError as error:
        if not error.unknown:
            lease.close()
            raise
    try:
        entry = store.get(keys.LEADER)
    except api.StoreError:
        lease.close()
        raise
    if entry is None or entry.value != value:
        lease.close()
        return None
    LOG.info("this job manager leads: %s", name)
    return Leadership(base.created_at(keys.LEADER, entry.create_revision), lost, lease)
