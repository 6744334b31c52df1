"""Checks of one call of a handler: what it raised, what it returned, what it kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esi_worker import api
from esi_worker.testing import kit


class Broken(AssertionError):
    """The handler did what no handler must do; the text has the advice."""


def guarded(verb: Callable[..., Any], name: str, job: api.Job, context: api.Context) -> object:
    """Call a handler's method; :returns: what it returned.

    :raises JobError: what it raised
    :raises Broken: if it raised anything else, or an error that operators can't read
    """
    try:
        return verb(job, context)
    except api.JobError as error:
        _check_error(error, name)
        raise
    except OSError as error:
        raise Broken(
            kit.advice(
                f"{name} let {type(error).__name__} through: {error}",
                "catch it where you talk to the other side and raise api.Unreachable(message, detail): then it is "
                "tried again and the operator reads your message; as it is they read 'internal error'",
            )
        ) from error
    except Exception as error:
        raise Broken(
            kit.advice(
                f"{name} let {type(error).__name__} through: {error}",
                "raise api.PermanentError(message) for what another attempt can't mend, api.TemporaryError for the "
                "rest; anything else counts as a bug of the plug-in",
            )
        ) from error


def _check_error(error: api.JobError, verb: str) -> None:
    message: Any = error.message
    if not isinstance(message, str) or not message.strip() or "Traceback" in message:
        raise Broken(
            kit.advice(
                f"{verb} raised {type(error).__name__} with the message {message!r}",
                "the message is what operators read in /state: one sentence; details go to the second argument",
            )
        )


def check_json(answer: api.Done, verb: str) -> None:
    """:raises Broken: if the result or the record can't be written to etcd."""
    for what, value in (("result", answer.result), ("record", answer.record)):
        if value is api.KEEP or (what == "record" and value is None):
            continue
        if not isinstance(value, dict):
            raise Broken(
                kit.advice(
                    f"the {what} of {verb} is {type(value).__name__}: {value!r:.80}",
                    f"api.Done's {what} is a dict of JSON values",
                )
            )
        if reason := kit.not_json(value):
            raise Broken(
                kit.advice(
                    f"the {what} of {verb} is not JSON: {reason}",
                    "it is written to etcd: use dict with str keys, list, str, int, float, bool and None only",
                )
            )


def check_nothing_kept(handler: api.Handler, job: api.Job, context: api.Context) -> None:
    """:raises Broken: if the handler has the job, its id, or its context on itself."""
    for name, value in getattr(handler, "__dict__", {}).items():
        if name == "settings":
            continue
        members = [value, *_members(value)]
        if any(each is job or each is context or each is context.params or _is(each, job.id) for each in members):
            raise Broken(
                kit.advice(
                    f"the handler keeps the job on itself, in self.{name}",
                    "one handler serves all threads, and the next call may come in another process: read job and "
                    "context anew at each call, and look at the outside world for how far it is",
                )
            )


def _members(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else []


def _is(value: object, text: str) -> bool:
    return isinstance(value, str) and value == text
