"""A stand-in for Heat: its HTTP API on loopback, real enough for python-heatclient."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker.testing import heat_devices
from esi_worker.testing import heat_stacks
from esi_worker.testing import hot
from esi_worker.testing import http_faults
from esi_worker.testing import http_server

_PATH: Final = re.compile(r"/v1/(?P<tenant>[^/]+)/stacks(?:/(?P<name>[^/]+))?(?P<rest>(?:/[^/]+)*)")
_HIDDEN: Final = "******"


class HeatServer(http_server.HttpServer):
    """Heat, as far as stacks go::

        with heat.HeatServer() as server:
            server.stacks.hold("port_1")
            server.faults.add("lose", "POST", "/stacks$")
            ...

    :ivar stacks: the stacks, and what a test decides about them
    :ivar faults: what goes wrong with requests

    :param devices: carries out ``OS::Contrail::NetconfNamedConfigs``; None only checks them
    :param project_of: ``project_of(token)`` gives the project that a token is for; without it every token is good
    """

    def __init__(
        self,
        devices: heat_devices.Devices | None = None,
        project_of: Callable[[str], str | None] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.stacks = heat_stacks.Stacks(devices.carry if devices else heat_devices.check)
        self._project_of = project_of

    @property
    def endpoint(self) -> str:
        """What goes into a configuration: the endpoint with ``%(tenant_id)s`` in it."""
        return f"{self.url}/v1/%(tenant_id)s"

    @property
    def lists(self) -> int:
        """How many list calls there were."""
        return self.count("GET", "/v1/[^/]+/stacks")

    def stop(self) -> None:
        """Cut all connections and end all actions."""
        super().stop()
        self.stacks.stop()

    def answer(self, call: http_faults.Call) -> http_faults.Reply:
        """Heat's answer."""
        found = _PATH.fullmatch(call.path)
        if found is None:
            return _fault(404, "HTTPNotFound", "The resource could not be found.")
        tenant, name = found["tenant"], found["name"]
        if self._project_of is not None:
            project = self._project_of(_header(call, "X-Auth-Token"))
            if project is None:
                return _fault(401, "HTTPUnauthorized", "Authentication required")
            if project != tenant:
                return _fault(403, "Forbidden", "You are not authorized to use global_index.")
        try:
            if name is None:
                return self._collection(call, tenant)
            return self._stack(call, tenant, name, found["rest"])
        except heat_stacks.Refused as error:
            return _fault(error.status, error.type, str(error))

    def _collection(self, call: http_faults.Call, tenant: str) -> http_faults.Reply:
        if call.method == "POST":
            body = call.body or {}
            name = str(body.get("stack_name", ""))
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,254}", name):
                raise heat_stacks.Refused(400, "StackValidationFailed", f"Invalid stack name {name}")
            stack = self.stacks.create(tenant, name, body)
            return http_faults.Reply(201, {"stack": {"id": stack.id, "links": self._links(stack)}})
        if call.method != "GET":
            return _fault(405, "HTTPMethodNotAllowed", "The method is not allowed for this resource.")
        stacks = [stack for stack in self.stacks.all(tenant) if _fits(stack, call.query)]
        ids = [stack.id for stack in stacks]
        if call.query.get("marker") in ids:
            stacks = stacks[ids.index(call.query["marker"]) + 1 :]
        if call.query.get("limit"):
            stacks = stacks[: int(call.query["limit"])]
        return http_faults.Reply(200, {"stacks": [self._brief(stack) for stack in stacks]})

    def _stack(self, call: http_faults.Call, tenant: str, name: str, rest: str) -> http_faults.Reply:
        stack = self.stacks.get(tenant, name)
        stack_id, _, what = rest.lstrip("/").partition("/")
        if not stack_id and stack is not None:
            # Heat sends a client that knows the name only on to name and id.
            return http_faults.Reply(302, None, {"Location": f"{self._self(stack)}"})
        if stack is None or (stack.id != stack_id and name != stack.id):
            raise heat_stacks.Refused(404, "EntityNotFound", f"The Stack ({name}) could not be found.")
        if call.method in ("PUT", "PATCH") and not what:
            self.stacks.update(stack, call.body or {}, patch=call.method == "PATCH")
            return http_faults.Reply(202)
        if call.method == "DELETE" and not what:
            self.stacks.delete(stack)
            return http_faults.Reply(204)
        return self._read(stack, what)

    def _read(self, stack: heat_stacks.Stack, what: str) -> http_faults.Reply:
        outputs = self.stacks.outputs.get(stack.name, stack.outputs)
        if what == "template":
            return http_faults.Reply(200, stack.template)
        if what == "outputs":
            brief = [{key: each.get(key) for key in ("output_key", "description")} for each in outputs]
            return http_faults.Reply(200, {"outputs": brief})
        if what.startswith("outputs/"):
            for each in outputs:
                if each["output_key"] == what.removeprefix("outputs/"):
                    return http_faults.Reply(200, {"output": each})
        if what:
            raise heat_stacks.Refused(404, "EntityNotFound", f"No {what} of the stack could be found.")
        # Heat has the outputs of a stack only when it is at rest.
        shown = [] if stack.status == "IN_PROGRESS" else outputs
        more = {"parameters": _shown_parameters(stack), "outputs": shown, "disable_rollback": True}
        more.update(timeout_mins=stack.timeout_mins, capabilities=[], notification_topics=[])
        return http_faults.Reply(200, {"stack": {**self._brief(stack), **more}})

    def _brief(self, stack: heat_stacks.Stack) -> dict[str, Any]:
        return {
            "id": stack.id,
            "stack_name": stack.name,
            "stack_status": stack.stack_status,
            "stack_status_reason": stack.reason,
            "description": stack.template.get("description", "No description"),
            "creation_time": stack.creation_time,
            "updated_time": stack.updated_time,
            "deletion_time": None,
            "tags": stack.tags or None,
            "project": stack.tenant,
            "parent": None,
            "stack_owner": None,
            "links": self._links(stack),
        }

    def _self(self, stack: heat_stacks.Stack) -> str:
        return f"{self.url}/v1/{stack.tenant}/stacks/{stack.name}/{stack.id}"

    def _links(self, stack: heat_stacks.Stack) -> list[dict[str, str]]:
        return [{"rel": "self", "href": self._self(stack)}]


def _fits(stack: heat_stacks.Stack, query: Mapping[str, str]) -> bool:
    facts = {"name": stack.name, "status": stack.status, "action": stack.action, "id": stack.id}
    return all(query.get(name, fact) == fact for name, fact in facts.items())


def _shown_parameters(stack: heat_stacks.Stack) -> dict[str, str]:
    pseudo = {"OS::stack_id": stack.id, "OS::stack_name": stack.name, "OS::project_id": stack.tenant}
    given = {
        name: _HIDDEN if hot.hidden(stack.template, name) else str(value) for name, value in stack.parameters.items()
    }
    return {**pseudo, **given}


def _header(call: http_faults.Call, name: str) -> str:
    return next((value for key, value in call.headers.items() if key.lower() == name.lower()), "")


def _fault(status: int, kind: str, message: str) -> http_faults.Reply:
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
    error = {"type": kind, "message": message, "traceback": None}
    body = {"code": status, "title": titles.get(status, "Error"), "explanation": message, "error": error}
    return http_faults.Reply(status, body)
