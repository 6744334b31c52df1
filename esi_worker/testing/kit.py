"""What the conformance tests have in common: advice, canaries, and traps for what a plug-in must not do."""

from __future__ import annotations

import builtins
import contextlib
import io
import logging
import random
import socket
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from unittest import mock

from esi_worker import api
from esi_worker import plugin_checks
from esi_worker import redaction
from esi_worker.store import codec


def advice(seen: str, change: str) -> str:
    """The text of a failure.

    :param seen: what the plug-in did
    :param change: what its author should change
    """
    return f"{seen}\n  -> {change}"


def job(
    handler: str,
    ref: api.Ref,
    params: Mapping[str, api.JSON] | None = None,
    *,
    action: str = api.CREATE,
    version: int = 1,
    body: Mapping[str, api.JSON] | None = None,
) -> api.Job:
    """A job as the job manager writes it, for a workflow of one.

    :param params: name -> value
    :param body: of the config document
    """
    return api.Job(
        id=f"{action}:{handler}:{ref}:{version}:tests",
        handler=handler,
        action=action,
        resource_type=ref.resource_type,
        resource_id=ref.resource_id,
        version=version,
        params=tuple(api.Param(name, api.VALUE, value) for name, value in (params or {}).items()),
        resource_input={"id": ref.resource_id, **(body or {})},
    )


def shape(group: str, name: str, plugin: type) -> str:
    """Why the daemon would refuse a plug-in at its start; empty if it wouldn't."""
    reasons = list(plugin_checks.problems(group, name, plugin))
    if not reasons:
        return ""
    return advice(
        f"esi-worker would refuse {plugin.__name__}: {'; '.join(reasons)}",
        f"compare it with the base class in esi_worker.api; 'esictl plugins check' says the same of {group}",
    )


def not_json(value: object) -> str:
    """Why a value is not the same after it went through etcd; empty if it is."""
    try:
        back = codec.decode(codec.encode(value))
    except api.DocumentError as error:
        return str(error)
    if back != value:
        return f"{value!r} comes back from JSON as {back!r}"
    return ""


def canary() -> str:
    """A secret that can be told from all other text; it is also good base64."""
    return "canary" + "".join(random.choice(string.ascii_letters + string.digits) for _ in range(26))


def planted(document: api.JSON, secret: str) -> api.JSON:
    """A copy in which each text under a secret name is the secret."""
    if isinstance(document, Mapping):
        return {
            name: secret if redaction.is_secret_name(str(name)) and isinstance(member, str) else planted(member, secret)
            for name, member in document.items()
        }
    if isinstance(document, list):
        return [planted(member, secret) for member in document]
    return document


def shown(secrets: Collection[str], texts: Mapping[str, object]) -> str:
    """Where one of these secrets shows; empty if nowhere.

    :param texts: what it is -> the text, or what has a text
    """
    for what, text in texts.items():
        if any(secret in str(text) for secret in secrets):
            return what
    return ""


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextlib.contextmanager
def log_lines() -> Iterator[list[str]]:
    """All that is logged meanwhile, at whatever level."""
    root, handler = logging.getLogger(), _Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


@contextlib.contextmanager
def sleeps(plugin: type) -> Iterator[list[float]]:
    """The seconds for which a plug-in's own code sleeps meanwhile, in this thread; what it calls may sleep."""
    package, thread, real = plugin.__module__.partition(".")[0], threading.get_ident(), time.sleep
    found: list[float] = []

    def sleep(seconds: float) -> None:
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))
        if threading.get_ident() == thread and caller.partition(".")[0] == package:
            found.append(seconds)
        else:
            real(seconds)

    with mock.patch.object(time, "sleep", sleep):
        yield found


class Forbidden(Exception):
    """A plug-in did what it must not; the text names it."""


@contextlib.contextmanager
def no_io() -> Iterator[None]:
    """Whoever opens a file, a connection or a process meanwhile, in this thread, gets :class:`Forbidden`."""
    thread = threading.get_ident()

    def trap(real: Callable[..., Any], what: str) -> Callable[..., Any]:
        def trapped(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread:
                raise Forbidden(what)
            return real(*args, **kwargs)

        return trapped

    with (
        mock.patch.object(builtins, "open", trap(builtins.open, "opens a file")),
        mock.patch.object(io, "open", trap(io.open, "opens a file")),
        mock.patch.object(socket.socket, "connect", trap(socket.socket.connect, "opens a connection")),
        mock.patch.object(subprocess.Popen, "__init__", trap(subprocess.Popen.__init__, "starts a process")),
    ):
        yield
