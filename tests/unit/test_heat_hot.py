"""The stand-in's template language, and Junos text from paths."""

from __future__ import annotations

import json
import unittest
from typing import Any

from esi_worker.testing import heat_devices
from esi_worker.testing import heat_stacks
from esi_worker.testing import hot

TEMPLATE: dict[str, Any] = {
    "heat_template_version": "2013-05-23",
    "parameters": {"name": {"type": "string"}, "count": {"type": "number", "default": 2}, "deep": {"default": {}}},
    "resources": {
        "a": {"type": "X::A", "properties": {"uuid": "1-2", "label": {"get_param": "name"}, "many": ["x", "y"]}},
        "b": {"type": "X::B"},
    },
}


class HotTest(unittest.TestCase):
    def resolve(self, value: Any, **given: Any) -> Any:
        values = hot.parameters(TEMPLATE, {"name": "n", **given})
        return hot.Resolver(TEMPLATE, values, "stack").resolve(value)

    def test_text_and_object(self) -> None:
        text = "heat_template_version: '2013-05-23'\nresources: {}\n"
        self.assertEqual({"heat_template_version": "2013-05-23", "resources": {}}, hot.parse(text))
        self.assertEqual(TEMPLATE, hot.parse(json.dumps(TEMPLATE)))
        self.assertEqual(TEMPLATE, hot.parse(TEMPLATE))

    def test_what_is_no_template(self) -> None:
        for text in ("[]", "{", "a: b", "heat_template_version: 1\nresources: []", "x: [", 7, None):
            with self.assertRaises(hot.HotError):
                hot.parse(text)
        with self.assertRaisesRegex(hot.HotError, "has no type"):
            hot.parse({"heat_template_version": "1", "resources": {"a": {}}})

    def test_parameters(self) -> None:
        self.assertEqual({"name": "n", "count": 2, "deep": {}}, hot.parameters(TEMPLATE, {"name": "n"}))
        for given, text in (
            ({}, "not provided"),
            ({"name": "", "x": 1}, "not defined"),
            ({"name": "", "count": "z"}, ""),
        ):
            with self.assertRaisesRegex(hot.HotError, text):
                hot.parameters(TEMPLATE, given)

    def test_functions(self) -> None:
        replace = {"template": "$A-$AB", "params": {"$A": {"get_param": "name"}, "$AB": {"get_param": "count"}}}
        for value, expected in (
            ({"get_param": "name"}, "n"),
            ({"get_param": ["deep", "x", 1]}, "q"),
            ({"get_param": ["deep", "nothing"]}, ""),
            ({"get_resource": "a"}, "1-2"),
            ({"get_attr": ["a", "label"]}, "n"),
            ({"get_attr": ["a", "many", 1]}, "y"),
            ({"get_attr": ["b", "fq_name"]}, "b"),
            ({"str_replace": replace}, "n-2"),
            ({"list_join": ["-", ["a", {"get_param": "count"}], ["z"]]}, "a-2-z"),
            ({"x": [{"get_param": "name"}], "y": 1}, {"x": ["n"], "y": 1}),
        ):
            self.assertEqual(expected, self.resolve(value, deep={"x": ["p", "q"]}), value)

    def test_functions_that_can_not_be_carried_out(self) -> None:
        for value in (
            {"get_param": "x"},
            {"get_resource": "x"},
            {"get_attr": ["x", "y"]},
            {"get_attr": "x"},
            {"str_replace": {}},
            {"str_replace": 7},
            {"list_join": 7},
        ):
            with self.assertRaises(hot.HotError):
                self.resolve(value)

    def test_outputs(self) -> None:
        template = {
            **TEMPLATE,
            "outputs": {"good": {"value": 1, "description": "d"}, "bad": {"value": {"get_param": "x"}}},
        }
        good, bad = hot.Resolver(template, {}).outputs()
        self.assertEqual({"output_key": "good", "output_value": 1, "description": "d"}, good)
        self.assertIsNone(bad["output_value"])
        self.assertIn("x", bad["output_error"])


class JunosTextTest(unittest.TestCase):
    def test_each_kind_of_element(self) -> None:
        path = [
            {"config_type": "tag", "xml_type": "tag", "tag": "interfaces"},
            {"config_type": "name", "xml_type": "named_tag", "tag": "interface", "name": "lt-0/0/0"},
            {"config_type": "named_tag", "xml_type": "named_tag", "tag": "unit", "name": 1025},
        ]
        configs = [{"config": "  a;\n  b;\n", "path": path}, {"config": "", "path": path[:1]}]
        found = heat_devices.paths({"configs": configs})
        unit = ("interfaces", "lt-0/0/0", "unit 1025")
        self.assertEqual({unit: "a;\nb;", ("interfaces",): ""}, found)
        words = heat_devices.merging(unit, found[unit]).split()
        self.assertEqual(["interfaces", "{", "lt-0/0/0", "{", "unit", "1025", "{", "a;", "b;", "}", "}", "}"], words)
        self.assertEqual("interfaces;", heat_devices.merging(("interfaces",), ""))
        deleted = "interfaces { lt-0/0/0 { delete: unit 1025; } }"
        self.assertEqual(deleted.split(), heat_devices.deleting(unit).split())

    def test_what_is_wrong_with_a_resource(self) -> None:
        good = {"device_ip": "h", "port": 1, "username": "u", "password": "p", "configs": [{"path": []}]}
        for properties in (good, {}, {**good, "configs": [{}]}, {**good, "configs": [{"path": [{}]}]}):
            with self.assertRaises(heat_stacks.StackFailure):
                heat_devices.check("CREATE", {}, {"r": (heat_devices.TYPE, properties)})
