"""A context to call a handler with, and the settings to make one: for tests of a handler on its own."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_config import cfg

from esi_worker import api
from esi_worker import redaction


class StandInMonitor:
    """A monitor without probes: what it says of targets is what a test puts into ``readings``.

    :param readings: target name -> reading
    """

    def __init__(self, readings: Mapping[str, api.Reading] | None = None) -> None:
        self.readings = dict(readings or {})

    def parse(self, name: str, properties: Mapping[str, api.JSON]) -> api.Target:
        """A target that asks what its properties say."""
        device = api.Device(str(properties.get("host", "127.0.0.1")), int(properties.get("port", 0)))
        question = {key: value for key, value in properties.items() if key not in ("type", "host", "port")}
        return api.Target(name, str(properties.get("type", "")), device, question)

    def observe(self, targets: Sequence[api.Target], interval: float) -> Mapping[str, api.Reading]:
        """What a test put into ``readings``."""
        return {target.name: self.readings.get(target.name, api.Reading(None)) for target in targets}

    def published(self, target: api.Target, reading: api.Reading) -> str:
        """As the built-in probes do it."""
        return "FAIL" if reading.status is None else reading.status.upper()


@dataclasses.dataclass
class StandInContext:
    """An :class:`~esi_worker.api.Context` whose every part a test sets.

    :ivar document: what :meth:`render` gives: a document, or a function of the variables
    :ivar secrets: the values of secret params
    :ivar references: secret value -> where it comes from
    :ivar rendered: the variables of every call to :meth:`render`
    :ivar claimed: whether the job is still this worker's
    """

    params: Mapping[str, api.JSON] = dataclasses.field(default_factory=dict)
    tenant_id: str = "project"
    record: Mapping[str, api.JSON] | None = None
    elapsed: float = 0.0
    attempts: int = 0
    monitor: api.Monitor = dataclasses.field(default_factory=StandInMonitor)
    stopping: threading.Event = dataclasses.field(default_factory=threading.Event)
    document: api.JSON | Callable[[Mapping[str, api.JSON]], api.JSON] = None
    secrets: frozenset[str] = frozenset()
    references: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    rendered: list[Mapping[str, api.JSON]] = dataclasses.field(default_factory=list)
    claimed: bool = True

    def confirm(self) -> None:
        """:raises TemporaryError: if ``claimed`` is false."""
        if not self.claimed:
            raise api.TemporaryError("the worker's lease was lost: somebody else may have the job by now")

    def render(self, variables: Mapping[str, api.JSON]) -> api.JSON:
        """The document; the variables are kept for a test to look at."""
        self.rendered.append(variables)
        return self.document(variables) if callable(self.document) else self.document

    def reference(self, value: str) -> Mapping[str, str] | None:
        """As ``references`` says."""
        return self.references.get(value)

    def is_secret(self, value: api.JSON) -> bool:
        """Whether it is one of ``secrets``, holds one, or is the value of a param with a secret name."""
        known = self.secrets.union(redaction.secret_values(dict(self.params)))
        return isinstance(value, str) and any(secret in value for secret in known)


def settings(plugin: type[api.Handler] | type[api.Probe], name: str, **options: api.JSON) -> api.Settings:
    """The settings of one plug-in.

    :param plugin: whose options there are
    :param name: its entry point's name
    :param options: the values of its options; the others have their defaults
    """
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    conf.register_opts(list(plugin.options), group=name)
    for option, value in options.items():
        conf.set_override(option, value, group=name)
    return api.Settings(conf, name)
