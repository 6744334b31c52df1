"""Compares what esi_worker plans for a deployment with what the oracle plans."""

import json
import re

from esi_worker import assembly
from esi_worker.handlers import heat_worker
from esi_worker.handlers import monitoring_worker
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import dryrun
from esi_worker.pipeline import planner
from tests.oracle import oracle

HANDLERS = {oracle.HEAT: heat_worker.HeatWorker, oracle.MONITORING: monitoring_worker.MonitoringWorker}
PLAIN = ("is_first", "is_last", "on_failure", "resource_input")
_WAITS = re.compile(r"parameter '[^']*' of ([^\s:]+):([^\s:]+): |([^\s:]+):([^\s:]+) waits for ")
_WRONG = re.compile(r"([^\s:]+):([^\s:]+) version \d+: ")


def dry_run(catalog, events):
    """What ``esictl plan --catalog --events`` plans."""
    rules = planner.Rules(catalogs.Catalog.from_document(catalog, open=True), assembly.traits(HANDLERS), {})
    return dryrun.plan_events(rules, events, {})


def read(job):
    """A job document in the oracle's form: suffixes gone."""
    names = {job["id"]: oracle.name_of(job)}
    found = {name: job[name] for name in (*PLAIN, "action", "handler", "resource_type", "resource_id", "version")}
    dependency = {_name(each) for each in job["dependency"]} - set(names)
    return found | {"dependency": dependency, "params": {each["param"]: each for each in job["params"]}}


def _name(job_id):
    action, handler, kind, name, version, _ = job_id.split(":")
    return action, handler, kind, name, int(version)


def differences(deployment):
    """:returns: jobs compared, and a line for each difference."""
    run = dry_run(deployment.catalog, deployment.events)
    ours = [read(job.to_document()) for job in run.jobs]
    rank = {}
    for place, job in enumerate(ours):
        rank.setdefault((job["resource_type"], job["resource_id"]), []).append(place)
    second = deployment.new_oracle()
    # Those that need not wait any more go in an order that is open: that of esi_worker is taken.
    second.order = lambda ref: min((n for n in rank.get(ref, ()) if n >= len(second.jobs)), default=len(ours))
    lines = []
    for number, event in enumerate(deployment.events):
        start = len(second.jobs)
        for place, wanted in enumerate(second.feed(event["key"], event["value"]), start):
            where = f"event {number} {event['key']}, job {place} {oracle.name_of(wanted)}"
            lines += [f"{where}: {line}" for line in _compared(wanted, ours[place] if place < len(ours) else None)]
        if lines:
            return len(second.jobs), lines
    if len(ours) > len(second.jobs):
        lines.append(f"planned beyond the oracle: {[oracle.name_of(job) for job in ours[len(second.jobs) :]][:5]}")
    lines += _refs("waiting", second.waiting, _WAITS, run.errors)
    lines += _refs("wrong", second.wrong, _WRONG, run.errors)
    return len(second.jobs), lines


def _refs(what, wanted, pattern, errors):
    matches = [pattern.match(error) for error in errors]
    found = {tuple(filter(None, match.groups())) for match in matches if match}
    return [] if found == set(wanted) else [f"{what}: {sorted(set(wanted) ^ found)}, of {len(wanted)} wanted"]


def _compared(wanted, found):
    if found is None or oracle.name_of(found) != oracle.name_of(wanted):
        yield f"found {found and oracle.name_of(found)}"
        return
    for name in (*PLAIN, "dependency"):
        if found[name] != wanted[name]:
            yield f"{name}: wanted {wanted[name]}, found {found[name]}"
    params = {each["param"]: each for each in wanted["params"]}
    if params.keys() != found["params"].keys():
        yield f"params: wanted {sorted(params)}, found {sorted(found['params'])}"
        return
    for name, param in params.items():
        other = found["params"][name]
        if other["type"] not in param["type"].split(" or "):
            yield f"{name}: wanted the type {param['type']}, found {other['type']}"
        for member in ("value", "resources"):
            if _text(param[member]) != _text(other[member]):
                yield f"{name}: wanted the {member} {_text(param[member])}, found {_text(other[member])}"


def _text(value):
    return json.dumps(value, sort_keys=True)
