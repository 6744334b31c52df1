"""heat_worker: one Heat stack per resource, named ``<type>_<id>``, in the resource's project.

Every call looks first and does only what is missing; :mod:`esi_worker.handlers.heat_mark` has the rule.  A job
whose stack is in progress gives its thread back, and all of a project are asked for together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import Final

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api
from esi_worker import redaction
from esi_worker.clients import heat
from esi_worker.clients import heat_session
from esi_worker.handlers import heat_mark

LOG = logging.getLogger(__name__)

DEFAULT_TIMEOUT: Final = 10
"""Minutes that Heat has for a stack whose template says nothing of a ``heat_timeout``."""

_PROJECT: Final = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*")

_OPTIONS: Final = (
    cfg.StrOpt(
        "auth_type",
        default=heat_session.NONE,
        choices=[
            (heat_session.PASSWORD, "user and password, for each project a token of its own from Keystone v3"),
            (heat_session.TOKEN, "a fixed token"),
            (heat_session.NONE, "a standalone Heat that asks for nothing"),
        ],
        help="How to authenticate to Heat.",
    ),
    cfg.StrOpt(
        "endpoint",
        default="http://127.0.0.1:8004/v1/%(tenant_id)s",
        help="Heat's endpoint; not used with auth_type = password, which takes it from the catalog.",
    ),
    cfg.StrOpt("auth_url", default="", help="Keystone's endpoint, such as https://keystone.example.com:5000/v3."),
    cfg.StrOpt("username", default="", help="The user that has a role in every project with stacks."),
    cfg.StrOpt("password", default="", secret=True, help="The user's password."),
    cfg.StrOpt("user_domain_name", default="Default", help="The user's domain."),
    cfg.StrOpt("region_name", default="", help="The region in the catalog; empty: the first one."),
    cfg.StrOpt("interface", default="public", help="The interface in the catalog."),
    cfg.StrOpt("token", default="", secret=True, help="The token for auth_type = token."),
    cfg.StrOpt("ca_file", default="", help="File with the certificates to trust; empty: the usual ones."),
    cfg.BoolOpt("insecure", default=False, help="Check no certificate. Not for production: logged as a warning."),
    cfg.FloatOpt("connect_timeout", default=5.0, min=0.01, help="Seconds to wait for a connection."),
    cfg.FloatOpt("timeout", default=30.0, min=0.01, help="Seconds to wait for an answer."),
    cfg.FloatOpt("poll_interval", default=1.0, min=0.01, help="Seconds between two questions for a project's stacks."),
)


class HeatWorker(api.Handler):
    """Creates, updates and deletes stacks."""

    options: ClassVar[Sequence[cfg.Opt]] = _OPTIONS
    order: ClassVar[int] = 100
    record_kind: ClassVar[str] = "heat_stacks"

    def __init__(self, settings: api.Settings) -> None:
        super().__init__(settings)
        options = settings.options
        self._interval: float = options.poll_interval
        self._heat = heat.Heat(_connection(options), self._interval)

    def lane(self, job: api.Job) -> str:
        """The project: its Heat may be in trouble on its own."""
        return str(job.resource_input.get("tenant_id") or "")

    def apply(self, job: api.Job, context: api.Context) -> api.Done | api.Again:
        """Create the stack, or update it to what the template and the params give."""
        project, name = _project(context), stack_name(job)
        waiting = self._waiting(project, name, context)
        if waiting:
            return waiting
        wanted, own = _wanted(job, name, context)
        stack = self._heat.find(project, name)
        step = heat_mark.next_step(stack, own, modify=job.action == api.MODIFY)
        LOG.debug("stack %s is %s: %s", name, stack.status if stack else "absent", step.value)
        if step.changes:
            context.confirm()
        if stack is None:
            self._heat.create(project, name, wanted)
        elif step is heat_mark.Step.DONE:
            return _done(job, project, stack, wanted.secrets)
        elif step is heat_mark.Step.FAIL:
            raise api.PermanentError(_failure(stack, wanted.secrets))
        elif step is heat_mark.Step.DELETE_AGAIN:
            self._delete_again(project, stack, context, wanted.secrets)
        elif step is heat_mark.Step.DELETE:
            self._heat.delete(project, stack)
        elif step is heat_mark.Step.UPDATE:
            self._heat.update(project, stack, wanted)
        elif step is heat_mark.Step.RECOVER:
            self._heat.update(project, stack, wanted)
            # An attempt, so that it ends even where Heat loses the mark of an update that fails.
            raise api.TemporaryError(f"{_failure(stack, wanted.secrets)}; updating it", delay=self._interval)
        return api.Again(self._interval)

    def remove(self, job: api.Job, context: api.Context) -> api.Done | api.Again:
        """Delete the stack."""
        if context.record is None and not _PROJECT.fullmatch(context.tenant_id):
            # Without a project there never was a stack: otherwise such a resource could not be deleted at all.
            return api.Done(record=_record(job, "", heat.Stack("", "", "DELETE_COMPLETE"), ()))
        project, name = _project(context), stack_name(job)
        waiting = self._waiting(project, name, context, "DELETE")
        if waiting:
            return waiting
        stack = self._heat.find(project, name)
        if stack is None:
            return api.Done(record=_record(job, project, heat.Stack("", "", "DELETE_COMPLETE"), ()))
        if stack.status == "DELETE_IN_PROGRESS":
            return api.Again(self._interval)
        context.confirm()
        if stack.status == "DELETE_FAILED":
            self._delete_again(project, stack, context, _secrets(context))
        self._heat.delete(project, stack)
        return api.Again(self._interval)

    def close(self) -> None:
        """Close the connections to Heat."""
        self._heat.close()

    def _waiting(self, project: str, name: str, context: api.Context, action: str = "") -> api.Again | None:
        """Whether the stack was in progress when Heat was last asked for all of the project.

        :param action: wait for this action only
        """
        if context.elapsed < self._interval:
            return None  # the first look: nothing is known of this stack yet
        progress = self._heat.progress(project, name)
        if progress is None or (progress.status and not progress.status.startswith(action)):
            return None
        if context.elapsed > heat_mark.limit(_timeout(context)):
            raise api.PermanentError(
                f"the stack {name} is still {progress.status or 'unknown'}: gave up waiting for Heat"
            )
        return api.Again(progress.delay)

    def _delete_again(self, project: str, stack: heat.Stack, context: api.Context, secrets: Sequence[str]) -> None:
        """:raises JobError: always, so that it counts as an attempt."""
        message = _failure(stack, secrets)
        if context.attempts >= heat_mark.DELETE_ATTEMPTS:
            raise api.PermanentError(message)
        self._heat.delete(project, stack)
        raise api.TemporaryError(f"{message}; deleting it again", delay=self._interval)


def stack_name(job: api.Job) -> str:
    """The name of a resource's stack."""
    return f"{job.resource_type}_{job.resource_id}"


def _connection(options: Any) -> heat_session.Connection:
    """:param options: the group ``[heat_worker]``."""
    password = options.auth_type == heat_session.PASSWORD
    return heat_session.Connection(
        auth_type=options.auth_type,
        endpoint="" if password else options.endpoint,
        auth_url=options.auth_url,
        username=options.username,
        password=options.password,
        user_domain_name=options.user_domain_name,
        region_name=options.region_name,
        interface=options.interface,
        token=options.token,
        ca_file=options.ca_file,
        insecure=options.insecure,
        connect_timeout=options.connect_timeout,
        timeout=options.timeout,
    )


def _project(context: api.Context) -> str:
    """:raises PermanentError: if the resource names no project, or one that must not become part of a URL."""
    if not context.tenant_id:
        raise api.PermanentError("the resource has no tenant_id: a stack needs a project")
    if not _PROJECT.fullmatch(context.tenant_id):
        raise api.PermanentError(f"the tenant_id {context.tenant_id!r} is no id of a project")
    return context.tenant_id


def _wanted(job: api.Job, name: str, context: api.Context) -> tuple[heat.Wanted, heat_mark.Mark]:
    """What the stack should be, and the mark that says so."""
    variables = {param: value for param, value in context.params.items() if param.startswith("jinja_")}
    template = context.render(variables)
    if not isinstance(template, Mapping):
        raise api.PermanentError("the template is not the object that Heat needs")
    parameters = heat_mark.fields(context.params)
    # YAML has dates: `heat_template_version: 2013-05-23` is one.
    text = json.dumps(template, default=str)
    own = heat_mark.mark(job, name, text, json.dumps(parameters, sort_keys=True))
    return heat.Wanted(text, parameters, _timeout(context), str(own), _secrets(context)), own


def _timeout(context: api.Context) -> int:
    """The stack's timeout in minutes."""
    value = context.params.get("heat_timeout")
    if value is None or value == "":
        return DEFAULT_TIMEOUT
    try:
        minutes = 0 if isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        minutes = 0
    if minutes < 1:
        raise api.PermanentError(f"heat_timeout must be a number of minutes, not {value!r}")
    return minutes


def _secrets(context: api.Context) -> tuple[str, ...]:
    """The values that no message may show."""
    known = set(redaction.secret_values(dict(context.params)))
    known.update(value for value in context.params.values() if isinstance(value, str) and context.is_secret(value))
    return tuple(sorted(known))


def _failure(stack: heat.Stack, secrets: Sequence[str]) -> str:
    reason = redaction.mask_text(stack.reason, secrets) or "Heat gives no reason"
    return f"the stack {stack.name} is {stack.status}: {reason}"


def _done(job: api.Job, project: str, stack: heat.Stack, secrets: Sequence[str]) -> api.Done:
    return api.Done({"heat_outputs": list(stack.outputs)}, _record(job, project, stack, secrets))


def _record(job: api.Job, project: str, stack: heat.Stack, secrets: Sequence[str]) -> dict[str, api.JSON]:
    """Point (3)."""
    return {
        "id": str(job.ref),
        "stack_id": stack.name,
        "stack_status": stack.status,
        "status_reason": redaction.mask_text(stack.reason, secrets),
        "tenant_id": project,
        "output": list(stack.outputs),
    }
