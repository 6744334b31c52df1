"""Every fault that a plug-in can have at start, each in a distribution of its own, found as any other is found."""

import subprocess
import sys
import unittest

import fixtures

from esi_worker import api
from esi_worker import config
from esi_worker import plugins
from tests.plugins import installed


class RefusedTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Which reasons are told of what is installed."""

    def reasons(self, *names):
        """:returns: entry point -> why it is refused, of the plug-ins of these distributions."""
        self.useFixture(installed.Installed(*names))
        found = [each for each in plugins.scan().found if each.package != plugins.PACKAGE]
        self.assertTrue(found, "the distribution was not found")
        return {each.name: each.error for each in found}

    def test_import_error(self):
        self.assertEqual(
            {"greeter": "it can't be loaded: ModuleNotFoundError: No module named 'a_package_that_nobody_installed'"},
            self.reasons("import_error"),
        )

    def test_an_error_that_stevedore_lets_through(self):
        self.assertEqual(
            {"greeter": "it can't be loaded: AssertionError: nobody shall import this"},
            self.reasons("assertion_error"),
        )

    def test_missing_attribute(self):
        self.assertEqual(
            {"greeter": "it can't be loaded: AttributeError: module 'broken_missing_attribute' has no attribute "
             "'Greeter'"},
            self.reasons("missing_attribute"),
        )  # fmt: skip

    def test_not_a_class(self):
        self.assertEqual(
            {
                "greeter": "it is not a class but an object of the class Greeter; a class derived from api.Handler "
                "is wanted",
                "greeting": "it is not a class but the function greeting; a class derived from api.Resolver is wanted",
            },
            self.reasons("not_a_class"),
        )

    def test_wrong_base(self):
        self.assertEqual(
            {
                "greeter": "the class Greeter is not derived from api.Handler",
                "greeting": "the class Greeting is not derived from api.Resolver",
                "pulse": "the class Greeter is not derived from api.Probe",
            },
            self.reasons("wrong_base"),
        )

    def test_missing_methods_are_named(self):
        self.assertEqual(
            {
                "greeter": "the class Greeter lacks the method remove",
                "pulse": "the class Pulse lacks the methods connect, read",
            },
            self.reasons("abstract"),
        )

    def test_wrong_signature(self):
        self.assertEqual(
            {
                "few": "its apply can't be called as apply(job, context): too many positional arguments",
                "many": "its remove can't be called as remove(job, context): missing a required argument: 'reason'",
                "keyword": "its apply can't be called as apply(job, context): too many positional arguments",
                "coroutine": "its apply is a coroutine or a generator; a plain method is wanted",
                "lane": "its lane is not a method but an object of the class str; it is called as lane(job)",
                "greeting": "its resolve can't be called as resolve(arguments, resource, lookup): too many positional "
                "arguments",
            },
            self.reasons("signature"),
        )

    def test_the_name_of_a_built_in_one(self):
        self.assertEqual(
            {"heat_worker": "its name is also used by esi-worker (esi_worker.handlers.heat_worker:HeatWorker)"},
            self.reasons("duplicate"),
        )
        theirs = [each for each in plugins.scan().found if each.name == "heat_worker" and each.package == "esi-worker"]
        self.assertIn("its name is also used by broken-duplicate (broken_duplicate:Mine)", theirs[0].error)

    def test_two_packages_with_one_name(self):
        self.useFixture(installed.Installed("twin_a", "twin_b"))
        errors = {each.package: each.error for each in plugins.scan().found if each.name == "greeter"}
        self.assertEqual(
            {
                "twin-a": "its name is also used by twin-b (twin_b:Greeter)",
                "twin-b": "its name is also used by twin-a (twin_a:Greeter)",
            },
            errors,
        )

    def test_each_of_two_packages_alone_is_all_right(self):
        self.assertEqual({"greeter": ""}, self.reasons("twin_a"))

    def test_bad_options(self):
        reasons = self.reasons("options")
        wanted = "a sequence of oslo.config options with different names is wanted"
        self.assertEqual(f"its attribute options is {{'greeting': 'hello'}}: {wanted}", reasons["greeter"])
        self.assertEqual(f"its attribute options is 'none': {wanted}", reasons["pulse"])
        self.assertRegex(reasons["twice"], rf"^its attribute options is \(.*\): {wanted}$")

    def test_attributes_of_the_wrong_kind(self):
        self.assertEqual(
            {
                "order": "its attribute order is 'late': a whole number is wanted",
                "flag": "its attribute torn_down_before_modify is 'no': True or False is wanted",
                "kind": "its attribute record_kind is 7: a text is wanted",
                "pulse": "its attribute transport is None: a text is wanted; "
                "its attribute timeout is 'five minutes': a number of seconds is wanted; "
                "its attribute interval is -1: a number of seconds is wanted",
            },
            self.reasons("attributes"),
        )

    def test_record_kinds_that_no_handler_may_have(self):
        self.assertEqual(
            {
                "greeter": "the record kind job_state belongs to esi-worker itself",
                "trace": "the record kind trace belongs to esi-worker itself",
                "slash": "the record kind 'a/b' can't be part of a key: it is 1 to 128 of A-Z a-z 0-9 _ . -",
            },
            self.reasons("record_kind"),
        )

    def test_two_handlers_with_one_record_kind(self):
        self.assertEqual(
            {
                "greeter": "its record kind greetings is also that of waver",
                "waver": "its record kind greetings is also that of greeter",
            },
            self.reasons("shared_record_kind"),
        )

    def test_an_option_group_of_esi_worker(self):
        self.assertEqual(
            {"worker": "its option group would be [worker], which is esi-worker's own"}, self.reasons("option_group")
        )

    def test_constructor_with_other_arguments(self):
        self.assertEqual(
            {
                "greeter": "its constructor can't be called as Greeter(settings): missing a required argument: 'card'",
                "greeting": "its constructor can't be called as Greeting(): missing a required argument: 'settings'",
            },
            self.reasons("constructor_arguments"),
        )

    def test_an_id_that_is_not_the_name(self):
        self.assertEqual(
            {"greeting_card": "its id is postcard, but its entry point is named greeting_card"},
            self.reasons("mismatching_id"),
        )

    def test_no_object_of_resource_type(self):
        wanted = "an object of the class api.ResourceType is wanted"
        self.assertEqual(
            {
                "greeting_card": f"it is the class Card; {wanted}",
                "postcard": f"it is the function postcard; {wanted}",
            },
            self.reasons("resource_type_class"),
        )

    def test_fields_that_cannot_be_used(self):
        self.assertEqual(
            {
                "plural": "its plural is 'plu/rals', which can't be used",
                "prefix": "its prefix is '/v2.0/', which can't be used",
                "relations": "its relations is {'card_id': 7}, which can't be used",
                "templates": "its templates is ['heat_worker'], which can't be used",
                "heat_template": "its plural is heat_templates, but under that name there are templates, not resources",
            },
            self.reasons("resource_type_fields"),
        )

    def test_templates_for_an_unknown_handler(self):
        self.assertEqual(
            {"greeting_card": "its templates are for printer; the handlers are heat_worker, monitoring_worker"},
            self.reasons("unknown_handler"),
        )

    def test_two_types_with_one_plural(self):
        self.assertEqual(
            {
                "greeting_card": "its keys v2.0/cards are also those of postcard",
                "postcard": "its keys v2.0/cards are also those of greeting_card",
            },
            self.reasons("plural_clash"),
        )

    def test_built_in_ones_pass(self):
        self.assertEqual({}, {str(each): each.error for each in plugins.scan().found if each.error})


class LoadTest(fixtures.TestWithFixtures, unittest.TestCase):
    """What the daemon gets, or why it doesn't start."""

    def load(self, *lines):
        directory = self.useFixture(fixtures.TempDir())
        path = directory.join("esi-worker.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        return plugins.load(config.build(["--config-file", path]))

    def test_good_ones_are_made_and_work(self):
        self.useFixture(installed.Installed("good"))
        loaded = self.load("[greeter]", "words = good day")
        self.assertEqual("good day", loaded.handlers["greeter"].apply(None, None).result["greeting"])
        self.assertEqual("hello", loaded.resolvers["greeting"].resolve({}, None, None))
        self.assertEqual({}, loaded.probes["pulse"].read(None, ()))
        self.assertEqual("greeting_cards", loaded.resource_types["greeting_card"].plural)
        found = next(each for each in loaded.found if each.name == "greeter")
        self.assertEqual(("good-plugins", "1.0", "good_plugins:Greeter"), (found.package, found.version, found.target))

    def test_types_are_found_without_making_handlers(self):
        self.useFixture(installed.Installed("good"))
        types = plugins.load_types()
        self.assertEqual("Greeter", types.handlers["greeter"].__name__)
        self.assertEqual("Pulse", types.probes["pulse"].__name__)
        self.assertEqual("hello", types.resolvers["greeting"].resolve({}, None, None))

    def test_types_register_the_options_of_handlers(self):
        self.useFixture(installed.Installed("good"))
        conf = config.build([], default_files=[])
        plugins.load_types(conf)
        self.assertEqual("hello", conf.greeter.words)

    def test_what_another_resource_published_reaches_a_handler(self):
        self.useFixture(installed.Installed("good"))
        conf = config.build([], default_files=[])
        loaded = plugins.load(conf, published={api.Ref("card", "1"): {"version": 2}}.get)
        self.assertEqual({"version": 2}, loaded.handlers["greeter"].settings.published(api.Ref("card", "1")))

    def test_package_entry_point_and_reason_are_told(self):
        self.useFixture(installed.Installed("import_error"))
        with self.assertRaises(api.PluginError) as caught:
            self.load()
        self.assertEqual(
            "the plug-in greeter (package broken-import-error 1.0, entry point esi_worker.handlers: greeter = "
            "broken_import_error:Greeter) is refused: it can't be loaded: ModuleNotFoundError: No module named "
            "'a_package_that_nobody_installed'",
            str(caught.exception),
        )

    def test_constructor_that_raises(self):
        self.useFixture(installed.Installed("constructor_raises"))
        with self.assertRaises(api.PluginError) as caught:
            self.load()
        told = str(caught.exception)
        self.assertIn(
            "broken_constructor_raises:Greeter): its constructor Greeter(settings) failed: "
            "OSError: no such greeting card",
            told,
        )
        self.assertIn("broken_constructor_raises:Greeting): its constructor Greeting() failed: KeyError: 'hello'", told)

    def test_required_options_that_nobody_set(self):
        self.useFixture(installed.Installed("needs_options"))
        with self.assertRaises(api.PluginError) as caught:
            self.load("[greeter]", "words = hi", "[pulse]", "device = wrist", "[printer]", "paper = A4")
        self.assertRegex(
            str(caught.exception),
            r"^the plug-in greeter \(package needs-options 1.0, .*\) is refused: "
            r"it needs option \[greeter\] server: not set, and without a default$",
        )

    def test_planning_needs_no_options_to_be_set(self):
        self.useFixture(installed.Installed("needs_options"))
        self.assertIn("greeter", plugins.load_types(config.build([], default_files=[])).handlers)

    def test_broken_commands_are_no_affair_of_the_daemon(self):
        self.useFixture(installed.Installed("command", "command_clash", "command_exit"))
        self.assertNotIn("esi_worker.commands", {each.group for each in self.load().found})
        self.assertNotIn("broken_command_exit", sys.modules)

    def test_all_problems_are_told_at_once(self):
        self.useFixture(installed.Installed("abstract", "constructor_raises", "mismatching_id"))
        with self.assertRaises(api.PluginError) as caught:
            self.load()
        lines = str(caught.exception).splitlines()
        self.assertRegex(lines[0], r"^\d plug-ins are refused:$")
        for package in ("broken-abstract", "broken-constructor-raises", "broken-mismatching-id"):
            self.assertTrue([line for line in lines[1:] if f"(package {package} 1.0" in line], lines)

    def test_light_loading_refuses_too(self):
        self.useFixture(installed.Installed("abstract"))
        with self.assertRaisesRegex(api.PluginError, "the class Greeter lacks the method remove"):
            plugins.load_types()

    def test_a_bad_value_of_a_plugin_names_option_and_file(self):
        self.useFixture(installed.Installed("good"))
        with self.assertRaisesRegex(api.ConfigError, r"option times in group \[greeter\] in /.*esi-worker\.conf: "):
            self.load("[greeter]", "times = 0")

    def test_an_unknown_handler_of_the_worker(self):
        with self.assertRaisesRegex(api.ConfigError, r"option handlers in group \[worker\]: no handler greeter; there"):
            self.load("[worker]", "handlers = heat_worker, greeter")


class DaemonTest(unittest.TestCase):
    def test_no_command_line_is_loaded_for_plugins(self):
        code = (
            "import sys; from esi_worker import config, plugins; from esi_worker.cmd import daemon; "
            "plugins.load(config.build([], default_files=[])); print('cliff' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual("False", done.stdout.strip())


class ListOptsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_options_of_strangers_are_not_in_our_sample(self):
        self.useFixture(installed.Installed("good"))
        self.assertNotIn("greeter", dict(plugins.list_opts()))
