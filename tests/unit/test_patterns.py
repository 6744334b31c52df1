"""Regular expressions of strangers: matched, or refused; never without end."""

import unittest

from esi_worker import patterns


class TestPatterns(unittest.TestCase):
    def test_the_whole_or_the_beginning(self):
        self.assertTrue(patterns.matches("ab?", "ab", whole=True))
        self.assertFalse(patterns.matches("a", "ab", whole=True))
        self.assertTrue(patterns.matches("a", "ab", whole=False))
        self.assertFalse(patterns.matches("b", "ab", whole=False))

    def test_patterns_of_everyday_are_taken(self):
        for pattern, text in [
            ("network:dhcp|network:empty", "network:empty"),
            ("^compute:.*$", "compute:" + "x" * 200),
            ("(?:[a-z]+-)*[a-z]+", "a-b-c"),
            (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "5c241c51-2003-407a-a239-689fabd19022"),
            (r"(\d{1,3}\.){3}\d{1,3}", "192.0.2.254"),
            ("(?i)ABC", "abc"),
            (".*internal.*", "the internal one"),
            ("(?!x)(?=a)a", "a"),
        ]:
            with self.subTest(pattern):
                self.assertTrue(patterns.matches(pattern, text, whole=True))

    def test_what_could_go_on_for_ever_is_refused(self):
        text = "a" * 60 + "!"
        for pattern in [
            "(a+)+$",
            "(a*)*b",
            "(a|a)*b",
            "(a|aa)+b",
            "(.*a){20}b",
            "a*a*a*a*a*a*b",
            "(a?){40}a{40}b",
            "a?" * 40,
        ]:
            with self.subTest(pattern), self.assertRaisesRegex(patterns.Refused, "may take too long"):
                patterns.matches(pattern, text, whole=True)

    def test_what_is_no_pattern_is_refused(self):
        for pattern in ["(", "[", "*", "a{2,1}", "(?P<a>b)(?P<a>c)", "(" * 5000]:
            with self.subTest(pattern[:10]), self.assertRaisesRegex(patterns.Refused, "is no regular expression"):
                patterns.matches(pattern, "a", whole=True)

    def test_a_long_pattern_is_not_repeated_in_full(self):
        with self.assertRaises(patterns.Refused) as caught:
            patterns.matches("(" + "x" * 100_000, "a", whole=True)
        self.assertLess(len(str(caught.exception)), 300)
