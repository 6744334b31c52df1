"""What the pipeline costs, with a real etcd (fsync on), a daemon and the stand-ins::

    python -m tests.bench.bench_pipeline

Prints: time from a config document to its /state for a READ_COMPLETE resource and for one with a stack, etcd
revisions per job, and the daemon's threads while 500 stacks are being created.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import threading
import time

from esi_worker.store import base
from esi_worker.store import keys
from tests.functional import deployment
from tests.functional import test_seed


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100, help="single resources per measurement")
    parser.add_argument("--stacks", type=int, default=500, help="stacks that are created at the same time")
    arguments = parser.parse_args()
    options = {"monitoring": {"mode": "trust"}, "heat_worker": {"poll_interval": 0.05}}
    deployed = deployment.Deployment(options=options, fsync=True).start()
    try:
        daemon = deployed.daemon()
        states = States(deployed)
        deployed.put("v2.0/quotas/warm", {"id": "warm"})
        states.wait("v2.0/quotas/warm")
        single(deployed, states, "config to READ_COMPLETE", "v2.0/quotas/q{}", {}, arguments.samples)
        body = {"name": "n", "admin_state_up": True, "tenant_id": "t1"}
        single(deployed, states, "config to /state, one stack and monitoring", "v2.0/networks/n{}", body, 20)
        revisions(deployed, states, arguments.samples)
        throughput(deployed, states, 1000)
        threads(deployed, daemon, arguments.stacks)
    finally:
        deployed.close()
    gateways(10)


class States:
    """Tells when a /state is seen, as a watcher sees it."""

    def __init__(self, deployed: deployment.Deployment) -> None:
        self._deployed = deployed
        self._seen: dict[str, float] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        # The stream is cut when the deployment ends; nobody waits for anything then.
        with contextlib.suppress(base.WatchLost):
            for batch in self._deployed.store.watch(keys.STATE, 1, threading.Event()):
                with self._changed:
                    for event in batch.events:
                        self._seen.setdefault(event.entry.key.removeprefix(keys.STATE), time.perf_counter())
                    self._changed.notify_all()

    def wait(self, path: str, timeout: float = 120) -> float:
        """:returns: ``time.perf_counter()`` when the state was seen first."""
        with self._changed:
            if not self._changed.wait_for(lambda: path in self._seen, timeout):
                raise SystemExit(f"no /state/{path} within {timeout:g} s\n{self._deployed.logs()[-3000:]}")
            return self._seen[path]


def single(deployed, states, what, path, body, samples) -> None:
    """One resource after another."""
    times = []
    for number in range(samples):
        name = path.format(number)
        began = time.perf_counter()
        deployed.put(name, {**body, "id": name.rpartition("/")[2]})
        times.append((states.wait(name) - began) * 1000)
    times.sort()
    print(f"{what}: p50 {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms ({samples})")


def gateways(samples) -> None:
    """Gateways with everything they stand on there already; the routers' sessions are as they are wanted."""
    options = {"heat_worker": {"poll_interval": 0.05}, "monitoring_worker": {"poll_interval": 0.05}}
    deployed = deployment.Deployment(test_seed.ROUTERS, options, agents=test_seed.AGENTS, fsync=True, configures=False)
    deployed.start()
    try:
        states = States(deployed)
        deployed.daemon()
        *relatives, gateway = test_seed.world()
        for document in relatives:
            deployed.put(test_seed.path_of(document), document["body"])
        for document in relatives:
            states.wait(test_seed.path_of(document))
        times = []
        for number in range(samples):
            vlan = str(1025 + number)
            name = f"{gateway['id'][:-4]}{number:04d}"
            unit = {"vlan_id": vlan, "primary_logical_interface_name": f"ae0.{vlan}", "vrf_name": f"vrf_{vlan}"}
            body = {**gateway["body"], **unit, "id": name, "secondary_logical_interface_name": f"ae0.{vlan}"}
            for (address, arguments), vrid in itertools.product(test_seed.ROUTERS.items(), (41, 42)):
                deployed.routers[address].engine.force_vrrp(f"ae0.{vlan}", vrid, arguments["role"])
            began = time.perf_counter()
            deployed.put(f"v2.0/common_function_gateways/{name}", body)
            times.append((states.wait(f"v2.0/common_function_gateways/{name}") - began) * 1000)
        print(f"config to /state of a gateway whose stack is there at once: p50 {statistics.median(times):.0f} ms")
    finally:
        deployed.close()


def revisions(deployed, states, count) -> None:
    """Many independent resources at once: revisions and time."""
    before = deployed.store.list("/no-such-prefix").revision
    began = time.perf_counter()
    names = [f"v2.0/networks/many{number}" for number in range(count)]
    for name in names:
        deployed.put(name, {"id": name.rpartition("/")[2], "name": "n", "admin_state_up": True, "tenant_id": "t1"})
    for name in names:
        states.wait(name)
    seconds = time.perf_counter() - began
    own = deployed.store.list("/no-such-prefix").revision - before - count
    jobs = 2 * count
    print(f"etcd revisions per job: {own / jobs:.2f} ({own} for {jobs} jobs, the config's own left out)")
    print(f"jobs per second, {count} networks with a stack each: {jobs / seconds:.0f}")


def throughput(deployed, states, count) -> None:
    """Independent jobs whose handler has nothing to wait for."""
    before = deployed.store.list("/no-such-prefix").revision
    names = [f"v2.0/edge_routers/e{number}" for number in range(count)]
    began = time.perf_counter()
    for name in names:
        deployed.put(name, {"id": name.rpartition("/")[2], "ip": "192.0.2.1", "tenant_id": "t1"})
    put = time.perf_counter() - began
    for name in names:
        states.wait(name)
    seconds = time.perf_counter() - began
    own = deployed.store.list("/no-such-prefix").revision - before - count
    print(f"{count} independent jobs without waiting: {count / seconds:.0f} jobs/s (putting them took {put:.1f} s)")
    print(f"etcd revisions per job there: {own / count:.2f}")


def threads(deployed, daemon, count) -> None:
    """Threads of the daemon while all stacks are in progress."""
    for number in range(count):
        deployed.heat.stacks.hold(f"network_held{number}")
        body = {"id": f"held{number}", "name": "n", "admin_state_up": True, "tenant_id": "t1"}
        deployed.put(f"v2.0/networks/held{number}", body)
    deployed.wait(lambda: in_progress(deployed) == count, f"{count} stacks in progress", 120)
    with open(f"/proc/{daemon.process.pid}/status") as status:
        found = next(line.split()[1] for line in status if line.startswith("Threads"))
    print(f"threads of the daemon while {count} stacks are being created: {found}")
    for number in range(count):
        deployed.heat.stacks.release(f"network_held{number}")


def in_progress(deployed) -> int:
    """Stacks that are being created now."""
    return sum(each.status == "IN_PROGRESS" for each in deployed.heat.stacks.all("t1"))


if __name__ == "__main__":
    main()
