"""The parameter mapping language once more, written from its description alone.

Refs are pairs (type, id).
"""

import json
import re


class Missing(Exception):
    """A resource that is passed on the way isn't there, or not named: whoever needs it waits."""


class Wrong(Exception):
    """A mapping that can't be evaluated."""


class Ambiguous(Exception):
    """The description allows for more than one answer."""


def expand(mapping):
    """The object that a compact mapping stands for."""
    if not isinstance(mapping, str):
        return mapping
    form, text = mapping[:1], mapping[1:]
    parts = text.split(":")
    if form == "C":
        return {"constant": text}
    if form == "P":
        return {"field": text}
    if form == "O":
        return {"nested": parts}
    if form == "V":
        return {"version": text}
    if form == "A":
        return {"concatenate": [expand(part) for part in text.split("&")]}
    if form == "F":
        hops = [part.split("+") for part in parts[:-1]]
        return {"field": parts[-1], "path": [{"type": kind, "id": name} for kind, name in hops]}
    if form == "M":
        kind, name, key = parts
        return {"output_key": key, "path": [{"type": kind, "id": name}]}
    raise Wrong(f"unknown form {mapping!r}")


def get(body, name):
    """A field of a body; of a scalar item, the one that is named ""."""
    if isinstance(body, dict) and name != "":
        return body.get(name)
    if not isinstance(body, (dict, list)) and name == "":
        return body
    raise Ambiguous(f"the field {name!r} of {body!r}")


def named(value):
    """A value as the id of another resource."""
    if value is not None and not isinstance(value, str):
        raise Ambiguous(f"{value!r} as an id")
    return value


def outputs(mapping):
    """Whether a mapping can give an output."""
    mapping = expand(mapping)
    members = (mapping.get("then_mapping"), mapping.get("else_mapping"), mapping.get("for_mapping"))
    return "output_key" in mapping or any(outputs(each) for each in members if each is not None)


class Place:
    """Where a mapping is evaluated: a resource, or an item of a list of it (``kind`` is None then)."""

    def __init__(self, world, ref, body, version, kind):
        self.world, self.ref, self.body, self.version, self.kind = world, ref, body, version, kind

    def item(self, value):
        return Place(self.world, self.ref, value, self.version, None)


def walk(path, place):
    """Follow hops; :returns: the refs passed and the body of the last."""
    kind, body, passed = place.kind, place.body, []
    for hop in path:
        if isinstance(hop, dict) and "type" in hop:
            target, field = hop["type"], hop["id"]
        else:
            if isinstance(hop, dict):
                _, hop, resources = evaluate(hop, place)
                if resources or passed:
                    raise Ambiguous("a hop's name made of what other resources say, or asked for after a hop")
            if kind is None:
                raise Ambiguous("a relation of an item")
            target, field = place.world.relations.get(kind, {}).get(hop), hop
            if target is None:
                raise Wrong(f"{kind} has no relation {hop!r}")
        ref = (target, named(get(body, field)))
        place.world.asked.add(ref)
        if not ref[1] or ref not in place.world.documents:
            raise Missing(ref)
        passed.append(ref)
        kind, body = target, place.world.documents[ref]["body"]
    return passed, body


def operand(value, place):
    """An operand of equal, regexp or concatenate: a bare string is a literal."""
    if isinstance(value, str):
        return value, []
    found, value, resources = evaluate(value, place)
    if found != "value":
        raise Ambiguous("an output as an operand")
    return value, resources


def holds(condition, place):
    ((name, operands),) = condition.items()
    one, other = (operand(each, place)[0] for each in operands)
    if name == "equal":
        if one is None and other is None:
            raise Ambiguous("null equals null, or never matches")
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    if one is None or other is None:
        return False
    if not isinstance(one, str) or not isinstance(other, str):
        raise Ambiguous("a pattern and something that is no string")
    return re.fullmatch(other, one) is not None


def joined(operands, place):
    texts, resources = [], []
    for each in operands:
        value, passed = operand(each, place)
        if value is None:
            raise Wrong("a concatenation with null")
        if isinstance(value, (bool, float, dict, list)):
            raise Ambiguous(f"{value!r} as a string")
        texts.append(str(value))
        resources += passed
    return "".join(texts), resources


def for_each(mapping, place):
    source = mapping["for_field"]
    _, items, resources = evaluate(source, place) if isinstance(source, dict) else (0, get(place.body, source), [])
    if not isinstance(items, (list, type(None))):
        raise Ambiguous(f"a for over {items!r}")
    found = [evaluate(mapping["for_mapping"], place.item(item)) for item in items or []]
    kinds = {kind for kind, _, _ in found}
    resources = resources + [ref for _, _, passed in found for ref in passed]
    if kinds <= {"value"}:
        return (
            ("value or list" if not kinds and outputs(mapping) else "value"),
            [value for _, value, _ in found],
            resources,
        )
    if kinds != {"output_key"}:
        raise Ambiguous("a list of values and outputs, or of lists")
    return "list", [output for _, output, _ in found], resources


def evaluate(mapping, place):
    """:returns: type, value, resources."""
    mapping = expand(mapping)
    if "constant" in mapping:
        return "value", mapping["constant"], []
    if "version" in mapping:
        return "value", place.version, []
    if "nested" in mapping:
        value = place.body
        for name in mapping["nested"]:
            value = None if value is None else get(value, name)
        return "value", value, []
    if "concatenate" in mapping:
        return "value", *joined(mapping["concatenate"], place)
    if "if_mapping" in mapping:
        return evaluate(mapping["then_mapping" if holds(mapping["if_mapping"], place) else "else_mapping"], place)
    if "for_field" in mapping:
        return for_each(mapping, place)
    if "output_key" in mapping:
        if not mapping.get("path") and place.kind is None:
            raise Ambiguous("an item's own output")
        passed, _ = walk(mapping.get("path", []), place)
        kind, name = passed[-1] if passed else place.ref
        value = {"output_key": mapping["output_key"], "resource_type": kind, "resource_id": name}
        return "output_key", value, passed
    if "field" not in mapping:
        raise Wrong(f"unknown form {mapping!r}")
    if "path" not in mapping:
        value = get(place.body, mapping["field"])
        target = place.world.relations.get(place.kind, {}).get(mapping["field"])
        return "value", value, [(target, named(value))] if target and value else []
    try:
        passed, body = walk(mapping["path"], place)
    except Missing:
        if mapping.get("ignore_missing"):
            return "value", "", []
        raise
    return "value", get(body, mapping["field"]), passed
