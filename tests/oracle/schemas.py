"""Random resource types, the bodies that fit them, and templates with mappings from the whole grammar."""

import string

from tests.oracle import mappings

PREFIXES = ("v2.0", "v2.0", "v2.0", "common/v1.0", "facility/v3", "a/b/c")
DECIDING = ("state", "owner", "tenant_id")
OWNERS = ("network:dhcp", "network:gateway", "compute")
SCALARS = ("name", "label", "size", "ratio", "enabled", "blob", "list", "tree")
HANDLERS = ("heat_worker", "monitoring_worker")
_WORDS = "rack switch tunnel vault gate lamp meter pump route badge door link"


TARGET = "relative: {type: etcd_reader, etcd_type: anything, etcd_id: anywhere}\n"


def _stack(params):
    """A stack's template that takes these params and has all outputs."""
    declared = "".join(f"  {name}: {{type: string, default: x}}\n" for name in params if not name.startswith("jinja_"))
    outputs = "".join(f"  {key}: {{value: the-{key}}}\n" for key in mappings.KEYS)
    return f"heat_template_version: 2015-04-30\nparameters:\n{declared}outputs:\n{outputs}"


def names(source, count):
    """Names of types."""
    words = _WORDS.split()
    return source.sample([f"{one}_{other}" for one in words for other in words if one != other], count)


class Schemas:
    """The types of a deployment.

    :ivar places: type -> (prefix, plural)
    :ivar relations: type -> field -> type
    :ivar loose: the same for fields that hold an id, though the catalog does not know it
    :ivar rare: (type, field) of those that are often empty
    :ivar items: type -> (the type that items refer to, the type that scalar items are ids of)
    :ivar choices: handler -> type -> mapping
    """

    def __init__(self, source, count):
        self.random = source
        kinds = names(source, count)
        self.places = {kind: (source.choice(PREFIXES), f"{kind}s") for kind in kinds}
        self.relations = {
            kind: {f"{source.choice(('', 'first_', 'other_'))}{target}_id": target for target in self._some(kinds, 3)}
            for kind in kinds
        }
        for kind in self._some(kinds, 2):
            self.relations[kind]["parent_id"] = kind
        self.loose = {kind: {f"{each}_ref": each for each in self._some(kinds, 2)} for kind in kinds}
        fields = [(kind, field) for kind in kinds for field in {**self.relations[kind], **self.loose[kind]}]
        self.rare = {each for each in fields if source.random() < 0.25}
        self.items = {kind: (source.choice(kinds), source.choice(kinds)) for kind in kinds}
        self.choices = {handler: self._choices(kinds, handler) for handler in HANDLERS}

    def _some(self, kinds, most):
        return self.random.sample(kinds, self.random.randint(0, min(most, len(kinds))))

    def _choices(self, kinds, handler):
        short = handler.partition("_")[0]
        chosen = {}
        for kind in kinds:
            dice = self.random.random()
            if dice < 0.2:
                continue
            if dice < 0.6:
                chosen[kind] = f"C{kind}_{short}"
            elif dice < 0.8:
                chosen[kind] = f"AC{kind}_{short}_&Pstate"
            else:
                relation, pattern = self.random.choice((("regexp", "network:.*"), ("equal", "compute")))
                chosen[kind] = {
                    "if_mapping": {relation: [{"field": "owner"}, {"constant": pattern}]},
                    "then_mapping": {"constant": None},
                    "else_mapping": self.random.choice((f"C{kind}_{short}", {"constant": f"{kind}_{short}"})),
                }
        return chosen

    def catalog(self):
        """The catalog document: tables, and descriptions for what they can't say."""
        types = []
        for kind, (prefix, plural) in self.places.items():
            if prefix != "v2.0" or kind.endswith("switch") or self.random.random() < 0.5:
                types.append({"id": kind, "prefix": prefix, "plural": plural})
        return {"relations": self.relations, "templates": self.choices, "types": types}

    def templates(self, source=None):
        """Bodies of templates: all that the choices can come to.

        :param source: gives the mappings
        """
        source = source or self.random
        found = []
        for handler, choices in self.choices.items():
            for kind in choices:
                base = f"{kind}_{handler.partition('_')[0]}"
                for name in (base, *(f"{base}_{state}" for state in ("new", "existing"))):
                    found.append(self._template(source, name, handler, kind))
        return found

    def _template(self, source, name, handler, kind):
        maker = mappings.Maker(source, self, kind, own=0.01 if handler == HANDLERS[0] else 0.2)
        params = {f"{source.choice(('', 'jinja_'))}p{n}": maker.mapping() for n in range(source.randint(0, 6))}
        text = _stack(params) if handler == HANDLERS[0] else source.choice(("", TARGET))
        return {
            "id": name, "handler": handler, "watch": [], "template_file": text, "parameter_mappings": params,
        }  # fmt: skip

    # -- bodies ------------------------------------------------------------------------------------------------

    def body(self, ref, pools, present):
        """A body: relations mostly filled, other fields of all kinds, some absent or null.

        :param pools: type -> ids
        :param present: the refs that are there
        """
        kind, name = ref
        body = {"id": name, "tenant_id": self.random.choice(("tenant-a", "tenant-b"))}
        body |= {"state": self.random.choice(("new", "existing")), "owner": self.random.choice(OWNERS)}
        for field, target in {**self.relations[kind], **self.loose[kind]}.items():
            self._optional(body, field, self._id(target, pools, present), 0.4 if (kind, field) in self.rare else 0)
        for field in SCALARS:
            self._optional(body, field, self.scalar(field), 0.08)
        of, ids = self.items[kind]
        self._optional(body, "items", [self._item(of, pools, present) for _ in range(self.random.randint(0, 3))], 0.1)
        self._optional(body, "ids", [self._id(ids, pools, present) for _ in range(self.random.randint(0, 3))], 0.1)
        return body

    def _optional(self, body, field, value, share):
        """Set a field, but for a share of cases, in which it is absent, null or, if it were a string, empty."""
        dice = self.random.random()
        if dice < share / 2:
            body[field] = None if dice < share / 4 or not isinstance(value, str) else ""
        elif dice > share:
            body[field] = value

    def _id(self, target, pools, present):
        there = [name for name in pools[target] if (target, name) in present]
        dice = self.random.random()
        if there and dice < 0.93:
            return self.random.choice(there)
        return "nobody" if dice > 0.9995 else self.random.choice(pools[target])

    def _item(self, of, pools, present):
        item = {
            "size": self.random.randint(0, 3),
            "name": self.text(),
            "subs": [{"x": n} for n in self._some([1, 2], 2)],
        }
        item["ref"] = self._id(of, pools, present)
        self._optional(item, "maybe", self._id(of, pools, present), 0.4)
        return item

    def text(self):
        """Some text, now and then beyond ASCII or empty."""
        return self.random.choice(("", "ä€", "a b", "7", "x:y", "net&work", self.random.choice(string.ascii_lowercase)))

    def scalar(self, field):
        """A value for one of the fields that refer to nothing."""
        return {
            "name": self.text(), "label": self.random.choice(("net-1", "net-22", "edge")),
            "size": self.random.randint(-5, 5),
            "ratio": self.random.choice((0.5, 2.0, 1e-7)), "enabled": self.random.random() < 0.5,
            "blob": self.random.choice(({"a": [1, None, "x"]}, {}, {"b": {"c": False}})),
            "list": self.random.choice(([], [1, "1", True, None], [[{}]])),
            "tree": self.random.choice(({"a": {"b": 1}}, {"a": {"b": None}}, {"a": None}, {}, {"a": {"b": "c"}})),
        }[field]  # fmt: skip
