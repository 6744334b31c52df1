"""Evaluates a mapping on a resource: the value of a job's parameter, and the resources passed on the way.

Pure: no I/O, no memory.  Where the language's description leaves something open, it is decided here:

- A hop's id that is absent, null or empty is a missing hop; one that is not a string is an error.
- ``nested`` through something absent or null gives null; through anything else that has no fields it is an error.
- Numbers and booleans are joined (and matched) as JSON spells them: ``true``, ``1.5``.  Null, lists and objects can't
  be joined; null matches no pattern; lists and objects can't be matched.
- ``equal`` compares JSON: ``1`` equals ``1.0`` but neither ``"1"`` nor ``true``; null equals null.
- The operands of a condition, and those of a computed path element, leave no trace in ``resources``.
- ``for`` over something absent, null or ``""`` (what ``ignore_missing`` gives) is an empty array; over anything else
  that is no list an error.  An array with at least one element that is not a plain value is a ``list``; so is an
  empty one whose mapping is an output key.
- The ids in a relation field that ``for_field`` names know their type: the path element ``""`` follows them.  Any
  other item has no type, so only ``{type, id}`` leads on from it, and it has no relations of its own.
- With ``secrets="reference"`` the value of a parameter with a secret's name stands as a reference if it comes from
  one field of one resource, directly or through an ``if``; a resolver's too, if the resource that it read last has
  that value in a field with a secret's name.  Null and ``""`` stay: there is nothing to hide.
"""

from __future__ import annotations

import dataclasses
import json
import traceback
from collections.abc import Mapping

from esi_worker import api
from esi_worker import patterns
from esi_worker import redaction
from esi_worker.mapping import grammar
from esi_worker.mapping import nodes
from esi_worker.mapping import results
from esi_worker.mapping import values
from esi_worker.mapping import walk

World = walk.World
MissingHop = walk.MissingHop
MappingError = walk.MappingError


def evaluate(
    name: str,
    mapping: api.JSON,
    resource: api.Resource,
    world: World,
    resolvers: Mapping[str, api.Resolver],
    *,
    secrets: str = "inline",
) -> api.Param:
    """Evaluate a mapping.

    :param name: the parameter's name
    :param mapping: a compact string or an object
    :param resource: the resource that the parameter is for
    :param world: the other resources, and what the relations are
    :param resolvers: the installed resolver plug-ins, by name
    :param secrets: ``inline`` or ``reference``: how the value of a parameter with a secret's name stands
    :returns: the parameter: value, type and the resources passed, in order
    :raises MissingHop: if another resource must arrive first
    :raises MappingError: naming the parameter and what is wrong with its mapping
    """
    secret = redaction.is_secret_name(name)
    try:
        node = grammar.parse(mapping)
        result = _Evaluation(walk.Walker(name, resource, world), resolvers).run(node, walk.Scope.of(resource))
    except grammar.Invalid as error:
        # The mapping of a secret may be the secret itself, forgotten to be marked as a constant.
        raise MappingError(name, "its mapping has no form that the language knows" if secret else str(error)) from None
    except RecursionError:
        raise MappingError(name, "a value is nested too deeply") from None
    if secrets == "reference" and secret and result.source and result.value not in (None, ""):
        return api.Param(name, api.SECRET, result.source, result.resources)
    return api.Param(name, result.type, result.value, result.resources)


class _Evaluation:
    """One evaluation: ``run`` goes down the nodes, so its depth is what the grammar allows."""

    def __init__(self, walker: walk.Walker, resolvers: Mapping[str, api.Resolver]) -> None:
        self._walker = walker
        self._resolvers = resolvers

    def run(self, node: nodes.Node, scope: walk.Scope) -> results.Result:
        """Evaluate a node, seen from a scope."""
        match node:
            case nodes.Constant(value):
                return results.Result(api.VALUE, value)
            case nodes.Version():
                return results.Result(api.VALUE, self._walker.resource.version)
            case nodes.Field():
                return self._field(node, scope)
            case nodes.Nested(names):
                return results.Result(api.VALUE, self._nested(names, scope))
            case nodes.OutputKey():
                return self._output_key(node, scope)
            case nodes.Concatenate():
                return self._concatenate(node, scope)
            case nodes.If():
                return self.run(node.then if self._holds(node, scope) else node.otherwise, scope)
            case nodes.For():
                return self._for(node, scope)
            case nodes.Resolve():
                return self._resolve(node, scope)

    def _field(self, node: nodes.Field, scope: walk.Scope) -> results.Result:
        if not node.path:
            value = scope.field(node.name)
            return results.Result(
                api.VALUE, value, self._referred(scope, node.name, value), results.source_of(scope, node.name)
            )
        try:
            passed = self._pass(node.path, scope)
        except MissingHop:
            if node.ignore_missing:
                return results.Result(api.VALUE, "")
            raise
        last = walk.Scope.of(passed[-1])
        return results.Result(
            api.VALUE, last.field(node.name), results.refs(passed), results.source_of(last, node.name)
        )

    def _referred(self, scope: walk.Scope, field: str, value: api.JSON) -> tuple[api.Ref, ...]:
        """What a relation field of a resource refers to; a list of ids refers to each."""
        target = self._walker.relation(scope, field) if scope.ref else None
        if target is None:
            return ()
        ids = value if isinstance(value, list) else [value]
        return tuple(api.Ref(target, each) for each in ids if isinstance(each, str) and each)

    def _pass(self, path: tuple[nodes.Hop, ...], start: walk.Scope) -> list[api.Resource]:
        passed: list[api.Resource] = []
        scope = start
        for hop in path:
            match hop:
                case nodes.RelationHop(field):
                    found = self._walker.follow(scope, field)
                case nodes.TypedHop(resource_type, field):
                    found = self._walker.hop(scope, resource_type, field)
                case nodes.ComputedHop(name):
                    reached = dataclasses.replace(scope, fallback=None if scope is start else start)
                    found = self._walker.follow(scope, self._concatenate(name, reached).value)
            passed.append(found)
            scope = walk.Scope.of(found)
        return passed

    def _nested(self, names: tuple[str, ...], scope: walk.Scope) -> api.JSON:
        value = scope.field(names[0])
        for place, name in enumerate(names[1:]):
            if value is None:
                return None
            if not isinstance(value, Mapping):
                raise self._walker.error(
                    f"{names[place]!r} of {scope} is {grammar.kind(value)} and has no field {name!r}"
                )
            value = value.get(name)
        return value

    def _output_key(self, node: nodes.OutputKey, scope: walk.Scope) -> results.Result:
        passed = self._pass(node.path, scope)
        ref = passed[-1].ref if passed else scope.ref
        if ref is None:
            raise self._walker.error(f"the output key {node.key!r} of an item that is no resource: a path is missing")
        return results.Result(api.OUTPUT_KEY, {"output_key": node.key, **ref.to_document()}, results.refs(passed))

    def _concatenate(self, node: nodes.Concatenate, scope: walk.Scope) -> results.Result:
        parts: list[str] = []
        resources: list[api.Ref] = []
        for operand in node.operands:
            result = self.run(operand, scope)
            text = values.text(result.value) if result.type == api.VALUE else None
            if text is None:
                what = f"the field {operand.name!r}" if isinstance(operand, nodes.Field) else "an operand"
                kind = grammar.kind(result.value) if result.type == api.VALUE else "an output key"
                raise self._walker.error(f"{what} is {kind}, which can't be part of a concatenation")
            parts.append(text)
            resources += result.resources
        return results.Result(api.VALUE, "".join(parts), tuple(resources))

    def _holds(self, node: nodes.If, scope: walk.Scope) -> bool:
        left, right = self.run(node.left, scope), self.run(node.right, scope)
        if left.type != api.VALUE or right.type != api.VALUE:
            raise self._walker.error(f"an output key is not known yet, so {node.relation!r} can't compare it")
        if node.relation == "equal":
            return values.equal(left.value, right.value)
        if left.value is None or right.value is None:
            return False
        text, pattern = values.text(left.value), right.value
        if text is None or not isinstance(pattern, str):
            raise self._walker.error("'regexp' matches a string or a number against a pattern, which is a string")
        try:
            return patterns.matches(pattern, text, whole=True)
        except patterns.Refused as error:
            raise self._walker.error(str(error)) from None

    def _for(self, node: nodes.For, scope: walk.Scope) -> results.Result:
        source = self.run(node.items, scope)
        items = self._items(node.items, source)
        resources = list(source.resources)
        match node.items:
            case nodes.Field(name, ()):
                item_type, resources = self._walker.relation(scope, name), []
            case nodes.Field(name) if resources:
                item_type = self._walker.relation(walk.Scope(None, resources[-1]), name)
            case _:
                item_type = None
        elements = [self.run(node.mapping, walk.Scope(item, item_type=item_type)) for item in items]
        for element in elements:
            resources += element.resources
        empty_list = not elements and isinstance(node.mapping, nodes.OutputKey)
        if empty_list or any(element.type != api.VALUE for element in elements):
            params = [api.Param(self._walker.param, element.type, element.value) for element in elements]
            return results.Result(api.LIST, [param.to_document() for param in params], tuple(resources))
        return results.Result(api.VALUE, [element.value for element in elements], tuple(resources))

    def _items(self, node: nodes.Node, source: results.Result) -> list[api.JSON]:
        items = [] if source.value is None or source.value == "" else source.value
        if source.type == api.VALUE and isinstance(items, list):
            return items
        what = f"the field {node.name!r}" if isinstance(node, nodes.Field) else "what 'for_field' gives"
        kind = grammar.kind(items) if source.type == api.VALUE else "an output key"
        raise self._walker.error(f"{what} is {kind}: 'for_field' goes over a list")

    def _resolve(self, node: nodes.Resolve, scope: walk.Scope) -> results.Result:
        resolver = self._resolvers.get(node.resolver)
        if resolver is None:
            installed = ", ".join(sorted(self._resolvers)) or "none"
            raise self._walker.error(f"there is no resolver {node.resolver!r}; installed are: {installed}")
        trail = walk.Trail(self._walker)
        try:
            value = resolver.resolve(node.arguments, self._walker.resource, trail)
            json.dumps(value, allow_nan=False)
        except MissingHop:
            raise
        except api.JobError as error:
            raise self._told(error) from None
        except Exception as error:  # a stranger's code: whatever it raises is its bug, and named so
            text = f"internal error in the resolver {node.resolver!r}"
            raise self._walker.error(text, traceback.format_exc()) from error
        return results.Result(api.VALUE, value, results.refs(trail.passed), results.secret_source(trail.passed, value))

    def _told(self, error: api.JobError) -> api.JobError:
        """A resolver's own error, naming the parameter."""
        if isinstance(error, MappingError):
            return error
        if isinstance(error, api.TemporaryError):
            text = f"parameter {self._walker.param!r}: {error.message}"
            return api.Unresolved(text, error.detail, delay=error.delay)
        return self._walker.error(error.message, error.detail)
