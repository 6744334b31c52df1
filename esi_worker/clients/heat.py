"""Heat, through python-heatclient: thin, blocking, translating errors (:mod:`esi_worker.clients.heat_errors`).

Every call ends within the timeouts of :class:`~esi_worker.clients.heat_session.Connection`.  None of them is ever
repeated here: after an :class:`~esi_worker.api.Unreachable` a write may have been applied, and only a look tells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from heatclient import exc as heat_exceptions

from esi_worker import api
from esi_worker.clients import heat_errors
from esi_worker.clients import heat_progress
from esi_worker.clients import heat_session

IN_PROGRESS: Final = "IN_PROGRESS"
COMPLETE: Final = "COMPLETE"
FAILED: Final = "FAILED"


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    """A stack as Heat shows it.

    :ivar status: such as ``CREATE_COMPLETE``: an action and how far it is
    :ivar reason: Heat's ``stack_status_reason``; may quote parameters
    :ivar outputs: Heat's list of ``{output_key, output_value, description}``, as it is
    """

    id: str
    name: str
    status: str
    reason: str = ""
    tags: tuple[str, ...] = ()
    outputs: Sequence[api.JSON] = ()

    @property
    def action(self) -> str:
        """Such as ``CREATE``."""
        return self.status.partition("_")[0]

    @property
    def progress(self) -> str:
        """``IN_PROGRESS``, ``COMPLETE`` or ``FAILED``."""
        return self.status.partition("_")[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a stack should be.

    :ivar template: the text of the template; JSON is YAML too
    :ivar parameters: all of them, without those that are to have the template's default
    :ivar timeout: minutes that Heat takes at most
    :ivar tag: kept by Heat with the stack
    :ivar secrets: values that no message may show
    """

    template: str = dataclasses.field(repr=False)
    parameters: Mapping[str, api.JSON] = dataclasses.field(repr=False)
    timeout: int
    tag: str
    secrets: Sequence[str] = dataclasses.field(default=(), repr=False)

    def fields(self) -> dict[str, Any]:
        """What Heat's API calls it."""
        return {
            "template": self.template,
            "parameters": dict(self.parameters),
            "timeout_mins": self.timeout,
            "tags": self.tag,
            "disable_rollback": True,
        }


class Heat:
    """Heat's stacks, by project and name.

    One object serves all threads.  All methods raise :class:`~esi_worker.api.JobError` as
    :mod:`esi_worker.clients.heat_errors` says.

    :param connection: how to get there
    :param interval: seconds between two questions for all stacks in progress of one project
    :raises ConfigError: if an option is missing
    """

    def __init__(self, connection: heat_session.Connection, interval: float = 1.0) -> None:
        self._sessions = heat_session.Sessions(connection)
        self._board = heat_progress.Board(self.in_progress, interval)

    def find(self, tenant: str, name: str) -> Stack | None:
        """Look a stack up, with its outputs.

        :returns: None where the project has no stack of this name
        :raises PermanentError: if Heat gives a stack of another project
        """
        with heat_errors.translated(f"look up the stack {name}"):
            try:
                shown = self._sessions.of(tenant).stacks.get(name).to_dict()
            except heat_exceptions.HTTPNotFound as error:
                if heat_errors.is_absent(error):
                    return None
                raise
            stack = _read(shown)
            owner = _owner(shown)
        if owner not in ("", tenant):
            raise api.PermanentError(f"the stack {name} belongs to another project: it is left alone")
        return None if stack.status == "DELETE_COMPLETE" else stack

    def create(self, tenant: str, name: str, wanted: Wanted) -> None:
        """Ask for a new stack; the call returns before it is there."""
        with heat_errors.translated(f"create the stack {name}", wanted.secrets):
            answer = self._sessions.of(tenant).stacks.create(stack_name=name, **wanted.fields())
            if not isinstance(answer, dict) or "stack" not in answer:
                raise heat_errors.UnexpectedAnswer("no stack in the answer to a create")
        self._board.note(tenant, name, "CREATE_IN_PROGRESS")

    def update(self, tenant: str, stack: Stack, wanted: Wanted) -> None:
        """Ask for a stack to become what is wanted, with the full template and all parameters."""
        with heat_errors.translated(f"update the stack {stack.name}", wanted.secrets):
            self._sessions.of(tenant).stacks.update(f"{stack.name}/{stack.id}", **wanted.fields())
        self._board.note(tenant, stack.name, "UPDATE_IN_PROGRESS")

    def delete(self, tenant: str, stack: Stack) -> None:
        """Ask for a stack to be deleted; one that is gone is no error."""
        with heat_errors.translated(f"delete the stack {stack.name}"):
            try:
                self._sessions.of(tenant).stacks.delete(f"{stack.name}/{stack.id}")
            except heat_exceptions.HTTPNotFound as error:
                if not heat_errors.is_absent(error):
                    raise
        self._board.note(tenant, stack.name, "DELETE_IN_PROGRESS")

    def in_progress(self, tenant: str) -> Mapping[str, str]:
        """All stacks of a project that are in progress, with one call.

        :returns: name -> status
        """
        with heat_errors.translated("list the stacks in progress"):
            stacks = self._sessions.of(tenant).stacks.list(filters={"status": IN_PROGRESS})
            read = [_read(stack.to_dict()) for stack in stacks]
        # A Heat that knows no such filter lists all.
        return {stack.name: stack.status for stack in read if stack.progress == IN_PROGRESS}

    def template(self, tenant: str, stack: Stack) -> Mapping[str, api.JSON]:
        """The template that Heat has of a stack."""
        with heat_errors.translated(f"read the template of the stack {stack.name}"):
            template = self._sessions.of(tenant).stacks.template(f"{stack.name}/{stack.id}")
            if not isinstance(template, dict):
                raise heat_errors.UnexpectedAnswer("a template that is no object")
        return template

    def progress(self, tenant: str, name: str) -> heat_progress.Progress | None:
        """How a stack is doing, as of the last question for all of them; None if it need not be waited for."""
        return self._board.progress(tenant, name)

    def close(self) -> None:
        """Close all connections."""
        self._sessions.close()


def _read(shown: Any) -> Stack:
    """:raises UnexpectedAnswer: if it is no stack."""
    if not isinstance(shown, dict):
        raise heat_errors.UnexpectedAnswer("a stack that is no object")
    stack_id, name, status = (shown.get(each) for each in ("id", "stack_name", "stack_status"))
    if not all(isinstance(each, str) and each for each in (stack_id, name, status)):
        raise heat_errors.UnexpectedAnswer("a stack without id, stack_name or stack_status")
    tags = shown.get("tags") or ()
    outputs = shown.get("outputs") or ()
    if not isinstance(tags, (list, tuple)) or not isinstance(outputs, (list, tuple)):
        raise heat_errors.UnexpectedAnswer("a stack whose tags or outputs are no list")
    reason = str(shown.get("stack_status_reason") or "")
    return Stack(str(stack_id), str(name), str(status), reason, tuple(map(str, tags)), list(outputs))


def _owner(shown: Mapping[str, Any]) -> str:
    """The project that a stack is in: its ``project`` or, in an older Heat, what its own link says."""
    if isinstance(shown.get("project"), str):
        return str(shown["project"])
    for link in shown.get("links") or ():
        if link.get("rel") == "self":
            before, found, _ = str(link.get("href", "")).partition("/stacks/")
            return before.rpartition("/")[2] if found else ""
    return ""
