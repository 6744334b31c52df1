from __future__ import annotations

from typing import ClassVar

from esi_worker.store import base
from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd
from esi_worker.testing import store_conformance


class EtcdConformanceTest(store_conformance.StoreConformance):
    server: ClassVar[etcd.EtcdServer]

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = etcd.EtcdServer(fsync=False)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def make_store(self) -> base.Store:
        store = etcd_store.EtcdStore([self.server.endpoint])
        self.addCleanup(store.close)
        return store
