"""What the tests of heat_worker share: the stand-in for Heat, handlers, and jobs."""

from __future__ import annotations

import dataclasses
import time
import unittest
from collections.abc import Callable
from typing import Any

from esi_worker import api
from esi_worker.handlers import heat_worker
from esi_worker.testing import context as stand_in
from esi_worker.testing import heat

TENANT = "0a0b0c"
NAME = "port_p1"
PASSWORD = "canary-7391"
STACKS = f"/v1/{TENANT}/stacks"
SHOW = f"{STACKS}/{NAME}/[^/]+"

TEMPLATE = {
    "heat_template_version": "2013-05-23",
    "description": "a port",
    "parameters": {
        "name": {"type": "string"},
        "mtu": {"type": "number", "default": 1500},
        "device_password": {"type": "string", "default": "", "hidden": True},
    },
    "resources": {
        "port": {
            "type": "OS::Test::Port",
            "properties": {"name": {"get_param": "name"}, "mtu": {"get_param": "mtu"}},
        }
    },
    "outputs": {"name": {"description": "its name", "value": {"get_attr": ["port", "name"]}}},
}
OUTPUTS = [{"output_key": "name", "output_value": "one", "description": "its name"}]


def job(action: str = api.CREATE, version: int = 1, suffix: str = "abcde", resource_id: str = "p1") -> api.Job:
    return api.Job(
        id=f"{action}:heat_worker:port:{resource_id}:{version}:{suffix}",
        handler="heat_worker",
        action=action,
        resource_type="port",
        resource_id=resource_id,
        version=version,
        resource_input={"tenant_id": TENANT},
    )


class HeatCase(unittest.TestCase):
    """A stand-in for Heat and handlers that go to it."""

    def setUp(self) -> None:
        self.server = heat.HeatServer()
        self.server.start()
        self.addCleanup(self.server.stop)
        self.stacks = self.server.stacks

    def worker(self, **options: Any) -> heat_worker.HeatWorker:
        options = {"endpoint": self.server.endpoint, "poll_interval": 0.02, "timeout": 5.0, **options}
        worker = heat_worker.HeatWorker(stand_in.settings(heat_worker.HeatWorker, "heat_worker", **options))
        self.addCleanup(worker.close)
        return worker

    def context(self, **fields: Any) -> stand_in.StandInContext:
        params = {"name": "one", "device_password": PASSWORD, **fields.pop("params", {})}
        return stand_in.StandInContext(params=params, tenant_id=TENANT, document=TEMPLATE, **fields)

    def settle(
        self,
        job: api.Job,
        context: stand_in.StandInContext,
        worker: Callable[[], heat_worker.HeatWorker],
        *,
        forgive: int = 0,
    ) -> api.Done:
        """Do what the worker stage does with a job, until it is done.

        :param worker: gives the handler for each call
        :param forgive: how many temporary errors may come
        """
        began = time.monotonic()
        while time.monotonic() < began + 15:
            try:
                handler = worker()
                outcome = handler.remove(job, context) if job.removes else handler.apply(job, context)
            except api.TemporaryError:
                if context.attempts >= forgive:
                    raise
                context = dataclasses.replace(context, attempts=context.attempts + 1)
                continue
            if isinstance(outcome, api.Done):
                return outcome
            context.stopping.wait(outcome.delay)
            context = dataclasses.replace(context, elapsed=time.monotonic() - began)
        raise AssertionError(f"{job.id} did not come to its end")

    def done(self, action: str = api.CREATE, version: int = 1, **fields: Any) -> api.Done:
        worker = self.worker()
        return self.settle(job(action, version), self.context(**fields), lambda: worker)

    def stack(self) -> heat.Stack:
        stack = self.stacks.get(TENANT, NAME)
        assert stack is not None
        return stack

    def writes(self) -> list[str]:
        return [call.method for call in self.server.calls if call.method != "GET"]
