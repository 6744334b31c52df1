"""Several real etcd members on one machine, to lose some of them."""

from __future__ import annotations

import contextlib

from esi_worker.testing import etcd
from esi_worker.testing import etcd_admin


class EtcdCluster:
    """Several members on one machine.

    :param members: how many
    :param fsync: as for :class:`etcd.EtcdServer`
    """

    def __init__(self, members: int = 3, *, fsync: bool = True, election_ms: int = 500) -> None:
        self.members = [
            etcd.EtcdServer(name=f"member-{number}", fsync=fsync, election_ms=election_ms) for number in range(members)
        ]

    @property
    def endpoints(self) -> list[str]:
        """The URLs for clients."""
        return [member.endpoint for member in self.members]

    def start(self) -> EtcdCluster:
        """Start all members and wait until each has a leader.

        :raises etcd.EtcdError: if one does not start
        """
        for attempt in range(etcd.ATTEMPTS):
            for member in self.members:
                member.client_port, member.peer_port = etcd.free_port(), etcd.free_port()
            everyone = ",".join(f"{member.name}=http://{etcd.HOST}:{member.peer_port}" for member in self.members)
            try:
                for member in self.members:
                    member.initial_cluster = everyone
                    member.launch()
                for member in self.members:
                    member.wait_ready()
            except etcd.PortTaken:
                for member in self.members:
                    member.reset()
                if attempt == etcd.ATTEMPTS - 1:
                    raise
            else:
                break
        return self

    def leader(self) -> etcd.EtcdServer:
        """The member that leads now.

        :raises etcd.EtcdError: if none does
        """
        for member in self.members:
            with contextlib.suppress(OSError, etcd_admin.Refused):
                status = member.admin.post("maintenance/status", {})
                if status["header"]["member_id"] == status.get("leader"):
                    return member
        raise etcd.EtcdError("no member leads")

    def close(self) -> None:
        """End all members and remove their data."""
        for member in self.members:
            member.close()

    def __enter__(self) -> EtcdCluster:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()
