"""Random mappings from the whole grammar that fit a type."""

FIELDS = ("id", "name", "label", "size", "ratio", "enabled", "blob", "list", "tree", "state", "absent", "items", "ids")
TEXTS = ("id", "state", "owner", "size", "name", "label")
KEYS = ("id", "fq_name", "address")
JSON = (None, True, False, 0, 1, 1.5, "", "text", "Pname", [], [1, "1"], {"a": None})


class Maker:
    """Makes mappings.

    :param source: gives chance
    :param schemas: the types
    :param kind: the type that the mappings are for
    :param own: how often an output is the resource's own: a stack can't have that before it is created
    """

    def __init__(self, source, schemas, kind, own):
        self.random, self.schemas, self.kind, self.own = source, schemas, kind, own

    def mapping(self, depth=0):
        """Any mapping on the resource."""
        forms = [
            self._constant, self._field, self._field, self._nested, self._version, self._walked, self._walked,
            self._compact_hops, self._output, self._joined, self._compact_joined, self._for, self._for,
            self._if, self._if,
        ]  # fmt: skip
        return self.random.choice(forms)(depth)

    def value(self, depth):
        """One whose value is plain."""
        forms = [self._constant, self._field, self._nested, self._version, self._walked, self._joined]
        return self.random.choice(forms)(depth)

    # -- paths -------------------------------------------------------------------------------------------------

    def _targets(self, kind, rare=False):
        """Fields that lead on from a type, with the types they lead to; those often empty only now and then."""
        rare = rare or self.random.random() < 0.01
        known = self.schemas.relations[kind] | self.schemas.loose[kind]
        return sorted((field, to) for field, to in known.items() if rare or (kind, field) not in self.schemas.rare)

    def path(self, kind, hops, first=None, rare=False):
        """Some hops.

        :param first: a hop that is there already
        :param rare: whether they may well be empty
        :returns: the hops and the type they end at, or None where nothing leads on from the type
        """
        path = [first] if first else []
        while len(path) < hops:
            targets = self._targets(kind, rare)
            if not targets:
                break
            field, target = self.random.choice(targets)
            path.append(self._hop(kind, field, target, first=not path))
            kind = target
        return (path, kind) if path else None

    def _hop(self, kind, field, target, first):
        if field not in self.schemas.relations[kind] or self.random.random() < 0.3:
            return {"type": target, "id": field}
        if first and self.random.random() < 0.15:
            cut = self.random.randint(0, len(field))
            return {"concatenate": [field[:cut], {"constant": field[cut:]}]}
        return field

    def _length(self):
        return self.random.choice((1, 1, 1, 1, 1, 2, 2, 3, 4))

    def _any_field(self, kind):
        return self.random.choice((*FIELDS, *(field for field, _ in self._targets(kind, rare=True))))

    # -- forms -------------------------------------------------------------------------------------------------

    def _constant(self, depth):
        text = self.random.choice(("", "60", "Pname", "a:b+c", "ä"))
        return self.random.choice((f"C{text}", {"constant": self.random.choice(JSON)}))

    def _field(self, depth):
        name = self._any_field(self.kind)
        return self.random.choice((f"P{name}", {"field": name}, {"field": name}))

    def _nested(self, depth):
        names = self.random.choice((["tree", "a"], ["tree", "a", "b"], ["tree", "z", "y"], ["absent", "a"], ["name"]))
        return self.random.choice((f"O{':'.join(names)}", {"nested": names}))

    def _version(self, depth):
        return self.random.choice(("Vauto_filled", {"version": "auto_filled"}))

    def _walked(self, depth):
        ignore = {"ignore_missing": True} if self.random.random() < 0.5 else {}
        found = self.path(self.kind, self._length(), rare=bool(ignore))
        if not found:
            return self._field(depth)
        path, kind = found
        return {"field": self._any_field(kind), "path": path} | ignore

    def _compact_hops(self, depth):
        kind, hops = self.kind, []
        for _ in range(self._length()):
            targets = self._targets(kind)
            if targets:
                field, kind = self.random.choice(targets)
                hops.append(f"{kind}+{field}")
        return f"F{':'.join(hops)}:{self._any_field(kind)}" if hops else self._constant(depth)

    def _output(self, depth):
        key = self.random.choice(KEYS)
        found = self.path(self.kind, self._length())
        targets = self._targets(self.kind)
        if self.random.random() < self.own:
            return {"output_key": key}
        if not found or not targets:
            return self._constant(depth)
        if self.random.random() < 0.5:
            field, target = self.random.choice(targets)
            return f"M{target}:{field}:{key}"
        return {"output_key": key, "path": found[0]}

    def operand(self, depth):
        """What can be joined: mostly what is a string or a number."""
        found = self.path(self.kind, 1, rare=True)
        forms = ["Pname", "", "x&y", {"field": self.random.choice(TEXTS)}, {"constant": 7}, {"version": "auto_filled"}]
        if depth < 3:
            forms += [{"concatenate": [self.operand(depth + 1)]}, self._if(depth + 1, self._text)]
        if found:
            forms += [{"field": self.random.choice(("id", "state")), "path": found[0], "ignore_missing": True}] * 2
        forms += [{"field": field} for field, _ in self._targets(self.kind)]
        return self.random.choice(forms)

    def _text(self, depth):
        return {"field": self.random.choice(TEXTS[:4])}

    def _joined(self, depth):
        return {"concatenate": [self.operand(depth) for _ in range(self.random.randint(1, 4))]}

    def _compact_joined(self, depth):
        parts = ["Cabc-", "Pid", "Pstate", "Powner", "Psize", "Vauto_filled", "C", "Otree:a:b", "ACx", "Pname"]
        targets = self._targets(self.kind)
        if targets:
            field, target = self.random.choice(targets)
            parts += [f"F{target}+{field}:id", f"P{field}"]
        return "A" + "&".join(self.random.choice(parts) for _ in range(self.random.randint(1, 4)))

    def _if(self, depth, branch=None):
        branch = branch or (self.mapping if depth < 2 else self.value)
        condition = self.random.choice(
            (
                {"equal": [{"field": self.random.choice(("size", "label"))}, self.random.choice(("net-1", "edge"))]},
                {"equal": [{"field": "size"}, {"constant": self.random.choice((1, True, "1", None))}]},
                {"equal": [{"field": "enabled"}, {"constant": self.random.choice((1, True, "true"))}]},
                {"equal": ["Pstate", {"field": "state"}]},
                {"regexp": [{"field": "label"}, {"constant": self.random.choice(("net", "net-.*", "edge|net-1"))}]},
                {"regexp": [{"field": "label"}, self.random.choice(("net", "et-1", "net-."))]},
                {"regexp": [{"concatenate": [{"field": "owner"}, "!"]}, "network:(dhcp|gateway)!"]},
            )
        )  # fmt: skip
        return {"if_mapping": condition, "then_mapping": branch(depth + 1), "else_mapping": branch(depth + 1)}

    # -- lists -------------------------------------------------------------------------------------------------

    def _for(self, depth):
        kind, source = self.kind, None
        name = self.random.choice(("items", "items", "items", "ids"))
        found = self.path(kind, self.random.choice((1, 1, 2)))
        if found and self.random.random() < 0.3:
            source, kind = {"field": name, "path": found[0]}, found[1]
        else:
            source = self.random.choice((name, {"field": name}))
        each = self._of_item(kind) if name == "items" else self._of_id(kind)
        return {"for_field": source, "for_mapping": each}

    def _of_id(self, kind):
        target = self.schemas.items[kind][1]
        path, end = self.path(target, self._length(), {"type": target, "id": ""})
        return self._end(path, end, ignore=0.5)

    def _of_item(self, kind):
        target = self.schemas.items[kind][0]
        field = self.random.choice(("ref", "ref", "maybe"))
        first = {"type": target, "id": field}
        rest = self.path(target, self.random.choice((1, 2)))
        path, end = ([first, *rest[0]], rest[1]) if rest and self.random.random() < 0.4 else ([first], target)
        walked = self._end(path, end, ignore=0.5 if field == "ref" else 0.99)
        plain = self.random.choice(
            (
                {"field": "size"}, "Psize", "Vauto_filled", {"nested": ["name"]}, "Cx", {"field": "absent"},
                {"concatenate": [{"field": "name"}, "/", {"field": "size"}]},
                {"for_field": "subs", "for_mapping": self.random.choice(("Px", {"field": "x"}))},
                {"if_mapping": {"equal": [{"field": "size"}, {"constant": 1}]},
                 "then_mapping": {"field": "name"}, "else_mapping": {"constant": None}},
            )
        )  # fmt: skip
        compact = self.random.choice((f"F{target}+ref:name", f"M{target}:ref:id"))
        return self.random.choice((walked, walked, plain, plain, compact))

    def _end(self, path, kind, ignore):
        """What is at the end of an item's path.

        :param ignore: how often it is ignored that something is missing
        """
        # A hop whose name is computed is the resource's own first one only.
        path = [hop if not (isinstance(hop, dict) and "concatenate" in hop) else self._spelled(hop) for hop in path]
        if ignore < 0.9 and self.random.random() < 0.35:
            return {"output_key": self.random.choice(KEYS), "path": path}
        missing = {"ignore_missing": True} if self.random.random() < ignore else {}
        return {"field": self._any_field(kind), "path": path} | missing

    @staticmethod
    def _spelled(hop):
        return hop["concatenate"][0] + hop["concatenate"][1]["constant"]
