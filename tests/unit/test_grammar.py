"""Every form of the mapping language is read, and whatever is none is refused with a reason."""

import unittest

from esi_worker.mapping import grammar
from esi_worker.mapping import nodes


class TestCompact(unittest.TestCase):
    def test_each_compact_form_is_the_node_of_its_object(self):
        pairs = [
            ("C60", {"constant": "60"}),
            ("C", {"constant": ""}),
            ("Ca&b:c", {"constant": "a&b:c"}),
            ("Pname", {"field": "name"}),
            ("Pbinding:vif_type", {"field": "binding:vif_type"}),
            ("Oprimary:bgp:ip", {"nested": ["primary", "bgp", "ip"]}),
            ("Fese_device+ese_device_id:hostname",
             {"field": "hostname", "path": [{"type": "ese_device", "id": "ese_device_id"}]}),
            ("Fa+a_id:b+b_id:c",
             {"field": "c", "path": [{"type": "a", "id": "a_id"}, {"type": "b", "id": "b_id"}]}),
            ("Mnetwork:network_id:fq_name",
             {"output_key": "fq_name", "path": [{"type": "network", "id": "network_id"}]}),
            ("Vauto_filled", {"version": "auto_filled"}),
            ("ACese_device_&Pexisting", {"concatenate": ["ese_device_", {"field": "existing"}]}),
            ("APa", {"concatenate": [{"field": "a"}]}),
        ]  # fmt: skip
        for compact, mapping in pairs:
            with self.subTest(compact):
                self.assertEqual(grammar.parse(mapping), grammar.parse(compact))

    def test_what_is_no_compact_form_is_refused(self):
        for text, reason in [
            ("", "begins with none of C, P, O, F, M, V, A"),
            ("name", "begins with none of"),
            ("P", "lacks the name of a field"),
            ("O", "lacks the name of a field"),
            ("Oa::b", "lacks the name of a field"),
            ("Fname", "has no hop"),
            ("Fa:name", "the hop 'a', which has not the form <type>+<id field>"),
            ("F+a_id:name", "the hop '+a_id'"),
            ("Fa+:name", "the hop 'a+'"),
            ("Fa+a_id:", "lacks the name of a field"),
            ("Ma:b", "has not the form M<type>:<id field>:<output key>"),
            ("Ma:b:c:d", "has not the form M"),
            ("Ma::c", "has not the form M"),
            ("V1", "a version is 'auto_filled'"),
            ("A", "begins with none of"),
            ("APa&", "begins with none of"),
        ]:
            with self.subTest(text), self.assertRaisesRegex(grammar.Invalid, _literally(reason)):
                grammar.parse(text)


class TestObjects(unittest.TestCase):
    def test_a_string_means_three_things_by_its_place(self):
        mapping = {
            "for_field": "Pitems",
            "for_mapping": {
                "if_mapping": {"equal": ["Pa", {"field": "b"}]},
                "then_mapping": "Pa",
                "else_mapping": {"field": "c", "path": ["Pa"]},
            },
        }
        expected = nodes.For(
            nodes.Field("Pitems"),
            nodes.If(
                "equal",
                nodes.Constant("Pa"),
                nodes.Field("b"),
                nodes.Field("a"),
                nodes.Field("c", (nodes.RelationHop("Pa"),)),
            ),
        )
        self.assertEqual(expected, grammar.parse(mapping))

    def test_a_path_has_three_kinds_of_elements(self):
        path = ["a_id", {"type": "b", "id": "b_id"}, {"concatenate": [{"field": "kind"}, "_id"]}]
        computed = nodes.ComputedHop(nodes.Concatenate((nodes.Field("kind"), nodes.Constant("_id"))))
        expected = (nodes.RelationHop("a_id"), nodes.TypedHop("b", "b_id"), computed)
        self.assertEqual(nodes.Field("x", expected), grammar.parse({"field": "x", "path": path}))
        self.assertEqual(nodes.OutputKey("x", expected), grammar.parse({"output_key": "x", "path": path}))

    def test_for_field_takes_a_mapping_too(self):
        found = grammar.parse({"for_field": {"field": "xs", "path": ["a_id"]}, "for_mapping": "Pb"})
        self.assertEqual(nodes.For(nodes.Field("xs", (nodes.RelationHop("a_id"),)), nodes.Field("b")), found)

    def test_all_other_members_beside_resolver_are_its_arguments(self):
        found = grammar.parse({"resolver": "r", "field": "f", "constant": 1, "path": {"any": "thing"}})
        self.assertEqual(nodes.Resolve("r", {"field": "f", "constant": 1, "path": {"any": "thing"}}), found)

    def test_what_is_no_form_is_refused(self):
        for mapping, reason in [
            (None, "a mapping is a string or an object, this is null"),
            (5, "this is a number"),
            (True, "this is a boolean"),
            (["Pa"], "this is a list"),
            ({}, "no form of the language has the members (none)"),
            ({"fields": "a"}, "no form of the language has the members fields"),
            ({"constant": 1, "field": "a"}, "'constant' does not go with 'field'"),
            ({"field": "a", "ignore_mising": True}, "'field' does not go with 'ignore_mising'"),
            ({"field": 1}, "'field' is a string, not a number"),
            ({"field": "a", "path": "b"}, "'path' is a list, not a string"),
            ({"field": "a", "ignore_missing": "yes"}, "'ignore_missing' is a boolean"),
            ({"field": "a", "path": [1]}, "an element of a path is a field's name, {type, id} or {concatenate}, not"),
            ({"field": "a", "path": [{"type": "t"}]}, "not type"),
            ({"field": "a", "path": [{"type": 1, "id": "i"}]}, "a hop's 'type' is a string"),
            ({"output_key": "a", "ignore_missing": True}, "'output_key' does not go with 'ignore_missing'"),
            ({"nested": "a"}, "'nested' is a list"),
            ({"nested": []}, "names no field"),
            ({"nested": [1]}, "an element of 'nested' is a string"),
            ({"version": 1}, "a version is 'auto_filled'"),
            ({"concatenate": "a"}, "'concatenate' is a list"),
            ({"concatenate": [1]}, "this is a number"),
            ({"for_field": "a"}, "'for_mapping' is missing"),
            ({"for_field": 1, "for_mapping": "Pa"}, "this is a number"),
            ({"if_mapping": {"equal": ["a", "b"]}, "then_mapping": "Pa"}, "'else_mapping' is missing"),
            ({"if_mapping": {"less": ["a", "b"]}, "then_mapping": "Pa", "else_mapping": "Pb"}, "'equal' or 'regexp'"),
            ({"if_mapping": {"equal": ["a"]}, "then_mapping": "Pa", "else_mapping": "Pb"}, "two operands, not 1"),
            ({"if_mapping": {"equal": "ab"}, "then_mapping": "Pa", "else_mapping": "Pb"}, "'equal' is a list"),
            ({"resolver": 1}, "'resolver' is a string"),
        ]:
            with self.subTest(mapping), self.assertRaisesRegex(grammar.Invalid, _literally(reason)):
                grammar.parse(mapping)


class TestDepth(unittest.TestCase):
    def test_what_is_nested_too_deeply_is_refused(self):
        def nest(wrap, levels):
            mapping = {"field": "a"}
            for _ in range(levels):
                mapping = wrap(mapping)
            return mapping

        wraps = {
            "concatenate": lambda inner: {"concatenate": [inner]},
            "for": lambda inner: {"for_field": "a", "for_mapping": inner},
            "for_field": lambda inner: {"for_field": inner, "for_mapping": "Pa"},
            "if": lambda inner: {"if_mapping": {"equal": [inner, "a"]}, "then_mapping": "Pa", "else_mapping": "Pa"},
            "then": lambda inner: {"if_mapping": {"equal": ["a", "a"]}, "then_mapping": inner, "else_mapping": "Pa"},
            "path": lambda inner: {"field": "a", "path": [{"concatenate": [inner]}]},
        }
        for name, wrap in wraps.items():
            with self.subTest(name):
                grammar.parse(nest(wrap, 10))
                with self.assertRaisesRegex(grammar.Invalid, "nested more than 32 levels deep"):
                    grammar.parse(nest(wrap, 5000))
        with self.assertRaisesRegex(grammar.Invalid, "nested more than"):
            grammar.parse("A" * 100_000)

    def test_long_texts_are_not_repeated_in_full(self):
        with self.assertRaises(grammar.Invalid) as caught:
            grammar.parse("x" * 1_000_000)
        self.assertLess(len(str(caught.exception)), 300)


def _literally(text):
    return "".join(f"\\{each}" if each in r"\.^$*+?{}[]|()" else each for each in text)
