"""Carries out ``OS::Contrail::NetconfNamedConfigs`` in earnest: configures routers over NETCONF, through ncclient.

Each entry of ``configs`` is a text and the path it goes to, the outermost element first.  As Junos shows it, an
element of the path is its tag (``config_type: tag``), its tag and its name (``named_tag``) or its name alone
(``name``)::

    interfaces { lt-0/0/0 { unit 1025 { peer-unit 2025; } } }
"""

from __future__ import annotations

import collections
import contextlib
import ipaddress
import textwrap
import threading
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from ncclient import manager
from ncclient import NCClientError
from ncclient import operations

from esi_worker.testing import heat_stacks

TYPE: Final = "OS::Contrail::NetconfNamedConfigs"

_LOCK_PATIENCE: Final = 30.0
_LOCK_INTERVAL: Final = 0.1
_REQUIRED: Final = ("device_ip", "port", "username", "password", "configs")

Path = tuple[str, ...]
"""The elements of a path, as they stand in Junos text."""


def paths(properties: Mapping[str, Any]) -> dict[Path, str]:
    """The configs of a resource.

    :returns: path -> text; the texts of one path are put together
    :raises StackFailure: naming what is wrong with them
    """
    found: dict[Path, str] = {}
    for entry in properties.get("configs") or ():
        try:
            path = tuple(_element(each) for each in entry["path"])
            text = textwrap.dedent(str(entry.get("config") or "")).strip()
        except (KeyError, TypeError, AttributeError) as error:
            raise heat_stacks.StackFailure(f"Property error: configs: {error!r}") from None
        if not path:
            raise heat_stacks.StackFailure("Property error: configs: a path is empty")
        found[path] = "\n".join(filter(None, (found.get(path, ""), text)))
    return found


def _element(element: Mapping[str, Any]) -> str:
    kind = element["config_type"]
    if kind == "tag":
        return str(element["tag"]).strip()
    name = str(element["name"]).strip()
    return name if kind == "name" else f"{str(element['tag']).strip()} {name}"


def merging(path: Path, text: str) -> str:
    """Junos text that puts a text at a path."""
    *outer, last = path
    body = f"{last} {{\n{textwrap.indent(text, '    ')}\n}}" if text else f"{last};"
    return _nested(outer, body)


def deleting(path: Path) -> str:
    """Junos text that deletes what is at a path."""
    *outer, last = path
    return _nested(outer, f"delete: {last};")


def _nested(outer: Sequence[str], body: str) -> str:
    for name in reversed(outer):
        body = f"{name} {{\n{textwrap.indent(body, '    ')}\n}}"
    return body


def check(action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check the properties of all such resources, and configure nothing.

    :raises StackFailure: naming the resource and the property
    """
    for name, (kind, properties) in after.items():
        if kind == TYPE:
            for required in _REQUIRED:
                if properties.get(required) in (None, ""):
                    raise heat_stacks.StackFailure(f"Property error: resources.{name}: {required} not assigned")
            paths(properties)


class Devices:
    """Configures routers for stacks, one transaction per resource.

    :param endpoints: ``<ip>:<port>`` of a device -> ``<host>:<port>`` to connect to instead
    :param timeout: seconds for connecting and for each answer
    """

    def __init__(self, endpoints: Mapping[str, str] | None = None, timeout: float = 10.0) -> None:
        self._endpoints = dict(endpoints or {})
        self._timeout = timeout
        self._locks: collections.defaultdict[str, threading.Lock] = collections.defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def carry(self, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Bring the routers from what a stack had to what it is to have.

        :raises StackFailure: with the resource, the router and what it says
        """
        check(action, before, after)
        for name in {**before, **after}:
            old, new = _properties(before, name), _properties(after, name)
            target = new or old
            if target is None:
                continue
            had, gets = paths(old or {}), paths(new or {})
            texts = [deleting(path) for path in had if gets.get(path) != had[path]]
            # All of it, also what has not changed: the update before this one may have failed half-way.
            texts += [merging(path, text) for path, text in gets.items()]
            if texts:
                self._configure(name, target, texts)

    def _configure(self, name: str, target: Mapping[str, Any], texts: Iterable[str]) -> None:
        device = f"{target['device_ip']}:{target['port']}"
        with self._guard:
            lock = self._locks[device]
        try:
            with lock, self._connected(device, target) as session, _locked(session):
                # A warning, as for the deletion of what is not there, is no failure.
                session.raise_mode = operations.RaiseMode.ERRORS
                for text in texts:
                    session.load_configuration(action="merge", format="text", config=text)
                session.commit()
        except (NCClientError, OSError, ValueError) as error:
            reason = f"Resource failed: {type(error).__name__}: resources.{name}: {device}: {error}"
            raise heat_stacks.StackFailure(reason.replace(str(target["password"]), "***")) from None

    def _connected(self, device: str, target: Mapping[str, Any]) -> Any:
        host, _, port = self._endpoints.get(device, device).rpartition(":")
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            # A stand-in must never reach out to what may be somebody's router.
            raise ConnectionRefusedError("there is no stand-in for this device")
        return manager.connect(
            host=host,
            port=int(port),
            username=str(target["username"]),
            password=str(target["password"]),
            timeout=self._timeout,
            hostkey_verify=False,  # these are stand-ins
            allow_agent=False,
            look_for_keys=False,
            device_params={"name": "junos"},
        )


def _properties(resources: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    kind, properties = resources.get(name, ("", {}))
    return properties if kind == TYPE else None


@contextlib.contextmanager
def _locked(session: Any) -> Iterator[None]:
    """Hold the lock of the candidate; somebody else may have it for a while.  What fails is discarded."""
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            session.lock("candidate")
            break
        except operations.RPCError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOCK_INTERVAL)
    try:
        yield
    except BaseException:
        with contextlib.suppress(NCClientError):
            session.discard_changes()
        raise
    finally:
        with contextlib.suppress(NCClientError):
            session.unlock("candidate")
