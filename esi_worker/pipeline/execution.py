"""One call of a handler: what it is given, and what its answer means."""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker import logs
from esi_worker import redaction
from esi_worker.clients import rendering
from esi_worker.pipeline import outcome

LOG = logging.getLogger(__name__)

Fetch = Callable[[str, api.Ref], Mapping[str, api.JSON] | None]
"""``fetch(kind, ref)``: another resource's document: kind ``config`` gives its body, ``heat_stacks`` its stack."""


@dataclasses.dataclass(frozen=True)
class Context:
    """What a handler is given beside the job: see :class:`esi_worker.api.Context`."""

    claim: outcome.Claim
    template: api.Template | None
    template_id: str | None
    fetch: Fetch
    monitor: api.Monitor
    stopping: threading.Event
    alive: Callable[[], bool]
    started: float

    @property
    def record(self) -> Mapping[str, api.JSON] | None:
        """The handler's own record of the resource."""
        return self.claim.record

    @property
    def attempts(self) -> int:
        """How many attempts ended in a temporary error before."""
        return self.claim.attempts

    @property
    def tenant_id(self) -> str:
        """The project of the resource."""
        tenant_id = self.claim.job.resource_input.get("tenant_id")
        return tenant_id if isinstance(tenant_id, str) else ""

    @property
    def elapsed(self) -> float:
        """Seconds since this worker claimed the job."""
        return time.monotonic() - self.started

    def confirm(self) -> None:
        """Make sure that the job is still this worker's.

        :raises TemporaryError: if somebody else may have it by now
        """
        if not self.alive():
            raise api.TemporaryError("the worker's lease was lost: somebody else may have the job by now")

    @functools.cached_property
    def params(self) -> Mapping[str, api.JSON]:
        """Name -> value, with secrets and outputs resolved.

        :raises Unresolved: if another resource has no such output (yet)
        """
        return {param.param: self._value(param) for param in self.claim.job.params}

    @functools.cached_property
    def secrets(self) -> frozenset[str]:
        """The values that must not be shown; never fails, whatever is missing."""
        values = set(redaction.secret_values([param.to_document() for param in self.claim.job.params]))
        for param in self.claim.job.params:
            if param.type == api.SECRET or redaction.is_secret_name(param.param):
                try:
                    values.add(str(self._value(param)))
                except api.JobError:
                    LOG.debug("%s can't be resolved yet", param.param)
        return frozenset(value for value in values if len(value) > 2)

    def is_secret(self, value: api.JSON) -> bool:
        """Whether a secret param has this value, or holds it in a longer text."""
        return isinstance(value, (str, int)) and any(secret in str(value) for secret in self.secrets)

    def render(self, variables: Mapping[str, api.JSON]) -> api.JSON:
        """Render the job's template and read the result as YAML."""
        if self.template is None:
            raise api.PermanentError(
                f"the template {self.template_id!r} of {self.claim.job.handler} for {self.claim.job.ref} is not there: "
                "neither in etcd nor among the files"
            )
        return rendering.render_document(self.template, variables)

    def reference(self, value: str) -> Mapping[str, str] | None:
        """Where a secret value comes from: ``{resource_type, resource_id, field}``."""
        for param in self.claim.job.params:
            if self.params[param.param] != value:
                continue
            if param.type == api.SECRET:
                return dict(param.value)
            for ref in (*reversed(param.resources), self.claim.job.ref):
                body = self.fetch("config", ref) or {}
                field = next((name for name in sorted(body) if body[name] == value), None)
                if field is not None:
                    return {**ref.to_document(), "field": field}
        return None

    def _value(self, param: api.Param) -> api.JSON:
        if param.type == api.OUTPUT_KEY:
            return self._output(param)
        if param.type == api.LIST:
            return [self._value(api.Param.from_document(each)) for each in param.value]
        if param.type == api.SECRET:
            ref = api.Ref.from_document(param.value)
            body = self.fetch("config", ref)
            if body is None or param.value["field"] not in body:
                raise api.Unresolved(f"{param.param}: {ref} has no {param.value['field']}")
            return body[param.value["field"]]
        return param.value

    def _output(self, param: api.Param) -> api.JSON:
        ref = api.Ref.from_document(param.value)
        stack = self.fetch(outcome.HEAT_KIND, ref)
        for output in (stack or {}).get("output", ()):
            if output.get("output_key") == param.value["output_key"]:
                return output.get("output_value")
        raise api.Unresolved(f"{param.param}: the stack of {ref} has no output {param.value['output_key']!r} yet")


def call(handler: api.Handler, context: Context) -> api.Done | api.Again | api.JobError:
    """Call the handler's verb; whatever it raises comes back as an error to publish.

    An exception that is no JobError is a bug of the plug-in: its traceback is logged, the job is tried again a
    bounded number of times.
    """
    job = context.claim.job
    with logs.hiding(context.secrets):
        try:
            answer = handler.remove(job, context) if job.removes else handler.apply(job, context)
        except api.JobError as error:
            return _masked(error, context)
        except Exception as error:
            LOG.exception("internal error in %s: %s", job.handler, job.id)
            return _masked(api.TemporaryError(f"internal error in {job.handler}", repr(error)), context)
    if isinstance(answer, api.Again) and isinstance(answer.delay, (int, float)):
        return answer
    if isinstance(answer, api.Done) and _is_result(answer):
        return answer
    LOG.error("%s returned %r for %s, neither Done nor Again", job.handler, type(answer), job.id)
    return api.PermanentError(f"internal error in {job.handler}", f"returned {type(answer)}")


def _is_result(answer: api.Done) -> bool:
    record_is_fine = answer.record is api.KEEP or answer.record is None or isinstance(answer.record, Mapping)
    return isinstance(answer.result, Mapping) and record_is_fine


def _masked(error: api.JobError, context: Context) -> api.JobError:
    """No secret shows in a published message, whatever a plug-in or the other side put there."""
    error.message = redaction.mask_text(error.message, context.secrets)
    error.detail = redaction.mask_text(error.detail, context.secrets)
    return error
