"""What every resolver must keep to, as tests: see :class:`ResolverConformance`."""

# ruff: noqa: D102  (the name of a test says what is promised)

from __future__ import annotations

import copy
import unittest
from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING

from esi_worker import api
from esi_worker import plugin_checks
from esi_worker.testing import kit

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class Lookup:
    """An :class:`~esi_worker.api.Lookup` into a few resources.

    :param resources: all that there is
    :param relations: resource type -> field -> the type that it refers to
    :ivar passed: what was looked up, in order
    """

    def __init__(self, resources: Iterable[api.Resource], relations: Mapping[str, Mapping[str, str]]) -> None:
        self._resources = {each.ref: each for each in resources}
        self._relations = relations
        self.passed: list[api.Ref] = []

    def resource(self, resource_type: str, resource_id: str) -> api.Resource:
        """:raises Unresolved: if there is no such resource."""
        ref = api.Ref(resource_type, resource_id)
        if ref not in self._resources:
            raise api.Unresolved(f"there is no {ref}")
        self.passed.append(ref)
        return self._resources[ref]

    def follow(self, resource: api.Resource, field: str) -> api.Resource:
        """:raises PermanentError: if the field is no relation; :raises Unresolved: if it leads nowhere."""
        related = self._relations.get(resource.ref.resource_type, {}).get(field)
        if related is None:
            raise api.PermanentError(f"{field} is no relation of {resource.ref.resource_type}")
        if not resource.body.get(field):
            raise api.Unresolved(f"{resource.ref} has no {field}")
        return self.resource(related, str(resource.body[field]))


class ResolverConformance(_Base):
    """Mix it in before ``unittest.TestCase``.

    To be filled in: :meth:`make_resolver`, :meth:`make_resource`; and where it has them :meth:`make_arguments`,
    :meth:`make_relatives` and :meth:`relations`.

    :cvar name: its entry point's name
    """

    name = "mine"

    def make_resolver(self) -> api.Resolver:
        """A new resolver."""
        raise NotImplementedError("define make_resolver(): return MyResolver()")

    def make_resource(self) -> api.Resource:
        """The resource that the job is for."""
        raise NotImplementedError("define make_resource(): return api.Resource(api.Ref('type', 'id'), {...})")

    def make_arguments(self) -> Mapping[str, api.JSON]:
        """Arguments that can be used."""
        return {}

    def make_relatives(self) -> Iterable[api.Resource]:
        """All other resources that it needs."""
        return ()

    def relations(self) -> Mapping[str, Mapping[str, str]]:
        """Resource type -> field -> the type that it refers to."""
        return {}

    # -- the promises --------------------------------------------------------------------------------------------

    def test_shape(self) -> None:
        if reason := kit.shape(plugin_checks.RESOLVERS, self.name, type(self.make_resolver())):
            self.fail(reason)

    def test_value_is_json(self) -> None:
        if reason := kit.not_json(self._resolve()):
            change = (
                "the value is written into the job: use dict with str keys, list, str, int, float, bool and None only"
            )
            self.fail(kit.advice(f"the value is not JSON: {reason}", change))

    def test_same_question_same_answer(self) -> None:
        resolver = self.make_resolver()
        first, second = self._resolve(resolver), self._resolve(resolver)
        if first != second:
            change = (
                "a value may depend on arguments, resource and what is looked up only: no clock, no chance, no counter"
            )
            self.fail(kit.advice(f"asked twice the same it said {first!r}, then {second!r}", change))

    def test_nothing_is_remembered(self) -> None:
        resolver = self.make_resolver()
        self._resolve(resolver)
        resource = _altered(self.make_resource(), self.relations())
        relatives = [_altered(each, self.relations()) for each in self.make_relatives()]
        old = self._came_to(resolver, resource, relatives)
        new = self._came_to(self.make_resolver(), resource, relatives)
        if repr(old) != repr(new):
            change = "keep nothing between two calls: the same resource has other values in its next version"
            self.fail(kit.advice(f"after other values it still says {old!r}, a new resolver says {new!r}", change))

    def test_nothing_is_changed(self) -> None:
        arguments, resource = copy.deepcopy(dict(self.make_arguments())), self.make_resource()
        relatives = list(self.make_relatives())
        before = copy.deepcopy((arguments, resource, relatives))
        self._resolve(None, arguments, resource, relatives)
        for what, was, now in zip(
            ("arguments", "resource", "relatives"), before, (arguments, resource, relatives), strict=True
        ):
            if was != now:
                change = "all others see what you change here: copy it first"
                self.fail(kit.advice(f"it changed the {what} that it was given: {was!r} became {now!r}", change))

    def test_missing_relative_is_unresolved(self) -> None:
        relatives = list(self.make_relatives())
        lookup = Lookup(relatives, self.relations())
        self._ask(self.make_resolver(), self.make_arguments(), self.make_resource(), lookup)
        for missing in dict.fromkeys(lookup.passed):
            left = [each for each in relatives if each.ref != missing]
            outcome = self._came_to(self.make_resolver(), self.make_resource(), left)
            if not isinstance(outcome, api.Unresolved):
                change = "let api.Unresolved of the lookup through: the resource waits until its relative is there"
                self.fail(kit.advice(f"without {missing} it came to {outcome!r}", change))

    def test_unusable_arguments_are_named(self) -> None:
        good = dict(self.make_arguments())
        bad: list[tuple[dict[str, api.JSON], str, bool]] = []
        for name in good:
            bad.append(({key: value for key, value in good.items() if key != name}, name, False))
            unusable: tuple[api.JSON, ...] = (None, [], {"a": 1})
            bad += [({**good, name: value}, name, False) for value in unusable]
        bad.append(({**good, "no_such_argument": 1}, "no_such_argument", True))
        for arguments, name, must in bad:
            outcome = self._came_to(None, self.make_resource(), list(self.make_relatives()), arguments)
            if isinstance(outcome, api.PermanentError) and name in outcome.message:
                continue
            if isinstance(outcome, api.JobError) or must:
                change = f"raise api.PermanentError with the name of the argument {name!r} in its message"
                self.fail(kit.advice(f"with the arguments {arguments!r} it came to {outcome!r}", change))

    def test_no_secret_shows(self) -> None:
        secret = kit.canary()
        resource = _planted(self.make_resource(), secret)
        relatives = [_planted(each, secret) for each in self.make_relatives()]
        with kit.log_lines() as logged:
            outcomes = [self._came_to(None, resource, relatives[:count]) for count in range(len(relatives) + 1)]
            outcomes.append(self._came_to(None, resource, relatives, {"no_such_argument": 1}))
        errors = [(each.message, each.detail) for each in outcomes if isinstance(each, api.JobError)]
        if where := kit.shown({secret}, {"errors": errors, "log": logged}):
            self.fail(kit.advice(f"a secret shows in its {where}", "name the field, not its value; don't log values"))

    # -- how they are checked ------------------------------------------------------------------------------------

    def _resolve(
        self,
        resolver: api.Resolver | None = None,
        arguments: Mapping[str, api.JSON] | None = None,
        resource: api.Resource | None = None,
        relatives: list[api.Resource] | None = None,
    ) -> api.JSON:
        """Ask for the value, while all is well."""
        relatives = list(self.make_relatives()) if relatives is None else relatives
        lookup = Lookup(relatives, self.relations())
        arguments = self.make_arguments() if arguments is None else arguments
        return self._ask(resolver or self.make_resolver(), arguments, resource or self.make_resource(), lookup)

    def _came_to(
        self,
        resolver: api.Resolver | None,
        resource: api.Resource,
        relatives: list[api.Resource],
        arguments: Mapping[str, api.JSON] | None = None,
    ) -> api.JSON | api.JobError:
        """The value, or the error."""
        try:
            return self._resolve(resolver, arguments, resource, relatives)
        except api.JobError as error:
            return error

    def _ask(
        self, resolver: api.Resolver, arguments: Mapping[str, api.JSON], resource: api.Resource, lookup: Lookup
    ) -> api.JSON:
        try:
            with kit.no_io():
                return resolver.resolve(arguments, resource, lookup)
        except api.JobError:
            raise
        except kit.Forbidden as error:
            change = "planning is pure: a value comes from arguments, resource and lookup; a handler may ask the world"
            self.fail(kit.advice(f"resolve {error}", change))
        except Exception as error:
            change = "raise api.PermanentError(message) for what can't be used; anything else counts as a bug"
            text = f"resolve let {type(error).__name__} through: {error}, with the arguments {dict(arguments)!r}"
            raise AssertionError(kit.advice(text, change)) from error


def _altered(resource: api.Resource, relations: Mapping[str, Mapping[str, str]]) -> api.Resource:
    """A copy with other values; ids and relations stay."""
    keep = {"id", *relations.get(resource.ref.resource_type, {})}
    body = {
        name: f"other {value}" if isinstance(value, str) and name not in keep else value
        for name, value in resource.body.items()
    }
    return api.Resource(resource.ref, body, resource.version + 1)


def _planted(resource: api.Resource, secret: str) -> api.Resource:
    return api.Resource(resource.ref, kit.planted(dict(resource.body), secret), resource.version)
