"""What a handler is: the plug-in that brings a job about.  Entry point group ``esi_worker.handlers``."""

from __future__ import annotations

import abc
import threading
from collections.abc import Mapping
from collections.abc import Sequence
from typing import ClassVar
from typing import Protocol

from oslo_config import cfg

from esi_worker.api import probe
from esi_worker.api import settings as api_settings
from esi_worker.api import types


class Context(Protocol):
    """What a handler is given beside the job."""

    @property
    def params(self) -> Mapping[str, types.JSON]:
        """Name -> value, with secrets and other resources' outputs resolved."""

    @property
    def tenant_id(self) -> str:
        """The project of the resource: its body's ``tenant_id``, empty where it has none."""

    @property
    def record(self) -> Mapping[str, types.JSON] | None:
        """The handler's own record of the resource, as the last finishing transaction wrote it."""

    @property
    def elapsed(self) -> float:
        """Seconds since this worker claimed the job."""

    @property
    def attempts(self) -> int:
        """How many attempts ended in a temporary error before."""

    @property
    def monitor(self) -> probe.Monitor:
        """Reads the status of targets through the installed probes, without blocking."""

    @property
    def stopping(self) -> threading.Event:
        """Set when the worker is about to stop: return soon."""

    def confirm(self) -> None:
        """Make sure that the job is still this worker's: call it right before each change of the outside world.

        A process that stood still may come back when others have done its job, and undone it: what it was about to do
        would be nobody's.

        :raises TemporaryError: if somebody else may have the job by now; let it through
        """

    def render(self, variables: Mapping[str, types.JSON]) -> types.JSON:
        """Render the job's template and read the result as YAML.

        Strings stay strings whatever they hold: a variable can neither change the document's structure nor its
        own type.

        :param variables: what the template may use; anything else in it is an error
        :returns: the document; None where the template renders to nothing
        :raises PermanentError: naming the template and what is wrong with it
        """

    def reference(self, value: str) -> Mapping[str, str] | None:
        """Where a secret value comes from: ``{resource_type, resource_id, field}``, to be kept instead of it.

        :param value: the value of one of the secret params
        :returns: None where it is in no document that the job's params passed
        """

    def is_secret(self, value: types.JSON) -> bool:
        """Whether a secret param has this value, or holds it in a longer text."""


class Handler(abc.ABC):
    """Brings a job about in the outside world.

    One instance serves all threads and keeps nothing about a job on itself.  Both verbs are called until they
    return :class:`~esi_worker.api.Done`, perhaps by another process after a crash: they look first and do only what
    is missing, and confirm that the job is theirs before they do it (:meth:`Context.confirm`).

    :cvar options: oslo.config options, in the group named like the entry point
    :cvar order: place in a workflow: 100 heat_worker, 200 monitoring_worker; torn down in reverse
    :cvar torn_down_before_modify: whether a modify deletes before and creates after (as monitoring does) instead
        of modifying
    :cvar record_kind: the record's key is ``/esi-worker/<record_kind>/<P>``; the entry point's name when empty
    """

    options: ClassVar[Sequence[cfg.Opt]] = ()
    order: ClassVar[int] = 1000
    torn_down_before_modify: ClassVar[bool] = False
    record_kind: ClassVar[str] = ""

    def __init__(self, settings: api_settings.Settings) -> None:
        self.settings = settings

    def lane(self, job: types.Job) -> str:
        """The outside system that the job needs: one in trouble must not take the slots that others need.

        :returns: a name, such as that of a project or a device
        """
        return ""

    @abc.abstractmethod
    def apply(self, job: types.Job, context: Context) -> types.Done | types.Again:
        """Bring about what a create or a modify asks for.

        :raises JobError: temporary or permanent
        """

    @abc.abstractmethod
    def remove(self, job: types.Job, context: Context) -> types.Done | types.Again:
        """Take down what a delete or a logical_delete names; what is not there is done.

        :raises JobError: temporary or permanent
        """

    def close(self) -> None:  # noqa: B027  (a handler without connections has nothing to close)
        """Called once when the worker stops."""
