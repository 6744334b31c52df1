"""The rights in etcd that the documentation gives the daemon are enough for it, from create to deletion."""

from __future__ import annotations

import pathlib
import re

from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd
from tests.functional import deployment
from tests.functional import test_seed

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "operations.rst"
PASSWORD = "s3cret-of-root"


def rights():
    """Prefix -> permission, as the page has operators grant them."""
    granted = re.findall(r"grant-permission esi-worker (?:--prefix=true )?(\w+) (/\S+)", PAGE.read_text())
    return {prefix: permission.upper() for permission, prefix in granted}


class GuardedDeployment(deployment.Deployment):
    """Its etcd has users; the test's own store is root's, the daemon's has the rights of the page."""

    def start(self):
        self.etcd = etcd.EtcdServer(str(self.folder / "etcd"), fsync=False, root_password=PASSWORD)
        super().start()
        self.etcd.admin.add_user("esi-worker", "s3cret-of-esi", rights())
        self.store = etcd_store.EtcdStore([self.etcd.endpoint], username="root", password=PASSWORD)
        self._closing.callback(self.store.close)
        return self


class RolesTest(deployment.DeploymentTest):
    def test_a_gateway_comes_and_goes(self):
        self.assertEqual(len(rights()), 6)
        user = {"username": "esi-worker", "password": "s3cret-of-esi"}
        here = GuardedDeployment(test_seed.ROUTERS, {"etcd": user}, agents=test_seed.AGENTS)
        self.addCleanup(here.close)
        here.start()
        here.daemon()
        for document in test_seed.world():
            here.put(test_seed.path_of(document), document["body"])
        self.assertEqual(here.wait_state(test_seed.PATH)["error"], "")
        here.wait(lambda: here.get(f"/monitoring/{test_seed.PATH}"), "/monitoring")
        here.put(test_seed.PATH, here.get(f"/esi-worker/config/{test_seed.PATH}")["body"], 2, marked=True)
        self.assertEqual(here.wait_state(test_seed.PATH, 2)["state"]["worker_state"], "DELETE_COMPLETED")
        for prefix in ("config", "state"):
            here.store.delete(f"/{prefix}/{test_seed.PATH}")
        here.wait(lambda: not [key for key in here.keys() if test_seed.PATH in key], "nothing left of it")  # noqa: SIM118
        self.assertNotIn("permission", here.logs())
