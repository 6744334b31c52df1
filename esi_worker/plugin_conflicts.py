"""What plug-ins that are all right alone must not be to each other: two of one name, of one record kind, of one key."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from esi_worker import plugin_checks


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A plug-in that an installed package offers.

    :ivar group: the entry point's group
    :ivar name: the entry point's name
    :ivar package: the package that offers it
    :ivar version: that package's version
    :ivar target: what the entry point names, as ``module:attribute``
    :ivar error: why it is refused; empty if it isn't
    :ivar needs: what must be configured before it can be made; empty if nothing, or if nobody tried
    :ivar advice: what its author should change, though it works
    """

    group: str
    name: str
    package: str
    version: str
    target: str
    error: str = ""
    needs: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name} (package {self.package} {self.version}, "
            f"entry point {self.group}: {self.name} = {self.target})"
        )


@dataclasses.dataclass(slots=True)
class Candidate:
    """A plug-in while it is checked.

    :ivar loaded: what its entry point names; None if it can't be loaded
    :ivar reasons: why it is refused, so far
    :ivar needs: what must be configured before it can be made
    :ivar advice: what its author should change, though it works
    """

    found: Found
    loaded: Any
    reasons: list[str]
    needs: list[str] = dataclasses.field(default_factory=list)
    advice: list[str] = dataclasses.field(default_factory=list)

    def result(self) -> Found:
        """What is told of it."""
        return dataclasses.replace(
            self.found, error="; ".join(self.reasons), needs="; ".join(self.needs), advice="; ".join(self.advice)
        )


def accepted(candidates: Iterable[Candidate], *groups: str) -> list[Candidate]:
    """Those of these groups that nothing speaks against so far."""
    return [each for each in candidates if each.found.group in groups and not each.reasons]


def check(candidates: Sequence[Candidate], reserved: Collection[str]) -> None:
    """Add the reasons to refuse those that clash.

    :param candidates: all installed plug-ins
    :param reserved: names of option groups that belong to esi-worker itself
    """
    _check_names(candidates)
    _check_option_groups(candidates, reserved)
    _check_record_kinds(candidates)
    _check_resource_types(candidates)


def _check_names(candidates: Sequence[Candidate]) -> None:
    for others, each in _sharing(candidates, lambda each: (each.found.group, each.found.name)):
        packages = ", ".join(f"{other.found.package} ({other.found.target})" for other in others)
        each.reasons.append(f"its name is also used by {packages}")


def _check_option_groups(candidates: Sequence[Candidate], reserved: Collection[str]) -> None:
    for each in candidates:
        if each.found.group in (plugin_checks.HANDLERS, plugin_checks.PROBES) and each.found.name in reserved:
            each.reasons.append(f"its option group would be [{each.found.name}], which is esi-worker's own")


def _check_record_kinds(candidates: Sequence[Candidate]) -> None:
    handlers = accepted(candidates, plugin_checks.HANDLERS)
    for others, each in _sharing(handlers, lambda each: plugin_checks.record_kind(each.found.name, each.loaded)):
        kind = plugin_checks.record_kind(each.found.name, each.loaded)
        each.reasons.append(f"its record kind {kind} is also that of {', '.join(other.found.name for other in others)}")


def _check_resource_types(candidates: Sequence[Candidate]) -> None:
    # Refused handlers count too: one fault is told once.
    handlers = sorted({each.found.name for each in candidates if each.found.group == plugin_checks.HANDLERS})
    types = accepted(candidates, plugin_checks.RESOURCE_TYPES)
    for each in types:
        unknown = sorted(set(each.loaded.templates) - set(handlers))
        if unknown:
            each.reasons.append(f"its templates are for {', '.join(unknown)}; the handlers are {', '.join(handlers)}")
    for others, each in _sharing(types, lambda each: (each.loaded.prefix, each.loaded.plural)):
        names = ", ".join(other.found.name for other in others)
        each.reasons.append(f"its keys {each.loaded.prefix}/{each.loaded.plural} are also those of {names}")


def _sharing(
    candidates: Sequence[Candidate], key: Callable[[Candidate], object]
) -> Iterable[tuple[list[Candidate], Candidate]]:
    """Each candidate whose key others have too, with those others; found before any of them is refused."""
    groups: dict[object, list[Candidate]] = {}
    for each in candidates:
        groups.setdefault(key(each), []).append(each)
    return [
        ([other for other in group if other is not each], each)
        for group in groups.values()
        for each in group
        if len(group) > 1
    ]
