"""A hung Heat project and a dead router among many: how much longer do those take that have nothing to do with them?"""

from __future__ import annotations

import dataclasses
import time
from typing import Final

from esi_worker.store import keys
from esi_worker.testing import router
from tests.chaos import gohan
from tests.chaos import world
from tests.functional import deployment

PROJECTS: Final = 8
HUNG: Final = "project-0"
DEAD: Final = "192.0.2.9"
INTERFACE: Final = "ae0.100"

_TEMPLATES: Final = {
    "ese_device_plain": ("heat_worker", "heat_template_version: 2013-05-23\n", {}),
    "ese_device_monitoring": (
        "monitoring_worker",
        "session:\n  type: vrrp_session\n  host: {{ host }}\n  port: 830\n  login: {{ login }}\n"
        "  password: {{ password }}\n  interface: {{ interface }}\n  vrid: 41\n  timeout: 300\n",
        {"host": "Phost", "login": "Plogin", "password": "Ppassword", "interface": "Pinterface"},
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds until the unaffected ones were all done.

    :ivar unaffected: how many these are
    """

    unaffected: int
    quiet: float
    troubled: float

    @property
    def ratio(self) -> float:
        """How much longer it took beside the trouble."""
        return self.troubled / self.quiet

    def __str__(self) -> str:
        return (
            f"isolation: {self.unaffected} unaffected resources took {self.quiet:.1f} s without trouble, "
            f"{self.troubled:.1f} s beside a hung project and a dead router: ratio {self.ratio:.2f}"
        )


def measure(count: int, patience: float = 120.0) -> Outcome:
    """Bring ``count`` resources about twice: without trouble, and with it.

    :param patience: seconds that the unaffected ones may take
    """
    resources = [_resource(number) for number in range(count)]
    unaffected = [each for each in resources if each.body["tenant_id"] != HUNG and each.body["host"] != DEAD]
    return Outcome(
        len(unaffected),
        _run(resources, unaffected, patience, trouble=False),
        _run(resources, unaffected, patience, trouble=True),
    )


def _resource(number: int) -> world.Resource:
    body = {
        "id": f"device-{number}",
        "tenant_id": f"project-{number % PROJECTS}",
        "existing": "plain",
        "host": DEAD if number % 4 == 1 else world.PRIMARY,
        "login": world.USERNAME,
        "password": world.CANARY,
        "interface": INTERFACE,
    }
    return world.Resource(f"v2.0/ese_devices/device-{number}", body)


def _run(resources: list[world.Resource], unaffected: list[world.Resource], patience: float, *, trouble: bool) -> float:
    login = {"username": world.USERNAME, "password": world.CANARY}
    deployed = deployment.Deployment({world.PRIMARY: login, DEAD: login})
    player: gohan.Gohan | None = None
    try:
        deployed.start()
        player = gohan.Gohan(deployed)
        for template_id, (handler, text, mappings) in _TEMPLATES.items():
            body = {"id": template_id, "handler": handler, "watch": [], "template_file": text}
            path = keys.heat_template(template_id).removeprefix(keys.CONFIG)
            deployed.put(path, {**body, "parameter_mappings": mappings})
        for each in deployed.routers.values():
            each.engine.force_vrrp(INTERFACE, 41, "master")
        if trouble:
            deployed.heat.faults.add("hang", path=f"/v1/{HUNG}/", times=10_000)
            deployed.routers[DEAD].fault(router.Fault.NO_BANNER)
        deployed.daemon()
        deployed.wait(lambda: deployed.get(keys.LEADER), "a leader")
        began = time.monotonic()
        player.create(*resources)
        wanted = {keys.STATE + each.path for each in unaffected}
        deployed.wait(
            lambda: wanted <= {entry.key for entry in deployed.store.list(keys.STATE).entries},
            "the unaffected ones done",
            patience,
        )
        took = time.monotonic() - began
        for each in unaffected:
            state = deployed.state(each.path)
            if state["state"]["worker_state"] != "CREATE_COMPLETED":
                raise AssertionError(f"{each.path}: {state}")
        return took
    finally:
        if player is not None:
            player.close()
        deployed.close()
