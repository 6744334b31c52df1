"""The forms of the parameter mapping language, and the way from JSON to them.

A mapping is a compact string or an object; both become the same nodes, so there is one evaluator.

=========  =================================  ==========================================================
compact    object                             node
=========  =================================  ==========================================================
``Ctext``  ``{"constant": json}``             :class:`nodes.Constant`
``Pf``     ``{"field": f}``                   :class:`nodes.Field`
``Fhops``  ``{"field": f, "path": [...]}``    :class:`nodes.Field`; ``Fa+a_id:b+b_id:f`` passes an ``a``, then a ``b``
``Oa:b``   ``{"nested": ["a", "b"]}``         :class:`nodes.Nested`
``Mt:i:k`` ``{"output_key": k, "path": ...}`` :class:`nodes.OutputKey`
``V...``   ``{"version": "auto_filled"}``     :class:`nodes.Version`
``Aa&b``   ``{"concatenate": [...]}``         :class:`nodes.Concatenate`
..         ``for_field``, ``for_mapping``     :class:`nodes.For`
..         ``if_mapping``, ...                :class:`nodes.If`
..         ``{"resolver": name, ...}``        :class:`nodes.Resolve`
=========  =================================  ==========================================================

A bare string means three things by its place: a compact mapping (the value of a parameter, a branch, the choice of
a template), a literal (in ``equal``, ``regexp`` and ``concatenate``), or a field's name (in ``for_field`` and as an
element of a path).
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Final

from esi_worker.api import types
from esi_worker.mapping import nodes

MAX_DEPTH: Final = 32
"""How deeply mappings may be nested; the deepest one seen in the field has four levels."""

_AUTO: Final = "auto_filled"


class Invalid(ValueError):
    """A mapping has no form that the language knows; the text says what is wrong."""


def parse(mapping: types.JSON, depth: int = 0) -> nodes.Node:
    """Read a mapping.

    :param mapping: a compact string or an object
    :param depth: how many mappings it stands in
    :raises Invalid: saying what is wrong with it
    """
    if depth > MAX_DEPTH:
        raise Invalid(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(mapping, str):
        return _compact(mapping, depth)
    if not isinstance(mapping, Mapping):
        raise Invalid(f"a mapping is a string or an object, this is {kind(mapping)}")
    for member, read in _FORMS.items():
        if member in mapping:
            return read(mapping, depth)
    raise Invalid(f"no form of the language has the members {_names(mapping)}; known forms are {_names(_FORMS)}")


def kind(value: types.JSON) -> str:
    """What a JSON value is, in JSON's words, without showing it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "a list"


def _names(members: Mapping[str, object]) -> str:
    return ", ".join(sorted(str(each)[:40] for each in members)[:12]) or "(none)"


def _compact(text: str, depth: int) -> nodes.Node:
    letter, rest = text[:1], text[1:]
    shown = _show(text)
    if letter == "C":
        return nodes.Constant(rest)
    if letter == "P":
        return nodes.Field(_filled(rest, text))
    if letter == "O":
        return nodes.Nested(tuple(_filled(name, text) for name in rest.split(":")))
    if letter == "F":
        return _hops(text)
    if letter == "M":
        parts = rest.split(":")
        if len(parts) != 3 or not all(parts):
            raise Invalid(f"{shown} has not the form M<type>:<id field>:<output key>")
        return nodes.OutputKey(parts[2], (nodes.TypedHop(parts[0], parts[1]),))
    if letter == "V":
        return _version({"version": rest}, depth)
    if letter == "A":
        return nodes.Concatenate(tuple(parse(part, depth + 1) for part in rest.split("&")))
    raise Invalid(f"{shown} is no compact mapping: it begins with none of C, P, O, F, M, V, A")


def _hops(text: str) -> nodes.Field:
    *hops, field = text[1:].split(":")
    path = []
    for hop in hops:
        resource_type, plus, id_field = hop.partition("+")
        if not (resource_type and plus and id_field):
            raise Invalid(f"{_show(text)} has the hop {_show(hop)}, which has not the form <type>+<id field>")
        path.append(nodes.TypedHop(resource_type, id_field))
    if not path:
        raise Invalid(f"{_show(text)} has no hop: it has the form F<type>+<id field>:<field>")
    return nodes.Field(_filled(field, text), tuple(path))


def _filled(name: str, text: str) -> str:
    if not name:
        raise Invalid(f"{_show(text)} lacks the name of a field")
    return name


def _show(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:97] + "...")


def _members(mapping: Mapping[str, types.JSON], required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Refuse what the form does not have: a member that is misspelt must not be without effect."""
    for member in required:
        if member not in mapping:
            raise Invalid(f"{member!r} is missing beside {_names(mapping)}")
    for member in mapping:
        if member not in required and member not in optional:
            raise Invalid(f"{required[0]!r} does not go with {_show(str(member))}")


def _text(value: types.JSON, what: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{what} is a string, not {kind(value)}")
    return value


def _list(value: types.JSON, what: str) -> list[types.JSON]:
    if not isinstance(value, (list, tuple)):
        raise Invalid(f"{what} is a list, not {kind(value)}")
    return list(value)


def _constant(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("constant",))
    return nodes.Constant(mapping["constant"])


def _field(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("field",), ("path", "ignore_missing"))
    ignore = mapping.get("ignore_missing", False)
    if not isinstance(ignore, bool):
        raise Invalid(f"'ignore_missing' is a boolean, not {kind(ignore)}")
    return nodes.Field(_text(mapping["field"], "'field'"), _path(mapping, depth), ignore)


def _output_key(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("output_key",), ("path",))
    return nodes.OutputKey(_text(mapping["output_key"], "'output_key'"), _path(mapping, depth))


def _version(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("version",))
    if mapping["version"] != _AUTO:
        raise Invalid(f"a version is {_AUTO!r} and nothing else")
    return nodes.Version()


def _nested(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("nested",))
    names = tuple(_text(name, "an element of 'nested'") for name in _list(mapping["nested"], "'nested'"))
    if not names:
        raise Invalid("'nested' names no field")
    return nodes.Nested(names)


def _concatenate(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Concatenate:
    _members(mapping, ("concatenate",))
    return nodes.Concatenate(tuple(_operand(each, depth) for each in _list(mapping["concatenate"], "'concatenate'")))


def _operand(operand: types.JSON, depth: int) -> nodes.Node:
    if isinstance(operand, str):
        return nodes.Constant(operand)
    return parse(operand, depth + 1)


def _for(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("for_field", "for_mapping"))
    source = mapping["for_field"]
    items = nodes.Field(source) if isinstance(source, str) else parse(source, depth + 1)
    return nodes.For(items, parse(mapping["for_mapping"], depth + 1))


def _if(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    _members(mapping, ("if_mapping", "then_mapping", "else_mapping"))
    condition = mapping["if_mapping"]
    if not isinstance(condition, Mapping) or len(condition) != 1 or not {"equal", "regexp"} & set(condition):
        raise Invalid("'if_mapping' is an object with either 'equal' or 'regexp'")
    [(relation, operands)] = condition.items()
    pair = _list(operands, repr(relation))
    if len(pair) != 2:
        raise Invalid(f"{relation!r} has two operands, not {len(pair)}")
    return nodes.If(
        relation,
        _operand(pair[0], depth),
        _operand(pair[1], depth),
        parse(mapping["then_mapping"], depth + 1),
        parse(mapping["else_mapping"], depth + 1),
    )


def _resolver(mapping: Mapping[str, types.JSON], depth: int) -> nodes.Node:
    name = _text(mapping["resolver"], "'resolver'")
    return nodes.Resolve(name, {key: value for key, value in mapping.items() if key != "resolver"})


def _path(mapping: Mapping[str, types.JSON], depth: int) -> tuple[nodes.Hop, ...]:
    return tuple(_hop(each, depth) for each in _list(mapping.get("path", []), "'path'"))


def _hop(element: types.JSON, depth: int) -> nodes.Hop:
    if isinstance(element, str):
        return nodes.RelationHop(element)
    if isinstance(element, Mapping) and set(element) == {"type", "id"}:
        return nodes.TypedHop(_text(element["type"], "a hop's 'type'"), _text(element["id"], "a hop's 'id'"))
    if isinstance(element, Mapping) and set(element) == {"concatenate"}:
        return nodes.ComputedHop(_concatenate(element, depth + 1))
    found = _names(element) if isinstance(element, Mapping) else kind(element)
    raise Invalid(f"an element of a path is a field's name, {{type, id}} or {{concatenate}}, not {found}")


# In this order: a resolver's own arguments may be called like the members of another form.
_FORMS: Final[Mapping[str, Callable[[Mapping[str, types.JSON], int], nodes.Node]]] = {
    "resolver": _resolver,
    "if_mapping": _if,
    "for_field": _for,
    "concatenate": _concatenate,
    "nested": _nested,
    "output_key": _output_key,
    "version": _version,
    "constant": _constant,
    "field": _field,
}
