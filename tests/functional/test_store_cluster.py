"""The store against three members, some of which are lost."""

from __future__ import annotations

import threading
import time
import unittest
from typing import ClassVar

from esi_worker import api
from esi_worker.store import base
from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd
from esi_worker.testing import etcd_cluster

PATIENCE = 30.0


class ClusterTest(unittest.TestCase):
    cluster: ClassVar[etcd_cluster.EtcdCluster]

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = etcd_cluster.EtcdCluster(fsync=False)
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.start()

    def store(self, *members: etcd.EtcdServer) -> etcd_store.EtcdStore:
        store = etcd_store.EtcdStore([member.endpoint for member in members], timeout=3.0)
        self.addCleanup(store.close)
        return store

    def put_at_last(self, store: base.Store, key: str) -> None:
        """Write until it is done: an election takes its time."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                store.put(key, b"1")
                return
            except api.StoreError:
                if time.monotonic() > deadline:
                    raise

    def test_writes_go_on_after_the_leader_is_killed_or_stands_still(self) -> None:
        for end, begin in (("kill", "start"), ("pause", "resume")):
            with self.subTest(end=end):
                leader = self.cluster.leader()
                others = [member for member in self.cluster.members if member is not leader]
                store = self.store(leader, *others)
                store.put("/before", b"1")
                getattr(leader, end)()
                self.put_at_last(store, "/after")
                self.assertIsNotNone(store.get("/after"))
                getattr(leader, begin)()
                self.put_at_last(self.store(leader), "/again")

    def test_a_member_without_quorum_refuses_and_loses_its_watches(self) -> None:
        alone, *others = self.cluster.members
        store = self.store(alone)
        self.put_at_last(store, "/quorum")
        batches = store.watch("/", store.list("/").revision + 1, threading.Event())
        next(batches)
        for member in others:
            member.kill()
        with self.assertRaisesRegex(base.WatchLost, "no leader"):
            for _ in batches:
                pass
        with self.assertRaisesRegex(api.StoreError, "no leader") as raised:
            store.put("/quorum", b"2")
        self.assertFalse(raised.exception.unknown)
        for member in others:
            member.launch()
        for member in others:
            member.wait_ready()
        self.put_at_last(store, "/quorum")
