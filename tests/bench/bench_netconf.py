"""What a session to a device costs, against the stand-in router on this machine.

Run it by hand::

    python -m tests.bench.bench_netconf [--rounds 50] [--groups 50]

ncclient as it comes is measured beside it, to compare within one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from ncclient import manager

from esi_worker import api
from esi_worker.clients import junos
from esi_worker.clients import netconf
from esi_worker.testing import router
from tests.functional import netconf_base


def p50(rounds: int, step: Callable[[], object]) -> float:
    """The median time of a step in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--groups", type=int, default=50, help="how many VRRP groups the router has")
    given = parser.parse_args()
    conf = netconf_base.configuration("", host_key_check=False).netconf
    with router.RouterServer(groups={"G": [1]}) as server:
        server.engine.configure(netconf_base.units(given.groups, "G"))
        device = api.Device(server.host, server.port, "netops", "router-password")

        def plain() -> manager.Manager:
            return manager.connect(
                host=server.host,
                port=server.port,
                username=device.username,
                password=device.password,
                hostkey_verify=False,
                allow_agent=False,
                look_for_keys=False,
                device_params={"name": "junos"},
            )

        def plain_cycle() -> None:
            with plain() as client:
                client.rpc("<get-vrrp-information/>")

        def cycle() -> None:
            session = netconf.connect(device, conf)
            session.rpc(junos.vrrp_question())
            session.close()

        print(
            f"ncclient as it comes: connect + rpc + close, p50 {p50(max(5, given.rounds // 10), plain_cycle):8.2f} ms"
        )
        with plain() as client:
            asked = p50(max(5, given.rounds // 5), lambda: client.rpc("<get-vrrp-information/>"))
        print(f"                      rpc on a kept session, p50 {asked:8.2f} ms")
        print(f"esi-worker:           connect + rpc + close, p50 {p50(given.rounds, cycle):8.2f} ms")
        kept = netconf.connect(device, conf)
        asked = p50(given.rounds, lambda: kept.rpc(junos.vrrp_question()))
        print(f"                      rpc on a kept session, p50 {asked:8.2f} ms")
        kept.close()


if __name__ == "__main__":
    main()
