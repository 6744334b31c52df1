"""What the store does in a second, against a real etcd on this machine.

Run it by hand::

    python -m tests.bench.bench_store [--seconds 2] [--threads 1 8] [--no-fsync] [--plain]

``--plain`` measures etcd3gw with its own session too, to compare within one run.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import threading
import time
from collections.abc import Callable

import etcd3gw

from esi_worker.store import base
from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd

VALUE = b"x" * 1024

Step = Callable[[int, int], object]


def measure(name: str, threads: int, seconds: float, step: Step) -> None:
    """Call ``step(thread, number)`` in so many threads for so many seconds, and print how often that was."""
    counts = [0] * threads
    start = threading.Barrier(threads + 1)
    ends = [0.0]

    def run(thread: int) -> None:
        step(thread, -1)
        start.wait()
        while time.monotonic() < ends[0]:
            step(thread, counts[thread])
            counts[thread] += 1

    running = [threading.Thread(target=run, args=(thread,)) for thread in range(threads)]
    for each in running:
        each.start()
    ends[0] = time.monotonic() + seconds
    used = cpu()
    start.wait()
    began = time.monotonic()
    for each in running:
        each.join()
    took = time.monotonic() - began
    done = sum(counts)
    cost = (cpu() - used) / done * 1e6
    print(f"{name:28} {threads} thread(s)  {done / took:8.0f}/s  {cost:6.0f} us of client CPU each")


def cpu() -> float:
    """Seconds of CPU that this process used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def steps(store: base.Store, run: int) -> dict[str, Step]:
    """What is measured."""
    lease = store.grant(600)

    def claim(thread: int, number: int) -> object:
        key = f"/bench/claims/{run}/{thread}/{number}"
        return store.transact([base.absent(key)], [base.Put(key, VALUE, lease)])

    return {
        "get 1 KB": lambda thread, number: store.get(f"/bench/values/{thread}"),
        "put 1 KB": lambda thread, number: store.put(f"/bench/values/{thread}", VALUE),
        "claim on a shared lease": claim,
    }


def main() -> None:
    """Measure everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--no-fsync", action="store_true")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    with etcd.EtcdServer(fsync=not options.no_fsync) as server:
        store = etcd_store.EtcdStore([server.endpoint])
        for thread in range(max(options.threads)):
            store.put(f"/bench/values/{thread}", VALUE)
        for run, threads in enumerate(options.threads):
            for name, step in steps(store, run).items():
                measure(name, threads, options.seconds, step)
        store.close()
        if options.plain:
            plain = etcd3gw.Etcd3Client("127.0.0.1", server.client_port, timeout=10, api_path="/v3/")
            numbers = itertools.count()
            measure("etcd3gw get", 1, options.seconds, lambda *_: plain.get("/bench/values/0"))
            measure("etcd3gw put", 1, options.seconds, lambda *_: plain.put("/bench/values/0", VALUE))
            measure("etcd3gw create", 1, options.seconds, lambda *_: plain.create(f"/bench/{next(numbers)}", VALUE))


if __name__ == "__main__":
    main()
