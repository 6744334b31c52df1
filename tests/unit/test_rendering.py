"""Rendering: strings stay strings, nothing gets out of the sandbox, nothing goes on for ever, no value is shown."""

import threading
import time
import unittest

from esi_worker import api
from esi_worker.clients import rendering

HOSTILE = [
    "1025", "true", "null", "~", "2013-05-23", "0x10", "1e3", "12:30:45", "", " ", "\n", "a: b", "- a", "# a", "a # b",
    "{a: 1}", "[1]", "*a", "&a", "!!python/object:x", "'", '"', "it's", 'say "so"', "|", ">", "%", "@", "`", "a\nb: c",
    "a\n  b: c\n", "\ttab", "---", "...", "{{ x }}", "{% raw %}", "{# x #}", "\\n", "\u2028", "\U0001f600", "\x85", "é",
]  # fmt: skip


def render(text, **variables):
    return rendering.render_document(api.Template("t", "h", text), variables)


class Base(unittest.TestCase):
    size_limit = 1_000_000
    # A machine that is busy must not make the clock refuse what something else is to refuse.
    time_limit = 60.0

    def refuse(self, text, reason, **variables):
        with self.assertRaises(api.PermanentError) as caught:
            rendering.render_document(
                api.Template("t", "h", text), variables, time_limit=self.time_limit, size_limit=self.size_limit
            )
        self.assertTrue(caught.exception.message.startswith("template t: "), caught.exception.message)
        self.assertIn(reason, caught.exception.message)
        return caught.exception.message


class TestStrings(Base):
    def test_a_string_is_itself_wherever_it_is_printed(self):
        template = (
            "plain: {{ x }}\nsingle: '{{ x }}'\ndouble: \"{{ x }}\"\nflow: [{{ x }}, {a: {{ x }} }]\n"
            "part: <{{ x }}>\nblock: |\n  {{ x }}\nfolded: >-\n  {{ x }}\nlist:\n  - {{ x }}\nlast: {{ x }}"
        )
        for text in HOSTILE:
            with self.subTest(text):
                expected = {"plain": text, "single": text, "double": text, "flow": [text, {"a": text}],
                            "part": f"<{text}>", "block": f"{text}\n", "folded": text, "list": [text],
                            "last": text}  # fmt: skip
                self.assertEqual(expected, render(template, x=text))

    def test_as_a_key_too(self):
        for text in HOSTILE:
            with self.subTest(text):
                self.assertEqual({text: 1, f"a_{text}": 2}, render("{{ x }}: 1\na_{{ x }}: 2", x=text))

    def test_within_lists_and_objects(self):
        for text in HOSTILE:
            with self.subTest(text):
                value = {"a": [text, {text: text}], text: None}
                self.assertEqual({"a": value, "b": value}, render("a: {{ x }}\nb: {{ x | tojson }}", x=value))

    def test_what_is_made_of_strings_is_one(self):
        for text in HOSTILE:
            with self.subTest(text):
                self.assertEqual({"a": text + text}, render("a: {{ x ~ x }}", x=text))
                self.assertEqual({"a": f"<{text}"}, render("a: {{ '<' + x }}", x=text))
                self.assertEqual({"a": f"<{text}>"}, render("a: {{ '<%s>' % x }}", x=text))
                self.assertEqual({"a": text.upper()}, render("a: {{ x | upper }}", x=text))
                self.assertEqual({"a": f"{text},{text}"}, render("a: {{ [x, x] | join(',') }}", x=text))
                self.assertEqual({"a": text}, render("a: {{ x | safe }}", x=text))
                self.assertEqual({"a": f"{text};{text}"}, render("a: {{ '{};{}'.format(x, x) }}", x=text))

    def test_captured_text_keeps_its_structure_and_its_strings(self):
        for text in HOSTILE:
            with self.subTest(text):
                block = "{% set b %}k: {{ x }}{% endset %}a: { {{ b }} }"
                self.assertEqual({"a": {"k": text}}, render(block, x=text))
                macro = "{% macro m(key) %}{{ key }}: {{ x }}\n{% endmacro %}{{ m('a') }}{{ m(x) }}"
                self.assertEqual({"a": text, text: text}, render(macro, x=text))
                call = "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}k: {{ x }}{% endcall %}"
                self.assertEqual({"k": text}, render(call, x=text))
                named = "{% block b %}k: {{ x }}{% endblock %}"
                self.assertEqual({"k": text}, render(named, x=text))
                nested = "{% set b %}{{ x }}{% endset %}{% set c %}<{{ b }}>{% endset %}a: {{ c }}"
                self.assertEqual({"a": f"<{text}>"}, render(nested, x=text))

    def test_captured_text_may_be_indented(self):
        macro = "{% macro m() %}k: {{ x }}\nl: {{ x }}{% endmacro %}a:\n  {{ m() | indent(2) }}"
        self.assertEqual({"a": {"k": "x: y", "l": "x: y"}}, render(macro, x="x: y"))

    def test_a_filter_block_gives_a_string(self):
        self.assertEqual("A: X: Y", render("{% filter upper %}a: {{ x }}{% endfilter %}", x="x: y"))

    def test_captured_text_is_the_true_text_where_it_is_a_value(self):
        template = "{% set b %}<{{ x }}>{% endset %}{{ b == '<v>' }}: {{ b | length }}\nu: {{ b | upper }}"
        self.assertEqual({"true": 3, "u": "<V>"}, render(template, x="v"))

    def test_what_looks_like_a_template_is_not_rendered(self):
        self.assertEqual({"a": "{{ 1 + 1 }}"}, render("a: {{ x }}", x="{{ 1 + 1 }}"))

    def test_a_comment_can_not_be_left(self):
        self.assertEqual({"a": 1}, render("a: 1  # {{ x }}", x="c\nb: 2"))


class TestValues(Base):
    def test_what_is_no_string_keeps_its_type(self):
        for value in [
            41,
            0,
            -7,
            10**30,
            1.5,
            -0.25,
            1e22,
            1e-7,
            True,
            False,
            None,
            [],
            {},
            [1, [2.5, None]],
            {"a": {"b": True}},
        ]:
            with self.subTest(value):
                self.assertEqual({"a": value}, render("a: {{ x }}", x=value))
                self.assertEqual({"a": value}, render("a: {{ x | tojson }}", x=value))

    def test_in_quotes_they_are_text(self):
        self.assertEqual({"a": "41", "b": "v41"}, render('a: "{{ x }}"\nb: v{{ x }}', x=41))

    def test_numbers_as_keys_are_text(self):
        self.assertEqual({"41": 1, "p_41": 2}, render("{{ x }}: 1\np_{{ x }}: 2", x=41))

    def test_a_date_in_the_template_stays_text(self):
        self.assertEqual({"heat_template_version": "2013-05-23"}, render("heat_template_version: 2013-05-23"))

    def test_of_two_equal_keys_the_last_wins(self):
        self.assertEqual({"a": 2}, render("a: 1\na: 2"))

    def test_nothing_is_none(self):
        for text in ("", "\n \n", "{# nothing #}", "# nothing", "{% if false %}a: 1{% endif %}", "~"):
            self.assertIsNone(render(text))

    def test_what_is_no_value_can_not_be_printed(self):
        self.refuse("a: {{ range }}", "is no JSON value")
        self.refuse("a: {{ x }}", "object is no JSON value", x=object())


class TestTheField(Base):
    """What templates of real deployments use."""

    def test_match(self):
        template = "{% if x | match('compute') %}a: 1{% else %}a: 2{% endif %}"
        for text, expected in [("compute:nova", 1), ("compute", 1), ("a compute", 2), ("", 2), (None, 2), (5, 2)]:
            self.assertEqual({"a": expected}, render(template, x=text))

    def test_match_within_bounds(self):
        self.refuse("{{ x | match('(a+)+$') }}", "may take too long", x="a" * 60 + "!")
        self.refuse("{{ x | match('(') }}", "is no regular expression", x="a")

    def test_loops_filters_and_methods(self):
        template = (
            "{% for ip in ips %}{% set name = 'ip_' + (loop.index0|string) %}{{ name }}: {{ ip.a.split('/')[0] }}\n"
            "{% endfor %}n: {{ x | replace(':', '-') }}\ns: {{ slot + 3 }}\n"
            "{% set kind = a if k == 'one' else b %}k: {{ kind }}\nl: {{ ids[ips|length - 1] }}"
        )
        found = render(template, ips=[{"a": "192.0.2.1/24"}, {"a": "192.0.2.2/24"}], x="a:b", slot=1, k="one", a="A",
                       b="B", ids=["i", "j"])  # fmt: skip
        expected = {"ip_0": "192.0.2.1", "ip_1": "192.0.2.2", "n": "a-b", "s": 4, "k": "A", "l": "j"}
        self.assertEqual(expected, found)

    def test_loop_variables(self):
        template = "{% for a in x %}k{{ loop.index }}_of_{{ loop.length }}: {{ loop.last }}\n{% endfor %}"
        self.assertEqual({"k1_of_2": False, "k2_of_2": True}, render(template, x=["a", "b"]))

    def test_recursive_loops(self):
        template = "{% for n in x recursive %}{{ n.k }}: { {{ loop(n.c) }} }\n{% endfor %}"
        self.assertEqual({"a": {"b": {}}}, render(template, x=[{"k": "a", "c": [{"k": "b", "c": []}]}]))

    def test_text_of_several_lines_in_a_block(self):
        self.assertEqual({"c": "a {\n  b;\n}\nx;\n"}, render("c: |\n  {{ v }}\n  x;\n", v="a {\n  b;\n}"))


class TestErrors(Base):
    SECRET = "hunter2-hunter2"

    def refuse(self, text, reason, **variables):
        message = super().refuse(text, reason, **variables)
        self.assertNotIn(self.SECRET, message)
        return message

    def test_undefined_names_are_named_with_the_line(self):
        self.refuse("a: 1\n\nb: {{ nope }}", "line 3: 'nope' is undefined")
        self.refuse("b: {{ x.nope }}", "has no attribute 'nope'", x={})
        self.refuse("{% if nope %}{% endif %}", "'nope' is undefined")
        self.refuse("{{ nope ~ 'a' }}", "'nope' is undefined")
        self.refuse("{{ nope == 1 }}", "'nope' is undefined")
        self.refuse("{% for a in nope %}{% endfor %}", "'nope' is undefined")
        self.refuse("{{ x[nope] }}", "'nope' is undefined", x={})
        self.assertEqual({"a": "d"}, render("a: {{ nope | default('d') }}"))
        self.assertIs(False, render("{{ nope is defined }}"))

    def test_the_line_within_a_macro(self):
        self.refuse("{% macro m() %}\n\n{{ nope }}{% endmacro %}\na: {{ m() }}", "line 3:")

    def test_syntax(self):
        self.refuse("a\n{% if %}", "line 2: ")
        self.refuse("{{ x | nofilter }}", "No filter named 'nofilter'", x=1)
        self.refuse("{% nothing %}", "unknown tag 'nothing'")
        self.refuse("{{ " + "(" * 10_000, "nested too deeply")
        self.refuse("{% if 1 %}" * 3_000 + "{% endif %}" * 3_000, "nested too deeply")

    def test_other_templates(self):
        for text in ("{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% include x %}"):
            self.refuse(text, "can't include, import or extend", x=self.SECRET)

    def test_no_value_is_shown(self):
        for text, reason in [
            ("{{ x + 1 }}", "can only concatenate str"),
            ("{{ d[x] }}", "has no attribute (a value)"),
            ("{{ d | attr(x) }}", "has no attribute (a value)"),
            ("{{ [1] | sum(start=x) }}", "numbers only"),
            ("{{ '%d' % x }}", "line 1"),
            ("{{ x.nope }}", "has no attribute 'nope'"),
            ("{{ '{0.nope}'.format(x) }}", "has no attribute 'nope'"),
            ("{{ 'a' | match('(' ~ x) }}", "is no regular expression"),
            ("{{ x }}: [", "is not YAML: line "),
            ("a: *{{ x }}", "is not YAML"),
            ("a: !{{ x }} b", "is not YAML"),
            ("{{ d[x].y }}", "line 1"),
            ("{{ x() }}", "line 1"),
            ("{{ namespace(x) }}", "line 1"),
            ("{{ dict(x) }}", "line 1"),
            ("{{ range(x) }}", "line 1"),
            ("{{ x | map(x) | list }}", "line 1"),
            ("{{ [1] | select(x) | list }}", "line 1"),
        ]:
            with self.subTest(text):
                self.refuse(text, reason, x=self.SECRET, d={})

    def test_quotes_in_a_value_do_not_let_it_out(self):
        for quote in ("'", '"', "'\"", "\\'"):
            secret = f"a{quote}{self.SECRET}{quote}b"
            for text in ("{{ d[x] }}", "{{ d | attr(x) }}", "{{ 'a' | match('(' ~ x) }}"):
                with self.subTest(text, quote=quote):
                    self.refuse(text, "line 1: ", x=secret, d={})

    def test_what_is_no_document(self):
        self.refuse("a: [1", "is not YAML: line ")
        self.refuse("a: !!set {x}", "holds a set, which is not JSON")
        self.refuse("a: !!binary aGk=", "holds a bytes")
        self.refuse("a: !!python/object/apply:os.system [ls]", "could not determine a constructor")
        self.refuse("a: .nan", "holds a float, which is not JSON")
        self.refuse("? [a, b]\n: 1", "found unhashable key")
        self.refuse("a: 1\n---\nb: 2", "is not YAML")

    def test_check_parses_and_renders_nothing(self):
        rendering.check(api.Template("t", "h", "{{ nope }} {{ 'a' * 10 ** 9 }}"))
        with self.assertRaisesRegex(api.PermanentError, "template t: line 2: "):
            rendering.check(api.Template("t", "h", "\n{% if %}"))
        with self.assertRaisesRegex(api.PermanentError, "template t: it has more than 1000000 characters"):
            rendering.check(api.Template("t", "h", "x" * 1_000_001))


class TestSandbox(Base):
    def test_no_way_out(self):
        for text in [
            "{{ ''.__class__ }}",
            "{{ x.__class__.__mro__ }}",
            "{{ x | attr('__class__') }}",
            "{{ x['__class__'] }}",
            "{{ [x] | map(attribute='__class__') | first }}",
            "{{ self.__init__.__globals__ }}",
            "{{ cycler.__init__.__globals__ }}",
            "{{ joiner.__init__ }}",
            "{{ '{0.__class__}'.format(x) }}",
            "{{ '{0.__class__}' | attr('format')(x) }}",
            "{{ range.__self__ }}",
            "{% macro m() %}{% endmacro %}{{ m._func }}",
            "{% set b %}a{% endset %}{{ b._printed }}",
            "{% set b %}a{% endset %}{{ b.of.__func__ }}",
            "{{ loop | attr('__init__') }}",
        ]:
            with self.subTest(text):
                self.refuse(text, "line 1: ", x="a")

    def test_nothing_is_changed(self):
        value, members = [1], {"a": 1}
        for text in ("{{ x.append(2) }}", "{{ d.update(b=2) }}", "{{ d.pop('a') }}", "{{ x.clear() }}"):
            self.refuse(text, "is unsafe", x=value, d=members)
        self.assertEqual(([1], {"a": 1}), (value, members))

    def test_nothing_is_kept_from_one_rendering_to_the_next(self):
        template = "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}"
        self.assertEqual([1, 1], [render(template), render(template)])

    def test_many_threads(self):
        template = "a: {{ x }}\nb: {% for i in range(20) %}{{ x }}{% endfor %}"
        wrong = []

        def run(name):
            for _ in range(20):
                if render(template, x=name) != {"a": name, "b": name * 20}:
                    wrong.append(name)

        threads = [threading.Thread(target=run, args=(f"thread: {number}",)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual([], wrong)


class TestLimits(Base):
    """Each of these would take minutes, or all memory there is."""

    GROW = (
        "{{% set ns = namespace(x={start}) %}}{{% for i in range(80) %}}{{% set ns.x = {step} %}}{{% endfor %}}"
        "{{{{ 1 }}}}"
    )

    def test_endless_work(self):
        for text in [
            "{% for i in range(10 ** 12) %}{% endfor %}",
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "{% for i in range(99999) %}{% for j in range(99999) %}text{% endfor %}{% endfor %}",
            "{% for i in range(99999) if i > 5 %}{% for j in range(99999) if false %}{% endfor %}{% endfor %}",
            "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{{ range(99999) | map('string') | map('center', 99999) | list | length }}",
            "{{ [[1]] * 99999 | sum(start=[]) }}",
            "{{ x | striptags }}",
            "{{ x | urlize }}",
            "{{ x | wordwrap(3) }}",
        ]:
            with self.subTest(text):
                self.refuse(text, "", x="<!--" * 200_000)

    def test_huge_values(self):
        for text in [
            "{{ 'a' * 10 ** 9 }}",
            "{{ 10 ** 9 * 'a' }}",
            "{{ [1] * 10 ** 9 }}",
            "{{ (1, 2) * 10 ** 9 }}",
            "{{ 10 ** (10 ** 10) }}",
            "{{ 'a' | center(10 ** 9) }}",
            "{{ 'a'.ljust(10 ** 9) }}",
            "{{ 'a'.zfill(10 ** 9) }}",
            "{{ 'a\t'.expandtabs(10 ** 9) }}",
            "{{ ('\t' * 99999).expandtabs(99999) }}",
            "{{ '%1000000000d' % 1 }}",
            "{{ '%*d' % (1000000000, 1) }}",
            "{{ '%(a)1000000000d' % {'a': 1} }}",
            "{{ '%1000000000d' | format(1) }}",
            "{{ '{:1000000000}'.format(1) }}",
            "{{ '{:{w}}'.format(1, w=1000000000) }}",
            "{{ '{a:{w}}'.format_map({'a': 1, 'w': 1000000000}) }}",
            "{{ ('%(a)s' * 9999) % {'a': 'b' * 99999} }}",
            "{{ ('a' * 999999).replace('a', 'b' * 999999) }}",
            "{{ ('a' * 99999) | replace('a', 'b' * 99999) }}",
            "{{ 'a'.replace('', 'b' * 999999).replace('', 'c' * 999999) }}",
            "{{ ('a' * 9999).join(['b'] * 9999) }}",
            "{{ (['b'] * 9999) | join('a' * 9999) }}",
            "{{ (['b' * 9999] * 9999) | join }}",
            "{{ (['b' * 9999] * 9999) | tojson }}",
            "{{ ['b' * 9999] * 9999 }}",
            "{{ ('a\n' * 99999) | indent(99999) }}",
            "{{ (1).to_bytes(10 ** 9, 'big') }}",
            "{{ range(99999) | map('center', 999999) | list }}",
            "{{ range(99999) | map('center', 999999) | join }}",
            "{{ 'a' | batch(10 ** 9, 'b') | list }}",
            "{{ [1] | slice(10 ** 9) | list }}",
            "{% for i in range(999) %}{{ 'a' * 9999 }}{% endfor %}",
            "{% for i in range(999) %}{% set b %}{{ 'a' * 9999 }}{% endset %}{{ b }}{% endfor %}",
        ]:
            with self.subTest(text):
                self.refuse(text, "line " if "{% for" not in text else "")

    def test_what_doubles_in_a_loop(self):
        for start, step in [
            ("'a'", "ns.x + ns.x"),
            ("'a'", "ns.x ~ ns.x"),
            ("'a'", "[ns.x, ns.x] | join"),
            ("'a'", "'%s%s' % (ns.x, ns.x)"),
            ("'a'", "'{0}{0}'.format(ns.x)"),
            ("'a'", "ns.x.replace('a', 'aa')"),
            ("'a'", "ns.x.join(['a', ns.x])"),
            ("[1]", "ns.x + ns.x"),
            ("[1]", "ns.x * 2"),
            ("3", "ns.x * ns.x"),
            ("3", "ns.x ** 2"),
        ]:
            with self.subTest(step):
                self.refuse(self.GROW.format(start=start, step=step), "line 1: ")

    def test_small_things_that_are_huge_when_gone_through(self):
        self.size_limit = 50_000  # the same with less work
        grown = self.GROW.replace("{{{{ 1 }}}}", "{{{{ {use} }}}}")
        for use in ["ns.x", "ns.x | string", "ns.x | tojson", "ns.x | pprint", "ns.x ~ ''", "'%s' % (ns.x,)",
                    "'{}'.format(ns.x)", "ns.x == [ns.x[0], ns.x[1]]", "ns.x in [[ns.x[0], ns.x[1]]]",
                    "ns.x is eq([ns.x[0], ns.x[1]])", "[ns.x] | unique | list"]:  # fmt: skip
            with self.subTest(use):
                self.refuse(grown.format(start="[1]", step="[ns.x, ns.x]", use=use), "line 1: ")
        tuples = grown.format(start="(1,)", step="(ns.x, ns.x)", use="{use}")
        for use in ["{ns.x: 1}", "{'a': 1}[ns.x]", "dict([(ns.x, 1)])", "ns.x in {'a': 1}"]:
            with self.subTest(use):
                self.refuse(tuples.replace("{use}", use), "line 1: ")

    def test_slices_that_are_kept(self):
        step = "[ns.x, big[i:]]"
        text = "{% set big = 'a' * 999999 %}" + self.GROW.format(start="''", step=step)
        self.refuse(text, "line 1: ")

    def test_documents_that_multiply(self):
        lists = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        merges = "a0: &a0 {k: 1}\n"
        for level in range(1, 10):
            names = ", ".join([f"*a{level - 1}"] * 9)
            lists += f"a{level}: &a{level} [{names}]\n"
            merges += f"a{level}: &a{level} {{<<: [{names}]}}\n"
        self.refuse(lists, "more than a document of 1000000 characters can need")
        self.refuse(merges, "has more than 10000 members")
        self.refuse("a: &a [*a]", "nested too deeply")
        self.assertEqual({"a": {"k": 1}, "b": {"k": 1, "l": 2}}, render("a: &a {k: 1}\nb: {<<: *a, l: 2}"))

    def test_deep_documents(self):
        for text in ("[" * 200_000, "{a: " * 100_000, "- " * 200_000, "? " * 200_000):
            with self.subTest(text[:10]):
                self.refuse(text, "more than 100 levels")
        self.assertEqual([[[1]]], render("[" * 3 + "1" + "]" * 3))

    def test_the_size_limit_counts_what_is_rendered(self):
        template = api.Template("t", "h", "a: {{ x }}\nb: {{ x }}")
        self.assertEqual(
            {"a": "v" * 400, "b": "v" * 400}, rendering.render_document(template, {"x": "v" * 400}, size_limit=1000)
        )
        with self.assertRaisesRegex(api.PermanentError, "template t: .*more than 1000 characters"):
            rendering.render_document(template, {"x": "v" * 600}, size_limit=1000)

    def test_the_time_limit(self):
        template = api.Template("t", "h", "{% for i in range(99999) %}{% endfor %}a: 1")
        with self.assertRaisesRegex(api.PermanentError, "template t: line 1: it takes longer than 0 s"):
            rendering.render_document(template, {}, time_limit=0)

    def test_others_are_served_meanwhile(self):
        """A thread that renders an endless template leaves the interpreter to the others."""
        beats, stop = [], threading.Event()

        def beat():
            while not stop.is_set():
                beats.append(time.monotonic())

        other = threading.Thread(target=beat)
        other.start()
        self.refuse("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "")
        stop.set()
        other.join()
        self.assertGreater(len(beats), 1)
