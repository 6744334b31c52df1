"""What each construct of the mapping language means: type, value and the resources passed, in order."""

import unittest

from esi_worker import api
from esi_worker.mapping import evaluation

A, B, C = api.Ref("thing", "a"), api.Ref("part", "b"), api.Ref("piece", "c")

RELATIONS = {
    "thing": {"part_id": "part", "piece_ids": "piece", "internet_gw_id": "part"},
    "part": {"piece_id": "piece", "internet_sub_id": "piece"},
}


class World:
    def __init__(self, *resources):
        self.resources = {each.ref: each for each in resources}

    def get(self, ref):
        return self.resources.get(ref)

    def relation(self, resource_type, field):
        return RELATIONS.get(resource_type, {}).get(field)


def resource(ref, **body):
    return api.Resource(ref, {"id": ref.resource_id, **body})


class Base(unittest.TestCase):
    def setUp(self):
        self.thing = api.Resource(
            A,
            {
                "id": "a", "name": "n", "part_id": "b", "number": 7, "yes": True, "ratio": 1.5, "nothing": None,
                "kind": "internet", "inner": {"deep": {"er": [1]}, "nothing": None}, "empty": "", "list": [1, "x"],
                "password": "s3cret", "items": [{"p": "b", "v": 1}, {"p": "b", "v": 2}], "ids": ["c", "c"],
                "piece_ids": ["c"], "internet_gw_id": "b", "absent_id": "gone",
            },
            version=3,
        )  # fmt: skip
        self.part = resource(B, piece_id="c", name="the part", internet_sub_id="c", password="p4rt")
        self.piece = resource(C, name="the piece", number=5, tags=["t"])
        self.world = World(self.thing, self.part, self.piece)

    def evaluate(self, mapping, name="x", resolvers=None, **options):
        return evaluation.evaluate(name, mapping, self.thing, self.world, resolvers or {}, **options)

    def check(self, mapping, value, *refs, kind=api.VALUE):
        self.assertEqual(api.Param("x", kind, value, refs), self.evaluate(mapping))

    def refuse(self, mapping, text, error=evaluation.MappingError, **options):
        with self.assertRaises(error) as caught:
            self.evaluate(mapping, **options)
        self.assertIn("parameter 'x'", caught.exception.message)
        self.assertIn(text, caught.exception.message)
        return caught.exception


class TestPlain(Base):
    def test_constant(self):
        self.check("C60", "60")
        for value in (60, None, True, {"a": [1]}, ""):
            self.check({"constant": value}, value)

    def test_version(self):
        self.check("Vauto_filled", 3)

    def test_field(self):
        self.check("Pnumber", 7)
        self.check({"field": "list"}, [1, "x"])
        self.check("Pnothing", None)
        self.check("Pmissing", None)
        self.check({"field": "missing", "ignore_missing": True}, None)

    def test_a_relation_field_names_the_resource_it_refers_to_there_or_not(self):
        self.check("Ppart_id", "b", B)
        self.thing.body["part_id"] = "nowhere"
        self.check("Ppart_id", "nowhere", api.Ref("part", "nowhere"))
        for empty in ("", None):
            self.thing.body["part_id"] = empty
            self.check("Ppart_id", empty)

    def test_a_relation_field_that_is_a_list_names_each(self):
        self.thing.body["piece_ids"] = ["c", "d", "c", "", 5]
        self.check("Ppiece_ids", ["c", "d", "c", "", 5], C, api.Ref("piece", "d"), C)

    def test_a_relation_of_another_type_is_none(self):
        self.thing.body["piece_id"] = "c"
        self.check("Ppiece_id", "c")

    def test_nested(self):
        self.check("Oinner:deep:er", [1])
        self.check({"nested": ["name"]}, "n")
        for mapping in ("Oinner:nothing:x", "Oinner:missing:x", "Omissing:x"):
            self.check(mapping, None)

    def test_nested_through_what_has_no_fields(self):
        self.refuse("Oname:x", "'name' of thing:a is a string and has no field 'x'")
        self.refuse("Olist:x", "is a list")


class TestPaths(Base):
    def test_every_resource_passed_is_named_the_last_one_too(self):
        self.check({"field": "name", "path": ["part_id"]}, "the part", B)
        self.check({"field": "number", "path": ["part_id", "piece_id"]}, 5, B, C)
        self.check({"field": "number", "path": ["part_id", {"type": "piece", "id": "piece_id"}]}, 5, B, C)
        self.check("Fpart+part_id:piece+piece_id:number", 5, B, C)
        self.check({"field": "missing", "path": ["part_id"]}, None, B)
        self.check({"field": "name", "path": []}, "n")

    def test_the_field_at_the_end_is_not_followed(self):
        self.check({"field": "piece_id", "path": ["part_id"]}, "c", B)

    def test_a_resource_passed_twice_is_named_twice(self):
        self.piece.body["back"] = "b"
        mapping = {"field": "name", "path": ["part_id", "piece_id", {"type": "part", "id": "back"}]}
        self.check(mapping, "the part", B, C, B)

    def test_a_missing_resource_names_parameter_hop_and_resource(self):
        error = self.refuse("Fpart+absent_id:name", "'absent_id' of thing:a", evaluation.MissingHop)
        self.assertEqual(("x", api.Ref("part", "gone"), A), (error.param, error.ref, error.resource))
        self.assertIn("part:gone", error.message)
        self.assertIsInstance(error, api.Unresolved)

    def test_an_empty_id_is_a_missing_hop_without_a_resource(self):
        for field in ("empty", "nothing", "missing"):
            error = self.refuse(f"Fpart+{field}:name", f"'{field}' of thing:a", evaluation.MissingHop)
            self.assertIsNone(error.ref)
            self.assertEqual(A, error.resource)

    def test_a_hop_that_is_missing_further_on(self):
        del self.world.resources[C]
        error = self.refuse(
            {"field": "x", "path": ["part_id", "piece_id"]}, "'piece_id' of part:b", evaluation.MissingHop
        )
        self.assertEqual((C, A), (error.ref, error.resource))

    def test_ignore_missing_gives_an_empty_string_and_no_resources(self):
        for field in ("absent_id", "empty", "nothing", "missing"):
            path = [{"type": "part", "id": field}]
            self.check({"field": "id", "path": path, "ignore_missing": True}, "")
        del self.world.resources[C]
        self.check({"field": "id", "path": ["part_id", "piece_id"], "ignore_missing": True}, "")
        self.check({"field": "id", "path": ["part_id"], "ignore_missing": True}, "b", B)

    def test_ignore_missing_does_not_ignore_a_bad_path(self):
        mapping = {"field": "id", "path": ["name"], "ignore_missing": True}
        self.refuse(mapping, "the field 'name' is no relation of the type thing")

    def test_a_field_that_is_no_relation_of_the_type(self):
        self.refuse({"field": "id", "path": ["name"]}, "the field 'name' is no relation of the type thing")
        self.refuse({"field": "id", "path": ["part_id", "part_id"]}, "'part_id' is no relation of the type part")
        self.refuse({"output_key": "id", "path": ["name"]}, "'name' is no relation")

    def test_an_id_that_is_no_string(self):
        self.refuse("Fpart+number:name", "'number' of thing:a is no id but a number")
        self.refuse("Fpart+list:name", "is no id but a list")

    def test_a_computed_element_names_the_relation_field(self):
        path = [{"concatenate": [{"field": "kind"}, "_gw_id"]}]
        self.check({"field": "name", "path": path}, "the part", B)

    def test_its_operands_come_from_the_resource_reached_or_else_from_the_first(self):
        path = ["part_id", {"concatenate": [{"field": "kind"}, "_sub_id"]}]
        self.check({"field": "number", "path": path}, 5, B, C)
        self.part.body["kind"] = "other"
        self.refuse({"field": "number", "path": path}, "'other_sub_id' is no relation of the type part")

    def test_a_computed_element_that_can_not_be_computed(self):
        self.refuse({"field": "x", "path": [{"concatenate": [{"field": "nothing"}]}]}, "the field 'nothing' is null")


class TestOutputKeys(Base):
    def test_of_the_resource_itself(self):
        value = {"output_key": "k", "resource_type": "thing", "resource_id": "a"}
        self.check({"output_key": "k"}, value, kind=api.OUTPUT_KEY)

    def test_of_the_last_hop(self):
        value = {"output_key": "k", "resource_type": "piece", "resource_id": "c"}
        self.check({"output_key": "k", "path": ["part_id", "piece_id"]}, value, B, C, kind=api.OUTPUT_KEY)
        self.thing.body["absent_id"] = "c"
        self.check("Mpiece:absent_id:k", value, C, kind=api.OUTPUT_KEY)

    def test_of_a_missing_resource(self):
        self.refuse("Mpart:absent_id:k", "part:gone", evaluation.MissingHop)


class TestConcatenate(Base):
    def test_strings_numbers_and_booleans_are_joined(self):
        mapping = {"concatenate": ["Pname", "-", {"field": "number"}, {"field": "yes"}, {"field": "ratio"}]}
        self.check(mapping, "Pname-7true1.5")
        self.check("APname&C-&Vauto_filled", "n-3")
        self.check({"concatenate": []}, "")

    def test_resources_are_those_of_the_operands_left_to_right(self):
        mapping = {"concatenate": [{"field": "name", "path": ["part_id", "piece_id"]}, "/", {"field": "part_id"}]}
        self.check(mapping, "the piece/b", B, C, B)
        self.check("AFpart+part_id:name&C_prefix", "the part_prefix", B)

    def test_what_can_not_be_joined(self):
        self.refuse("AC_&Pnothing", "the field 'nothing' is null, which can't be part of a concatenation")
        self.refuse("APmissing", "is null")
        self.refuse("APlist", "is a list")
        self.refuse({"concatenate": [{"output_key": "k"}]}, "is an output key")


class TestConditions(Base):
    def choose(self, condition):
        return self.evaluate({"if_mapping": condition, "then_mapping": "Cyes", "else_mapping": "Cno"}).value

    def test_equal(self):
        for left, right, expected in [
            ("n", {"field": "name"}, "yes"),
            ("7", {"field": "number"}, "no"),
            ({"constant": 7.0}, {"field": "number"}, "yes"),
            ({"constant": 1}, {"field": "yes"}, "no"),
            ({"constant": True}, {"field": "yes"}, "yes"),
            ({"constant": None}, {"field": "missing"}, "yes"),
            ({"constant": None}, {"field": "empty"}, "no"),
            ({"constant": [1, "x"]}, {"field": "list"}, "yes"),
            ({"constant": [True, "x"]}, {"field": "list"}, "no"),
            ({"constant": {"er": [1]}}, {"nested": ["inner", "deep"]}, "yes"),
            ({"constant": {"er": [1.5]}}, {"nested": ["inner", "deep"]}, "no"),
        ]:
            with self.subTest(left=left, right=right):
                self.assertEqual(expected, self.choose({"equal": [left, right]}))

    def test_regexp_matches_the_whole_string(self):
        for text, pattern, expected in [
            ("network:dhcp", "network:dhcp|network:empty", "yes"),
            ("network:dhcp2", "network:dhcp|network:empty", "no"),
            ("xnetwork:dhcp", "network:dhcp", "no"),
            ("ab", "a|ab", "yes"),
            ("a\n", "a", "no"),
            ({"field": "number"}, "[0-9]+", "yes"),
            ({"field": "yes"}, "true", "yes"),
            ({"field": "nothing"}, ".*", "no"),
            ({"field": "missing"}, "", "no"),
            ("a", {"field": "missing"}, "no"),
        ]:
            with self.subTest(text=text, pattern=pattern):
                self.assertEqual(expected, self.choose({"regexp": [text, pattern]}))

    def test_what_can_not_be_matched(self):
        def condition(*operands):
            return {"if_mapping": {"regexp": list(operands)}, "then_mapping": "Ca", "else_mapping": "Cb"}

        self.refuse(condition({"field": "list"}, "a"), "'regexp' matches a string or a number")
        self.refuse(condition("a", {"field": "number"}), "a pattern, which is a string")
        self.refuse(condition("a", "("), "is no regular expression")
        self.refuse(condition("a" * 60, "(a+)+b"), "may take too long")
        self.refuse(condition({"output_key": "k"}, "a"), "an output key is not known yet")

    def test_type_value_and_resources_are_those_of_the_branch_taken(self):
        condition = {"equal": [{"field": "name", "path": ["part_id"]}, "the part"]}
        mapping = {"if_mapping": condition, "then_mapping": "Mpiece:ids0:k", "else_mapping": {"field": "part_id"}}
        self.thing.body["ids0"] = "c"
        value = {"output_key": "k", "resource_type": "piece", "resource_id": "c"}
        self.check(mapping, value, C, kind=api.OUTPUT_KEY)
        self.part.body["name"] = "another"
        self.check(mapping, "b", B)

    def test_the_other_branch_is_not_evaluated(self):
        mapping = {"if_mapping": {"equal": ["a", "a"]}, "then_mapping": "Pname", "else_mapping": "Fpart+absent_id:x"}
        self.check(mapping, "n")


class TestFor(Base):
    def test_values_in_item_order(self):
        self.check({"for_field": "items", "for_mapping": "Pv"}, [1, 2])
        self.check({"for_field": "items", "for_mapping": "Fpart+p:name"}, ["the part", "the part"], B, B)
        self.check({"for_field": "list", "for_mapping": {"field": ""}}, [1, "x"])
        self.check({"for_field": "items", "for_mapping": "Vauto_filled"}, [3, 3])

    def test_a_scalar_item_is_reached_by_the_empty_field(self):
        self.check({"for_field": "ids", "for_mapping": {"field": "number", "path": [{"type": "piece", "id": ""}]}},
                   [5, 5], C, C)  # fmt: skip

    def test_output_keys_make_a_list_whose_resources_go_to_the_outside(self):
        element = {"output_key": "id", "resource_type": "piece", "resource_id": "c"}
        document = {"param": "x", "type": "output_key", "value": element, "resources": []}
        mapping = {"for_field": "ids", "for_mapping": {"output_key": "id", "path": [{"type": "piece", "id": ""}]}}
        self.check(mapping, [document, document], C, C, kind=api.LIST)
        self.check({**mapping, "for_field": "missing"}, [], kind=api.LIST)

    def test_absent_null_and_ignored_give_an_empty_array(self):
        for field in ("missing", "nothing", "empty"):
            self.check({"for_field": field, "for_mapping": "Pv"}, [])
        ignored = {"field": "tags", "path": [{"type": "piece", "id": "absent_id"}], "ignore_missing": True}
        self.check({"for_field": ignored, "for_mapping": "Pv"}, [])

    def test_resources_of_the_path_come_before_those_of_the_items(self):
        self.piece.body["members"] = ["b"]
        source = {"field": "members", "path": ["part_id", "piece_id"]}
        mapping = {"for_field": source, "for_mapping": {"field": "name", "path": [{"type": "part", "id": ""}]}}
        self.check(mapping, ["the part"], B, C, B)
        self.check({"for_field": source, "for_mapping": {"field": ""}}, ["b"], B, C)

    def test_a_field_without_a_path_has_no_resources_of_its_own(self):
        self.check({"for_field": "piece_ids", "for_mapping": {"field": ""}}, ["c"])
        self.check({"for_field": {"field": "piece_ids"}, "for_mapping": {"field": ""}}, ["c"])

    def test_ids_of_a_relation_field_know_their_type(self):
        mapping = {"for_field": "piece_ids", "for_mapping": {"field": "name", "path": [""]}}
        self.check(mapping, ["the piece"], C)
        self.part.body["piece_id"] = ["c"]
        source = {"field": "piece_id", "path": ["part_id"]}
        self.check({"for_field": source, "for_mapping": {"field": "name", "path": [""]}}, ["the piece"], B, C)

    def test_other_items_have_no_type(self):
        self.refuse({"for_field": "ids", "for_mapping": {"field": "name", "path": [""]}}, "the item, which has no type")
        self.refuse(
            {"for_field": "items", "for_mapping": {"field": "name", "path": ["p"]}}, "'p' is no relation of the item"
        )
        self.refuse({"for_field": "items", "for_mapping": {"output_key": "k"}}, "an item that is no resource")

    def test_a_relation_in_an_item_is_none(self):
        self.thing.body["items"] = [{"part_id": "b"}]
        self.check({"for_field": "items", "for_mapping": "Ppart_id"}, ["b"])

    def test_over_something_that_is_no_list(self):
        self.refuse(
            {"for_field": "inner", "for_mapping": "Pv"}, "the field 'inner' is an object: 'for_field' goes over a list"
        )
        self.refuse({"for_field": "name", "for_mapping": "Pv"}, "the field 'name' is a string")
        self.refuse({"for_field": {"nested": ["inner"]}, "for_mapping": "Pv"}, "what 'for_field' gives is an object")
        self.refuse({"for_field": {"output_key": "k"}, "for_mapping": "Pv"}, "is an output key")

    def test_a_missing_hop_of_an_item(self):
        self.thing.body["items"] = [{"p": "b"}, {}]
        error = self.refuse(
            {"for_field": "items", "for_mapping": "Fpart+p:name"}, "'p' of the item", evaluation.MissingHop
        )
        self.assertEqual((None, A), (error.ref, error.resource))

    def test_mixed_elements_keep_their_types(self):
        choice = {"if_mapping": {"equal": [{"field": "v"}, {"constant": 1}]},
                  "then_mapping": "Mpart:p:k", "else_mapping": "Pv"}  # fmt: skip
        found = self.evaluate({"for_field": "items", "for_mapping": choice})
        self.assertEqual(api.LIST, found.type)
        self.assertEqual(["output_key", "value"], [each["type"] for each in found.value])

    def test_a_for_within_a_for(self):
        self.thing.body["groups"] = [{"of": ["c"]}, {"of": []}]
        inner = {"for_field": "of", "for_mapping": {"field": "number", "path": [{"type": "piece", "id": ""}]}}
        self.check({"for_field": "groups", "for_mapping": inner}, [[5], []], C)


class Asking(api.Resolver):
    """Does what a test asks of it."""

    def __init__(self, do):
        self.do = do

    def resolve(self, arguments, resource, lookup):
        return self.do(arguments, resource, lookup)


class TestResolvers(Base):
    def resolve(self, do, **options):
        return self.evaluate({"resolver": "r", "a": 1}, resolvers={"r": Asking(do)}, **options)

    def test_value_and_what_was_read_in_order(self):
        def do(arguments, resource, lookup):
            self.assertEqual({"a": 1}, arguments)
            part = lookup.follow(resource, "part_id")
            return [lookup.resource("piece", "c").body["number"], lookup.follow(part, "piece_id").ref.resource_id]

        self.assertEqual(api.Param("x", api.VALUE, [5, "c"], (B, C, C)), self.resolve(do))

    def test_an_unknown_one_names_the_installed(self):
        error = evaluation.MappingError
        with self.assertRaisesRegex(error, "'x': there is no resolver 'no'; installed are: b, r"):
            self.evaluate({"resolver": "no"}, resolvers={"r": Asking(None), "b": Asking(None)})
        with self.assertRaisesRegex(error, "installed are: none"):
            self.evaluate({"resolver": "no"})

    def test_what_is_missing_is_a_missing_hop(self):
        with self.assertRaises(evaluation.MissingHop) as caught:
            self.resolve(lambda arguments, resource, lookup: lookup.resource("part", "gone"))
        self.assertEqual((api.Ref("part", "gone"), A), (caught.exception.ref, caught.exception.resource))
        with self.assertRaisesRegex(evaluation.MappingError, "'name' is no relation"):
            self.resolve(lambda arguments, resource, lookup: lookup.follow(resource, "name"))

    def test_its_own_errors_name_the_parameter(self):
        def fail(error):
            def do(arguments, resource, lookup):
                raise error

            return do

        with self.assertRaisesRegex(evaluation.MappingError, "parameter 'x': no such role"):
            self.resolve(fail(api.PermanentError("no such role")))
        with self.assertRaisesRegex(api.Unresolved, "parameter 'x': later") as caught:
            self.resolve(fail(api.TemporaryError("later", delay=4.0)))
        self.assertEqual(4.0, caught.exception.delay)

    def test_a_bug_is_named_and_its_traceback_goes_to_the_log_only(self):
        with self.assertRaises(evaluation.MappingError) as caught:
            self.resolve(lambda arguments, resource, lookup: {}["s3cret"])
        self.assertEqual("parameter 'x': internal error in the resolver 'r'", caught.exception.message)
        self.assertIn("KeyError", caught.exception.detail)

    def test_a_result_that_is_not_json(self):
        for value in (object(), {1, 2}, float("nan")):
            with self.assertRaisesRegex(evaluation.MappingError, "internal error in the resolver 'r'"):
                self.resolve(lambda arguments, resource, lookup, value=value: value)


class TestSecrets(Base):
    def reference(self, mapping, name="db_password", **options):
        return self.evaluate(mapping, name, secrets="reference", **options)

    def check_reference(self, mapping, ref, field, *refs, **options):
        expected = api.Param("db_password", api.SECRET, {**ref.to_document(), "field": field}, refs)
        self.assertEqual(expected, self.reference(mapping, **options))

    def test_a_value_from_one_field_stands_as_a_reference(self):
        self.check_reference("Ppassword", A, "password")
        self.check_reference({"field": "password", "path": ["part_id"]}, B, "password", B)
        self.check_reference("Fpart+part_id:password", B, "password", B)
        branch = {"if_mapping": {"equal": ["a", "a"]}, "then_mapping": "Ppassword", "else_mapping": "Pname"}
        self.check_reference(branch, A, "password")

    def test_a_resolvers_too(self):
        resolvers = {
            "r": Asking(lambda arguments, resource, lookup: lookup.follow(resource, "part_id").body["password"])
        }
        self.check_reference({"resolver": "r"}, B, "password", B, resolvers=resolvers)

    def test_a_resolvers_value_that_is_in_no_field_stays(self):
        resolvers = {"r": Asking(lambda arguments, resource, lookup: lookup.follow(resource, "part_id").body["name"])}
        self.assertEqual("the part", self.reference({"resolver": "r"}, resolvers=resolvers).value)

    def test_what_is_no_single_field_stays_inline(self):
        self.assertEqual((api.VALUE, "n-x"), self._plain("APname&C-x"))
        self.assertEqual((api.VALUE, "word"), self._plain("Cword"))
        self.assertEqual((api.VALUE, [1, 2]), self._plain({"for_field": "items", "for_mapping": "Pv"}))

    def test_where_there_is_nothing_nothing_is_hidden(self):
        self.assertEqual((api.VALUE, None), self._plain("Pmissing"))
        self.assertEqual((api.VALUE, ""), self._plain("Pempty"))

    def test_other_names_and_inline_are_left_alone(self):
        self.assertEqual(api.VALUE, self.reference("Ppassword", name="label").type)
        self.assertEqual("s3cret", self.evaluate("Ppassword", "db_password").value)

    def test_output_keys_stay(self):
        self.assertEqual(api.OUTPUT_KEY, self.reference({"output_key": "k"}).type)

    def test_a_bad_mapping_of_a_secret_is_not_shown(self):
        with self.assertRaises(evaluation.MappingError) as caught:
            self.evaluate("s3cret-as-it-is", "db_password")
        self.assertNotIn("s3cret", str(caught.exception))

    def _plain(self, mapping):
        found = self.reference(mapping)
        return found.type, found.value


class TestBadMappings(Base):
    def test_an_unknown_form_names_the_parameter(self):
        self.refuse({"what": 1}, "no form of the language has the members what")
        self.refuse("nonsense", "is no compact mapping")
        self.refuse(None, "this is null")

    def test_a_deep_mapping_is_an_error_and_nothing_worse(self):
        mapping = {"field": "a"}
        for _ in range(10_000):
            mapping = {"concatenate": [mapping]}
        self.refuse(mapping, "nested more than 32 levels deep")

    def test_deep_values_are_an_error_and_nothing_worse(self):
        deep, other = [], []
        for _ in range(100_000):
            deep, other = [deep], [other]
        self.thing.body["deep"] = deep
        mapping = {"if_mapping": {"equal": [{"field": "deep"}, {"constant": other}]},
                   "then_mapping": "Ca", "else_mapping": "Cb"}  # fmt: skip
        self.refuse(mapping, "nested too deeply")
