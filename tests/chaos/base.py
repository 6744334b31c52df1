"""What the tests of the invariants have in common."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker.store import keys
from esi_worker.testing import proxy
from tests.chaos import gohan
from tests.chaos import invariants
from tests.chaos import world
from tests.functional import deployment

_ROLES: Final = 3
"""Of a daemon, at most."""


class Gate(proxy.Proxy):
    """A proxy that can keep requests back and let them go later, when nobody expects them any more."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self.held = threading.Event()
        self._wanted: Callable[[bytes], bool] | None = None
        self._open = threading.Event()

    def hold(self, *keys_of: str, method: str = "kv/txn") -> None:
        """Keep back the next request that names all of these keys.

        :param method: the end of the request's path
        """
        spelled = [base64.b64encode(each.encode()) for each in keys_of]
        self.held.clear()
        self._open.clear()
        self._wanted = lambda request: (
            method.encode() in request.partition(b"\r\n")[0] and all(each in request for each in spelled)
        )

    def release(self) -> None:
        """Let what is kept back go on to its target."""
        self._open.set()

    def fault_of(self, request: bytes) -> proxy.Fault | None:
        """Count a request, and keep it back if it is the one."""
        wanted = self._wanted
        if wanted is not None and wanted(request):
            self._wanted = None
            self.held.set()
            self._open.wait(60)
        return super().fault_of(request)


class InvariantsTest(deployment.DeploymentTest):
    """A test with a deployment, somebody who plays Gohan, and a check of all invariants.

    :ivar deployed: the deployment
    :ivar gohan: who writes ``/config``
    """

    def begin(
        self,
        routers: Mapping[str, Mapping[str, Any]] | None = None,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Start all but the daemons; the arguments are those of a deployment."""
        self.deployed = self.deploy(routers, options, **kwargs)
        self.gohan = gohan.Gohan(self.deployed)
        self.addCleanup(self.gohan.close)
        self.checker = invariants.Checker()

    def gate(self) -> Gate:
        """A proxy before etcd that ends with the test."""
        found = Gate(self.deployed.etcd.address)
        self.addCleanup(found.close)
        self.addCleanup(found.release)
        return found

    def check(self) -> None:
        """Wait until everything is at rest; then no invariant is violated."""
        self.gohan.settle()
        self.check_now()

    def check_now(self) -> None:
        """No invariant is violated, everything being at rest."""
        stacks = [stack.name for stack in self.deployed.heat.stacks.all()]
        found = self.checker.feed(self.deployed.history(self.checker.revision + 1))
        found = found + invariants.at_rest(self.checker.present, stacks)
        found = found + invariants.secrets(self.deployed.logs(), world.CANARY)
        self.assertEqual([], [str(each) for each in found])
        self.check_leases()

    def check_leases(self) -> None:
        """Nobody has a lease but the daemons that run, one for each role at most; what died soon has none any more."""
        self.deployed.wait(
            lambda: not invariants.leases(self.deployed.leases(), _ROLES * self.deployed.running()),
            "I7: no more leases than the daemons need",
        )

    def keys(self) -> list[str]:
        """All keys in etcd."""
        return self.deployed.keys()

    def wait_claim(self, *words: str) -> str:
        """Wait until somebody claims a job.

        :param words: that the job's id holds
        :returns: the key of the claim
        """
        found: list[str] = []

        def claimed() -> bool:
            found[:] = [
                entry.key
                for entry in self.deployed.store.list(keys.CLAIMS).entries
                if all(word in entry.key for word in words)
            ]
            return bool(found)

        self.deployed.wait(claimed, f"the claim of {words}")
        return found[0]

    def jobs_done(self, path: str) -> list[str]:
        """``<action>:<handler>:<version>`` of the jobs of a resource that came to their end, in that order."""
        ends = [
            change for change in self.deployed.history() if change.key.startswith(keys.CLAIMS) and change.value is None
        ]
        ended = {(change.revision, change.key.removeprefix(keys.CLAIMS)) for change in ends}
        return [
            "{0}:{1}:{4}".format(*job_id.split(":"))
            for change in self.deployed.history()
            if change.key.startswith(keys.ALL_JOBS) and change.value is None
            for job_id in [change.key.removeprefix(keys.ALL_JOBS)]
            if (change.revision, job_id) in ended and invariants.path_of(*job_id.split(":")[2:4]) == path
        ]

    def stacks_made(self, path: str) -> int:
        """How many times Heat was asked to create the stack of a resource."""
        name = world.stack_name(path)
        calls = self.deployed.heat.calls
        return sum(1 for call in calls if call.method == "POST" and (call.body or {}).get("stack_name") == name)
