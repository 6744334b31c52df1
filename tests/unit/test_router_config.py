"""The stand-in router's configuration."""

from __future__ import annotations

import unittest

from esi_worker.testing import junos_config

TEXT = """
/* an operator's remark */
system { host-name edge-1; }   # another one
interfaces {
    ae0 {
        unit 1 {
            description "to the \\"north\\"; really";
            vlan-id 1;
            family inet service input service-set one;
            apply-groups [ A B ];
        }
        unit 2 { }
    }
}
"""


class ConfigurationTest(unittest.TestCase):
    """Text in, text out."""

    def setUp(self) -> None:
        self.configuration = junos_config.Configuration(TEXT)

    def commands(self) -> list[str]:
        return self.configuration.set_commands()

    def test_a_text_is_a_tree_of_words(self) -> None:
        self.assertEqual(
            [
                "set system host-name edge-1",
                'set interfaces ae0 unit 1 description "to the \\"north\\"; really"',
                "set interfaces ae0 unit 1 vlan-id 1",
                "set interfaces ae0 unit 1 family inet service input service-set one",
                "set interfaces ae0 unit 1 apply-groups A",
                "set interfaces ae0 unit 1 apply-groups B",
                "set interfaces ae0 unit 2",
            ],
            self.commands(),
        )

    def test_what_is_shown_can_be_loaded(self) -> None:
        shown = self.configuration.text()
        self.assertIn("unit 1 {", shown)
        self.assertEqual(self.configuration.tree, junos_config.Configuration(shown).tree)
        other = junos_config.Configuration()
        other.load_set("\n".join(self.commands()))
        self.assertEqual(self.configuration.tree, other.tree)

    def test_a_single_value_is_replaced_and_a_list_grows(self) -> None:
        self.configuration.load("interfaces { ae0 { unit 1 { vlan-id 9; apply-groups C; } } }")
        unit = self.configuration.find("interfaces", "ae0", "unit", "1")
        assert unit is not None
        self.assertEqual(["9"], list(unit["vlan-id"]))
        self.assertEqual(["A", "B", "C"], list(unit["apply-groups"]))

    def test_deleting_leaves_nothing_empty_behind(self) -> None:
        before = self.configuration.text()
        self.assertEqual([], self.configuration.load("services { nat { pool p { address 192.0.2.1/32; } } }"))
        self.assertEqual([], self.configuration.load("services { nat { delete: pool p; } }"))
        self.assertEqual(before, self.configuration.text())

    def test_deleting_what_is_not_there_is_a_warning(self) -> None:
        before = self.configuration.text()
        self.assertEqual(["statement not found"], self.configuration.load("interfaces { ae7 { delete: unit 1; } }"))
        self.assertEqual(["statement not found"], self.configuration.load_set("delete interfaces ae7"))
        self.assertEqual(before, self.configuration.text())

    def test_replacing(self) -> None:
        self.configuration.load("interfaces { ae0 { replace: unit 1 { vlan-id 3; } } }")
        self.assertEqual({"vlan-id": {"3": {}}}, self.configuration.find("interfaces", "ae0", "unit", "1"))

    def test_a_text_that_is_none_changes_nothing(self) -> None:
        before = self.configuration.text()
        for text in (
            "a {",
            "a",
            "a; }",
            "{",
            "}",
            ";",
            "a [ b",
            "a [ b ] c;",
            "[ a ];",
            "a [ ];",
            'a "b;',
            "delete: ;",
        ):
            with self.subTest(text), self.assertRaises(junos_config.SyntaxProblem):
                self.configuration.load("good yes; " + text)
        with self.assertRaises(junos_config.SyntaxProblem):
            self.configuration.load_set("set good yes\nfrobnicate all")
        self.assertEqual(before, self.configuration.text())

    def test_a_copy_is_its_own(self) -> None:
        self.configuration.copy().load("new statement;")
        self.assertIsNone(self.configuration.find("new"))


if __name__ == "__main__":
    unittest.main()
