"""The stacks of the stand-in for Heat: what they go through, and what a test decides about it."""

from __future__ import annotations

import dataclasses
import datetime
import threading
import uuid
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from esi_worker.testing import hot

Carry = Callable[[str, Mapping[str, Any], Mapping[str, Any]], None]
"""``carry(action, before, after)`` brings about the resources of a stack: name -> (type, properties).  It raises
:class:`StackFailure` with the reason for which the stack fails."""


class StackFailure(Exception):
    """A resource of a stack can't be brought about; the text is Heat's reason."""


class Refused(Exception):
    """A request that Heat refuses.

    :ivar status: of HTTP
    :ivar type: Heat's name for it, such as ``StackExists``
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = kind


@dataclasses.dataclass
class Stack:
    """A stack; guarded by the lock of :class:`Stacks`."""

    tenant: str
    name: str
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    action: str = "CREATE"
    status: str = "COMPLETE"
    reason: str = "Stack CREATE completed successfully"
    template: dict[str, Any] = dataclasses.field(default_factory=dict)
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    tags: list[str] = dataclasses.field(default_factory=list)
    timeout_mins: int | None = None
    resources: dict[str, Any] = dataclasses.field(default_factory=dict)
    outputs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    creation_time: str = dataclasses.field(default_factory=lambda: _now())
    updated_time: str | None = None
    turn: int = 0

    @property
    def stack_status(self) -> str:
        """Such as ``CREATE_COMPLETE``."""
        return f"{self.action}_{self.status}"


class Stacks:
    """All stacks of all projects.

    :ivar delay: seconds that an action takes
    :ivar delays: the same for the stacks of a name
    :ivar outputs: stack name -> the outputs it shows instead of its template's
    :ivar most_in_progress: the most stacks that were in progress at once

    :param carry: brings about what the stand-in carries out in earnest
    """

    def __init__(self, carry: Carry) -> None:
        self.delay = 0.0
        self.delays: dict[str, float] = {}
        self.outputs: dict[str, list[dict[str, Any]]] = {}
        self.most_in_progress = 0
        self._carry = carry
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stacks: dict[tuple[str, str], Stack] = {}
        self._held: dict[str, threading.Event] = {}
        self._failures: dict[tuple[str, str], list[str]] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def hold(self, name: str) -> None:
        """Stacks of this name stay in progress until :meth:`release`."""
        with self._lock:
            self._held.setdefault(name, threading.Event())

    def release(self, name: str) -> None:
        """Let stacks of this name come to their end."""
        with self._lock:
            held = self._held.pop(name, None)
        if held is not None:
            held.set()

    def fail(self, name: str, reason: str, action: str = "CREATE", times: int = 1) -> None:
        """The next such action of a stack of this name fails."""
        with self._lock:
            self._failures.setdefault((name, action), []).extend([reason] * times)

    def put(self, stack: Stack) -> Stack:
        """Have a stack in any state, as if it had been there before."""
        with self._lock:
            self._stacks[stack.tenant, stack.name] = stack
        return stack

    def vanish(self, tenant: str, name: str) -> None:
        """A stack is gone, and nobody here deleted it."""
        with self._lock:
            self._stacks.pop((tenant, name), None)

    def get(self, tenant: str, name_or_id: str) -> Stack | None:
        """A stack of a project."""
        with self._lock:
            by_name = self._stacks.get((tenant, name_or_id))
            return by_name or next((each for each in self.all(tenant) if each.id == name_or_id), None)

    def all(self, tenant: str = "") -> list[Stack]:
        """The stacks of a project, or of all."""
        with self._lock:
            return [stack for stack in self._stacks.values() if tenant in ("", stack.tenant)]

    def wait(self, tenant: str, name: str, stack_status: str, seconds: float = 10.0) -> bool:
        """Wait until a stack has this status; ``""`` waits until it is gone."""

        def there() -> bool:
            stack = self.get(tenant, name)
            return (stack.stack_status if stack else "") == stack_status

        with self._changed:
            return self._changed.wait_for(there, seconds)

    def create(self, tenant: str, name: str, body: Mapping[str, Any]) -> Stack:
        """:raises Refused: as Heat would."""
        with self._lock:
            if (tenant, name) in self._stacks:
                raise Refused(409, "StackExists", f"The Stack ({name}) already exists.")
            stack = Stack(tenant, name)
            resources = self._accept(stack, body)
            self._stacks[tenant, name] = stack
        self._begin(stack, "CREATE", resources)
        return stack

    def update(self, stack: Stack, body: Mapping[str, Any], *, patch: bool = False) -> None:
        """:raises Refused: as Heat would."""
        with self._lock:
            if stack.status == "IN_PROGRESS":
                raise Refused(409, "ActionInProgress", f"Stack {stack.name} already has an action in progress.")
            if stack.action in ("DELETE", "SUSPEND"):
                raise Refused(400, "NotSupported", f"Updating a stack in {stack.stack_status} is not supported.")
            if patch:
                kept = {"template": stack.template, "parameters": stack.parameters}
                body = {**kept, **body, "parameters": {**stack.parameters, **(body.get("parameters") or {})}}
            resources = self._accept(stack, body)
            stack.updated_time = _now()
        self._begin(stack, "UPDATE", resources)

    def delete(self, stack: Stack) -> None:
        """Begin to delete a stack; one that is being deleted goes on being deleted."""
        if stack.stack_status != "DELETE_IN_PROGRESS":
            self._begin(stack, "DELETE", {})

    def stop(self) -> None:
        """End all actions where they are."""
        self._stopping.set()
        with self._lock:
            held, threads = list(self._held.values()), list(self._threads)
        for each in held:
            each.set()
        for thread in threads:
            thread.join(10)

    def _accept(self, stack: Stack, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            template = hot.parse(body.get("template"))
            given = dict(body.get("parameters") or {})
            resolver = hot.Resolver(template, hot.parameters(template, given), stack.id)
            resources = resolver.properties()
        except hot.HotError as error:
            raise Refused(400, "StackValidationFailed", str(error)) from None
        stack.template, stack.parameters = template, given
        stack.tags = [tag for tag in str(body.get("tags") or "").split(",") if tag]
        stack.timeout_mins = body.get("timeout_mins")
        stack.outputs = resolver.outputs()
        return resources

    def _begin(self, stack: Stack, action: str, resources: dict[str, Any]) -> None:
        with self._lock:
            stack.turn += 1
            stack.action, stack.status, stack.reason = action, "IN_PROGRESS", f"Stack {action} started"
            running = sum(each.status == "IN_PROGRESS" for each in self._stacks.values())
            self.most_in_progress = max(self.most_in_progress, running)
            self._changed.notify_all()
            at_once = stack.name not in self._held and not self.delays.get(stack.name, self.delay)
            carried = any(kind in CARRIED for kind, _ in [*resources.values(), *stack.resources.values()])
        if at_once and not carried:
            self._run(stack, action, resources, stack.turn)
            return
        thread = threading.Thread(target=self._run, args=(stack, action, resources, stack.turn), daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _run(self, stack: Stack, action: str, resources: dict[str, Any], turn: int) -> None:
        with self._lock:
            held, failures = self._held.get(stack.name), self._failures.get((stack.name, action))
            failure = failures.pop(0) if failures else ""
            delay = self.delays.get(stack.name, self.delay)
        if held is not None:
            held.wait()
        if self._stopping.wait(delay) if delay else self._stopping.is_set():
            return
        try:
            if failure:
                raise StackFailure(failure)
            self._carry(action, stack.resources, resources)
        except StackFailure as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001  (as Heat does it: whatever a resource raises is the stack's reason)
            failure = f"Resource failed: {type(error).__name__}: {error}"
        with self._changed:
            if stack.turn != turn:
                return  # another action has taken its place
            self._end(stack, action, failure)
            if not failure:
                stack.resources = resources
            elif action != "DELETE":
                stack.resources = {**stack.resources, **resources}
            self._changed.notify_all()

    def _end(self, stack: Stack, action: str, failure: str) -> None:
        stack.status = "FAILED" if failure else "COMPLETE"
        stack.reason = failure or f"Stack {action} completed successfully"
        if action == "DELETE" and not failure and self._stacks.get((stack.tenant, stack.name)) is stack:
            del self._stacks[stack.tenant, stack.name]


CARRIED = frozenset({"OS::Contrail::NetconfNamedConfigs"})
"""The types of resources that are carried out in earnest."""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
