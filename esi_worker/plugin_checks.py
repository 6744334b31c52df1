"""What a plug-in must be to be let in.  Pure: a loaded object goes in, the reasons to refuse it come out.

What its methods must take is read off the base class in :mod:`esi_worker.api`, so there is one place that says it.
Plug-ins are always called with positional arguments, so the names of a plug-in's parameters are its own affair.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from oslo_config import cfg

from esi_worker import api
from esi_worker.store import keys

HANDLERS: Final = "esi_worker.handlers"
RESOLVERS: Final = "esi_worker.resolvers"
PROBES: Final = "esi_worker.probes"
RESOURCE_TYPES: Final = "esi_worker.resource_types"
GROUPS: Final = (HANDLERS, RESOLVERS, PROBES, RESOURCE_TYPES)

_BASES: Final[Mapping[str, type]] = {HANDLERS: api.Handler, RESOLVERS: api.Resolver, PROBES: api.Probe}


def problems(group: str, name: str, loaded: object) -> Iterator[str]:
    """Reasons to refuse what an entry point gave, each a phrase; none if it is all right.

    :param group: the entry point's group
    :param name: the entry point's name
    :param loaded: what it names
    """
    if not keys.ID_PATTERN.fullmatch(name):
        yield f"the name {name!r} can't be used: a name is 1 to 128 of A-Z a-z 0-9 _ . -"
    if group == RESOURCE_TYPES:
        yield from _resource_type_problems(name, loaded)
    else:
        yield from _class_problems(group, name, loaded)


def _class_problems(group: str, name: str, loaded: object) -> Iterator[str]:
    base = _BASES[group]
    if not isinstance(loaded, type):
        yield f"it is not a class but {describe(loaded)}; a class derived from api.{base.__name__} is wanted"
        return
    if not issubclass(loaded, base) or loaded is base:
        yield f"the class {loaded.__name__} is not derived from api.{base.__name__}"
        return
    missing = sorted(getattr(loaded, "__abstractmethods__", ()))
    if missing:
        yield f"the class {loaded.__name__} lacks the {_count('method', missing)} {', '.join(missing)}"
    for method in sorted(vars(base)):
        if not method.startswith("_") and method not in missing and inspect.isfunction(vars(base)[method]):
            yield from method_problems(base, loaded, method)
    yield from _constructor_problems(group, loaded)
    for attribute, (accepts, wanted) in _ATTRIBUTES[group].items():
        value = getattr(loaded, attribute)
        if not accepts(value):
            yield f"its attribute {attribute} is {value!r}: {wanted} is wanted"
    if group == HANDLERS and isinstance(record_kind(name, loaded), str):
        yield from _record_kind_problems(record_kind(name, loaded))


def record_kind(name: str, handler: Any) -> str:
    """The kind of records a handler keeps: by default named like its entry point."""
    kind: str = handler.record_kind or name
    return kind


def method_problems(base: type, loaded: type, method: str) -> Iterator[str]:
    """Why a method can't be called as that of the base class is.

    :param method: the name of a method that ``base`` itself defines
    """
    agreed = list(inspect.signature(vars(base)[method]).parameters)[1:]
    call = f"{method}({', '.join(agreed)})"
    found = inspect.getattr_static(loaded, method)
    function = getattr(loaded, method)
    if not callable(function):
        yield f"its {method} is not a method but {describe(function)}; it is called as {call}"
        return
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        yield f"its {method} is a coroutine or a generator; a plain method is wanted"
        return
    own_self = () if isinstance(found, (staticmethod, classmethod)) else (None,)
    reason = bind(function, [*own_self, *agreed])
    if reason:
        yield f"its {method} can't be called as {call}: {reason}"


def _constructor_problems(group: str, loaded: type) -> Iterator[str]:
    agreed = [] if group == RESOLVERS else ["settings"]
    reason = bind(loaded, agreed)
    if reason:
        yield f"its constructor can't be called as {loaded.__name__}({', '.join(agreed)}): {reason}"


def bind(function: Callable[..., object], arguments: Sequence[object]) -> str:
    """:returns: why a call with these arguments fails; empty if it doesn't."""
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def _record_kind_problems(kind: str) -> Iterator[str]:
    if kind in keys.RESERVED_KINDS:
        yield f"the record kind {kind} belongs to esi-worker itself"
    elif not keys.ID_PATTERN.fullmatch(kind):
        yield f"the record kind {kind!r} can't be part of a key: it is 1 to 128 of A-Z a-z 0-9 _ . -"


def _resource_type_problems(name: str, loaded: object) -> Iterator[str]:
    if not isinstance(loaded, api.ResourceType):
        yield f"it is {describe(loaded)}; an object of the class api.ResourceType is wanted"
        return
    wrong = [each for each, accepts in _FIELDS.items() if not accepts(getattr(loaded, each))]
    for field in wrong:
        yield f"its {field} is {getattr(loaded, field)!r}, which can't be used"
    if wrong:
        return
    if loaded.id != name:
        yield f"its id is {loaded.id}, but its entry point is named {name}"
    if f"{loaded.prefix}/{loaded.plural}" == "v2.0/heat_templates":
        yield "its plural is heat_templates, but under that name there are templates, not resources"


def describe(value: object) -> str:
    """What an object is, in a phrase."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isroutine(value):
        return f"the function {value.__name__}"
    if inspect.ismodule(value):
        return f"the module {value.__name__}"
    return f"an object of the class {type(value).__name__}"


def _count(noun: str, members: Sequence[object]) -> str:
    return noun if len(members) == 1 else f"{noun}s"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(keys.ID_PATTERN.fullmatch(value))


def _is_prefix(value: object) -> bool:
    return isinstance(value, str) and all(_is_word(part) for part in value.split("/"))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_order(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_options(value: object) -> bool:
    if not isinstance(value, Sequence) or not all(isinstance(each, cfg.Opt) for each in value):
        return False
    names = [each.dest for each in value]
    return len(names) == len(set(names))


def _is_relations(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_text(key) and _is_word(each) for key, each in value.items())


def _is_templates(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_text(key) for key in value)


_Kind = tuple[Callable[[object], bool], str]

_OPTIONS: Final[_Kind] = (_is_options, "a sequence of oslo.config options with different names")
_SECONDS: Final[_Kind] = (_is_seconds, "a number of seconds")

_ATTRIBUTES: Final[Mapping[str, Mapping[str, _Kind]]] = {
    HANDLERS: {
        "options": _OPTIONS,
        "order": (_is_order, "a whole number"),
        "torn_down_before_modify": (_is_flag, "True or False"),
        "record_kind": (_is_text, "a text"),
    },
    RESOLVERS: {},
    PROBES: {
        "options": _OPTIONS,
        "transport": (_is_text, "a text"),
        "wanted_status": (_is_text, "a text"),
        "timeout": _SECONDS,
        "interval": _SECONDS,
    },
}

_FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "id": _is_word,
    "plural": _is_word,
    "prefix": _is_prefix,
    "relations": _is_relations,
    "templates": _is_templates,
    "two_step_deletion": _is_flag,
}
