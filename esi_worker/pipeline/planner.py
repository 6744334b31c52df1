"""Planning: a change of a resource, the cache and the catalog give the jobs to be done.  Pure: no I/O.

The same planner serves the job manager, the dry run and the tests.  :meth:`Planner.plan` changes nothing;
:meth:`Planner.adopt` makes what was planned the state that the next change is planned on.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection
from collections.abc import Hashable
from collections.abc import MutableMapping

from esi_worker import api
from esi_worker.mapping import evaluation
from esi_worker.pipeline import dependency
from esi_worker.pipeline import documents
from esi_worker.pipeline import plan as plans
from esi_worker.pipeline import workflow

_SUFFIX = "0123456789abcdefghijklmnopqrstuvwxyz"


Rules = plans.Rules
Change = plans.Change
Plan = plans.Plan
MissingTemplate = plans.MissingTemplate


class Planner:
    """Turns changes into workflows.

    :ivar resources: the cache, as of the change consumed last
    :ivar recorded: what was last turned into a workflow
    :ivar unfinished: the jobs that are written and not finished
    :ivar templates: id -> template; one from etcd wins over a file's
    :ivar consulted: what the last plan was made from, there or not: other resources, the ids of templates
    :param random_source: gives the suffixes of job ids
    """

    def __init__(
        self, rules: Rules, templates: MutableMapping[str, api.Template], random_source: random.Random | None = None
    ) -> None:
        self.rules = rules
        self.templates = templates
        self.resources: dict[api.Ref, api.Resource] = {}
        self.recorded: dict[api.Ref, documents.Recorded] = {}
        self.unfinished = dependency.Unfinished()
        self.consulted: set[Hashable] = set()
        self._random = random_source or random.Random()

    def get(self, ref: api.Ref) -> api.Resource | None:
        """The resource as an evaluation sees it."""
        self.consulted.add(ref)
        return self.resources.get(ref)

    def relation(self, resource_type: str, field: str) -> str | None:
        """The type that a field of a type refers to."""
        return self.rules.catalog.relation(resource_type, field)

    def action(self, change: Change) -> str | None:
        """What a change asks for; None where it was turned into a workflow before."""
        recorded = self.recorded.get(change.ref)
        if recorded is not None and not change.again:
            if change.version <= recorded.refused:
                return None
            if change.version == recorded.version and change.marked == recorded.deleted:
                return None
            if change.version < recorded.version and not recorded.deleted:
                return None
        if change.marked:
            return api.LOGICAL_DELETE
        if recorded is None or recorded.deleted:
            return api.CREATE
        return api.CREATE if change.again and change.version == 1 else api.MODIFY

    def plan(self, change: Change, claimed: Collection[str] = ()) -> Plan | None:
        """Plan a change whose resource is in the cache already.

        :param claimed: ids of jobs that somebody runs
        :returns: None where there is nothing to do
        :raises api.Unresolved: if a relative or a template is missing (yet); the resource waits
        :raises api.PermanentError: naming what in the template or the catalog can't be used
        """
        action = self.action(change)
        if action is None:
            return None
        self.consulted = set()
        recorded = documents.Recorded(change.body, change.version, change.marked)
        drops = dependency.droppable(change.ref, self.unfinished, claimed)
        chain = self._chain(change, action)
        if not chain:
            return Plan(change, action, recorded, (), drops)
        dropped = {job.id for job in drops}
        first = dependency.needed(
            change.ref, chain, self.unfinished, self.rules.followers, reverse=action != api.CREATE
        )
        jobs = _linked(chain, tuple(job_id for job_id in first if job_id not in dropped))
        return Plan(change, action, recorded, jobs, drops)

    def adopt(self, plan: Plan) -> None:
        """What was planned is written: the next change is planned on it."""
        self.recorded[plan.change.ref] = plan.recorded
        for job in plan.drops:
            self.unfinished.remove(job.id)
        for job in plan.jobs:
            self.unfinished.add(job)

    def _chain(self, change: Change, action: str) -> list[api.Job]:
        now = api.Resource(change.ref, change.body, change.version)
        previous = self._previous(change, action)
        templates_now = self._templates(now)
        templates_before = self._templates(previous) if previous else {}
        chain = []
        for step in workflow.steps(action, templates_now, templates_before, self.rules.handlers):
            source, template_id = (
                (previous, templates_before.get(step.handler))
                if step.previous and previous
                else (now, templates_now.get(step.handler))
            )
            params = self._params(step, template_id or templates_now[step.handler], source, previous, now)
            chain.append(self._job(step, change, params))
        return chain

    def _previous(self, change: Change, action: str) -> api.Resource | None:
        recorded = self.recorded.get(change.ref)
        if action == api.CREATE or recorded is None or recorded.version == 0:
            return None
        return api.Resource(change.ref, recorded.body, recorded.version)

    def _templates(self, resource: api.Resource) -> dict[str, str]:
        """handler -> template id, for the handlers that have a job for this resource."""
        chosen = {
            handler: self.rules.catalog.template_id(resource, handler, self.rules.resolvers)
            for handler in self.rules.catalog.handlers(resource.ref.resource_type)
        }
        unknown = sorted(handler for handler, each in chosen.items() if each and handler not in self.rules.handlers)
        if unknown:
            raise api.PermanentError(
                f"the catalog names the handler {unknown[0]!r} for {resource.ref.resource_type}, "
                f"installed are: {', '.join(sorted(self.rules.handlers))}"
            )
        return {handler: template_id for handler, template_id in chosen.items() if template_id}

    def _params(
        self,
        step: workflow.Step,
        template_id: str,
        source: api.Resource | None,
        previous: api.Resource | None,
        now: api.Resource,
    ) -> tuple[api.Param, ...]:
        source = source or now
        self.consulted.add(template_id)
        template = self.templates.get(template_id)
        if template is None:
            if step.action in (api.DELETE, api.LOGICAL_DELETE):
                return ()  # what is taken down needs no template: nothing is rendered
            raise MissingTemplate(now.ref, step.handler, template_id)
        # What is torn down may have lost its relatives already; the rest of a modify may not.
        lenient = step.action in (api.DELETE, api.LOGICAL_DELETE)
        params = []
        for name, mapping in template.parameter_mappings.items():
            param = self._evaluate(name, mapping, source, lenient=lenient)
            if previous is not None:
                passed = [*self._passed(name, mapping, now, param, source)]
                passed += self._passed(name, mapping, previous, param, source)
                param = dataclasses.replace(param, resources=tuple(dict.fromkeys(passed)))
            params.append(param)
        return tuple(params)

    def _passed(
        self, name: str, mapping: api.JSON, resource: api.Resource, known: api.Param, source: api.Resource
    ) -> tuple[api.Ref, ...]:
        if resource is source:
            return known.resources
        return self._evaluate(name, mapping, resource, lenient=True).resources

    def _evaluate(self, name: str, mapping: api.JSON, resource: api.Resource, *, lenient: bool) -> api.Param:
        try:
            return evaluation.evaluate(name, mapping, resource, self, self.rules.resolvers, secrets=self.rules.secrets)
        except api.JobError:
            if not lenient:
                raise
            return api.Param(name, api.VALUE, None)

    def _job(self, step: workflow.Step, change: Change, params: tuple[api.Param, ...]) -> api.Job:
        ref = change.ref
        suffix = "".join(self._random.choice(_SUFFIX) for _ in range(5))
        return api.Job(
            id=f"{step.action}:{step.handler}:{ref}:{change.version}:{suffix}",
            handler=step.handler,
            action=step.action,
            resource_type=ref.resource_type,
            resource_id=ref.resource_id,
            version=change.version,
            on_failure=step.on_failure,
            params=params,
            resource_input=change.body,
        )


def _linked(chain: list[api.Job], first: tuple[str, ...]) -> tuple[api.Job, ...]:
    """The chain with each job's place and dependencies: the first waits for others, each for all before it."""
    return tuple(
        dataclasses.replace(
            job,
            dependency=first if place == 0 else tuple(each.id for each in chain[:place]),
            is_first=place == 0,
            is_last=place == len(chain) - 1,
        )
        for place, job in enumerate(chain)
    )
