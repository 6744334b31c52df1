"""The handler ``monitoring_worker``: waits until a resource's targets are as wanted, and registers them.

Its template renders to target name -> properties, ``type`` (the probe) among them.  The targets are registered for the
collector in the finishing transaction, as ``{"version": N, "targets": {name: properties}}`` with
``{"secret": reference}`` in the place of each secret.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import Final

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api

LOG = logging.getLogger(__name__)

_FIRST_LOOK: Final = 0.1
_GRACE: Final = 0.1
"""Seconds between the claim and its measured beginning that don't make a reading an old one."""


class MonitoringWorker(api.Handler):
    """Waits without holding a thread; knows no protocol: that is the probes' matter."""

    options: ClassVar[Sequence[cfg.Opt]] = (
        cfg.FloatOpt(
            "poll_interval",
            default=1.0,
            min=0.05,
            help="Seconds between two looks at targets that a job waits for; the first looks come sooner.",
        ),
    )
    order = 200
    torn_down_before_modify = True
    record_kind = "targets"

    def apply(self, job: api.Job, context: api.Context) -> api.Done | api.Again:
        """Wait until each target is as it is wanted, then register all of them.

        :raises PermanentError: if the template gives no targets that can be used, or the time of one is over
        """
        declared = _declared(job, context.render(context.params))
        if not declared:
            return api.Done({"state_monitoring": {}}, record=None)
        targets = [context.monitor.parse(name, properties) for name, properties in declared.items()]
        record = {"version": job.version, "targets": _without_secrets(declared, context)}
        # A session that comes up does so soon or late: look often at first, then at the usual pace.
        pause = min(self.settings.options.poll_interval, max(_FIRST_LOOK, context.elapsed / 10))
        readings = context.monitor.observe(targets, pause)
        waiting = [each for each in targets if not _as_wanted(each, readings[each.name], context.elapsed)]
        if not waiting:
            status = {each.name: readings[each.name].status for each in targets}
            if any(each.trusted for each in readings.values()):
                record["trusted"] = True
            return api.Done({"state_monitoring": status}, record=record)
        if overdue := [each for each in waiting if context.elapsed >= each.timeout]:
            raise api.PermanentError("; ".join(_complaint(each, readings[each.name]) for each in overdue))
        return api.Again(pause)

    def remove(self, job: api.Job, context: api.Context) -> api.Done:
        """Unregister the targets; devices are not asked."""
        return api.Done(record=None)


def _declared(job: api.Job, document: api.JSON) -> dict[str, Mapping[str, Any]]:
    """Target name -> properties, as the template declares them.

    :raises PermanentError: naming what is wrong
    """
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise api.PermanentError("the monitoring template must render to a mapping of target names to properties")
    declared: dict[str, Mapping[str, Any]] = {}
    for name, properties in document.items():
        if not isinstance(properties, Mapping):
            # Deployments keep other things in these templates too, meant for other readers.
            LOG.info("%s: %s in the monitoring template is no target: it has no properties", job.job_name, name)
        elif not isinstance(properties.get("type"), str):
            raise api.PermanentError(f"target {name}: type is missing")
        else:
            declared[str(name)] = properties
    return declared


def _as_wanted(target: api.Target, reading: api.Reading, elapsed: float) -> bool:
    """Whether the device says what is wanted, and said so after the job began.

    What is known from before may be of the configuration before.
    """
    if reading.status is None or reading.status.casefold() != target.wanted_status.casefold():
        return False
    return not reading.at or time.monotonic() - reading.at <= elapsed + _GRACE


def _complaint(target: api.Target, reading: api.Reading) -> str:
    seen = f"last seen {reading.status}" if reading.status is not None else _silence(reading)
    return f"target {target.name}: wanted {target.wanted_status} within {target.timeout:g} s, {seen}"


def _silence(reading: api.Reading) -> str:
    return f"there was no answer: {reading.error}" if reading.error else "there was no answer"


def _without_secrets(declared: Mapping[str, Mapping[str, Any]], context: api.Context) -> dict[str, Any]:
    return {
        name: {key: _referred(value, f"{key} of target {name}", context) for key, value in properties.items()}
        for name, properties in declared.items()
    }


def _referred(value: api.JSON, where: str, context: api.Context) -> api.JSON:
    """The value, with a reference in the place of each secret.

    :raises PermanentError: where a secret is within a longer text
    """
    if isinstance(value, Mapping):
        return {key: _referred(each, where, context) for key, each in value.items()}
    if isinstance(value, list):
        return [_referred(each, where, context) for each in value]
    if not context.is_secret(value):
        return value
    reference = context.reference(value)
    if reference is None:
        raise api.PermanentError(
            f"{where} holds a secret within a longer text, or one of no resource that the template refers to: a secret "
            "must be a property of its own"
        )
    return {"secret": dict(reference)}
