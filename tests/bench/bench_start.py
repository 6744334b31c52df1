"""What a start costs with many resources that did not change, and one change among them::

    python -m tests.bench.bench_start --resources 100000

Prints the seconds from the daemon's start until it has planned a new resource, the etcd revisions that it took, the
daemon's memory, and the time of one further change among so many.
"""

from __future__ import annotations

import argparse
import time

from esi_worker.pipeline import documents
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys
from tests.bench import bench_pipeline
from tests.functional import deployment

_GROUP = 40


def main() -> None:
    """Fill etcd, start a daemon, change one thing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resources", type=int, default=20000, help="resources that do not change")
    arguments = parser.parse_args()
    deployed = deployment.Deployment().start()
    try:
        size = fill(deployed.store, arguments.resources)
        print(f"{arguments.resources} resources, {size / 1e6:.0f} MB of documents")
        before = deployed.store.list("/no-such-prefix").revision
        deployed.put("v2.0/quotas/new", {"id": "new"})
        states = bench_pipeline.States(deployed)
        began = time.perf_counter()
        daemon = deployed.daemon()
        print(f"start until a new resource is planned: {states.wait('v2.0/quotas/new', 600) - began:.1f} s")
        print(f"memory of the daemon: {memory(daemon.process.pid)} MB at most")
        written = deployed.store.list("/no-such-prefix").revision - before
        print(f"etcd revisions for it: {written} (the new document, the leader, the collector, its /state)")
        bench_pipeline.single(deployed, states, "one change among them", "v2.0/quotas/one{}", {}, 50)
    finally:
        deployed.close()


def fill(store: base.Store, count: int) -> int:
    """Resources that were read and published before; :returns: bytes."""
    size = 0
    for first in range(0, count, _GROUP):
        operations: list[base.Operation] = []
        for number in range(first, min(first + _GROUP, count)):
            path = keys.Path("v2.0", "quotas", f"old{number}")
            body = {"id": path.id, "tenant_id": "t1", "description": "x" * 400, "network": 10000, "port": 30000}
            recorded = documents.Recorded(body, 1, deleted=False).to_document()
            envelope = {"body": codec.text(body), "version": 1, "marked_for_deletion": False}
            operations += [
                base.Put(path.config, codec.encode(envelope)),
                base.Put(path.recorded, codec.encode(recorded)),
                base.Put(path.state, documents.state(documents.READ_COMPLETE, 1)),
            ]
        size += sum(len(each.value) for each in operations if isinstance(each, base.Put))
        store.transact([], operations)
    return size


def memory(pid: int) -> int:
    """Largest resident memory of a process so far, in MB."""
    with open(f"/proc/{pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM"))) // 1024


if __name__ == "__main__":
    main()
