"""What is wrong with a catalog and its templates as a whole: each may be right alone.  No I/O."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping

from esi_worker import api
from esi_worker.clients import rendering
from esi_worker.mapping import grammar
from esi_worker.mapping import nodes
from esi_worker.mapping import values
from esi_worker.pipeline import catalog_sources


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    :ivar subject: the type or the template
    :ivar place: where it stands
    """

    subject: str
    place: str
    problem: str


@dataclasses.dataclass(frozen=True, slots=True)
class Located:
    """A template, and whether it is in ``etcd`` or a ``file``."""

    template: api.Template
    place: str


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What a catalog goes together with.

    :ivar templates: id -> the template
    :ivar complete: whether these are all templates; if not, one that is missing here may be elsewhere
    :ivar handlers: names of those that are installed
    :ivar resolvers: names of those that are installed
    """

    templates: Mapping[str, Located]
    complete: bool
    handlers: Collection[str]
    resolvers: Collection[str]


def check(merged: catalog_sources.Merged, around: Surroundings) -> list[Problem]:
    """All that is wrong; a contradiction between sources too, though it is decided which one is believed."""
    found = [
        Problem(each.later.resource_type, f"{each.earlier.place}; {each.later.place}", str(each))
        for each in merged.contradictions
    ]
    found += _relations(merged)
    for each in merged.types:
        for handler, choice in each.templates.items():
            place = merged.place(each.id, "templates", handler)
            found += [Problem(each.id, place, text) for text in _choice(handler, choice, around)]
    known = {each.id for each in merged.types} | {target for each in merged.types for target in each.relations.values()}
    for template_id, located in sorted(around.templates.items()):
        found += [Problem(template_id, located.place, text) for text in _template(located.template, known, around)]
    return found


def _relations(merged: catalog_sources.Merged) -> Iterator[Problem]:
    known = {each.id for each in merged.types}
    for each in merged.types:
        for field, target in sorted(each.relations.items()):
            if target not in known:
                text = f"the relation {field} refers to the type {target}, which nobody describes"
                yield Problem(each.id, merged.place(each.id, "relations", field), text)


def _choice(handler: str, choice: api.JSON, around: Surroundings) -> Iterator[str]:
    if handler not in around.handlers:
        yield f"its templates are for {handler}; installed are {', '.join(sorted(around.handlers))}"
    try:
        node = grammar.parse(choice)
    except grammar.Invalid as error:
        yield f"the choice of a template for {handler} can't be read: {error}"
        return
    yield from _unknown_resolvers(node, around)
    for pattern in _chosen(node):
        fitting = [each for template_id, each in around.templates.items() if _fits(pattern, template_id)]
        if not fitting and around.complete:
            yield f"there is no template {pattern} for {handler}, neither in etcd nor among the files"
        elif fitting and all(each.template.handler != handler for each in fitting):
            yield f"the template {pattern} is for {fitting[0].template.handler}, not for {handler}"


def _chosen(node: nodes.Node) -> Iterator[str]:
    """The ids that a choice may give; ``*`` stands for what only a resource can tell."""
    match node:
        case nodes.Constant(None | ""):
            return
        case nodes.Constant(str(text)):
            yield text
        case nodes.If():
            yield from _chosen(node.then)
            yield from _chosen(node.otherwise)
        case nodes.Concatenate(operands):
            known = (values.text(each.value) if isinstance(each, nodes.Constant) else None for each in operands)
            yield "".join("*" if text is None else text for text in known)
        case _:
            yield "*"


def _fits(pattern: str, template_id: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), template_id) is not None


def _template(template: api.Template, known: Collection[str], around: Surroundings) -> Iterator[str]:
    if template.handler not in around.handlers:
        yield f"it is for the handler {template.handler}; installed are {', '.join(sorted(around.handlers))}"
    for name, mapping in sorted(template.parameter_mappings.items()):
        try:
            node = grammar.parse(mapping)
        except grammar.Invalid as error:
            yield f"parameter {name}: {error}"
            continue
        yield from (f"parameter {name}: {text}" for text in _unknown_resolvers(node, around))
        for each in sorted(_types(node) - set(known)):
            yield f"parameter {name}: it goes to the type {each}, which the catalog does not know"
    try:
        rendering.check(template)
    except api.PermanentError as error:
        yield error.message


def _unknown_resolvers(node: nodes.Node, around: Surroundings) -> Iterator[str]:
    for each in _all(node):
        if isinstance(each, nodes.Resolve) and each.resolver not in around.resolvers:
            installed = ", ".join(sorted(around.resolvers)) or "none"
            yield f"there is no resolver {each.resolver!r}; installed are: {installed}"


def _types(node: nodes.Node) -> set[str]:
    """The types that every evaluation goes to.

    A branch, and a path that may be missing, may be for a type that only other deployments have.
    """
    found: set[str] = set()
    for each in _all(node, branches=False):
        if isinstance(each, nodes.OutputKey) or (isinstance(each, nodes.Field) and not each.ignore_missing):
            found |= {hop.resource_type for hop in each.path if isinstance(hop, nodes.TypedHop)}
    return found


def _all(node: nodes.Node, *, branches: bool = True) -> Iterator[nodes.Node]:
    """A node, and all within it; without ``branches`` only what is evaluated whatever the resource is like."""
    yield node
    inner: tuple[nodes.Node, ...] = ()
    match node:
        case nodes.Field(path=path) | nodes.OutputKey(path=path):
            inner = tuple(hop.name for hop in path if isinstance(hop, nodes.ComputedHop))
        case nodes.Concatenate(operands):
            inner = operands
        case nodes.For():
            inner = (node.items, node.mapping)
        case nodes.If():
            inner = (node.left, node.right, *((node.then, node.otherwise) if branches else ()))
    for each in inner:
        yield from _all(each, branches=branches)
