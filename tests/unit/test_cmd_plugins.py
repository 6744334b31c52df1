"""``esictl plugins``: what is installed, what is refused, and why."""

import io
import json
import unittest

import fixtures

from esi_worker.cmd import esictl
from tests.plugins import installed


def run(*argv):
    """Run esictl; :returns: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = esictl.Application(stdout=out, stderr=err).run(list(argv))
    return code, out.getvalue(), err.getvalue()


class PluginsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_list(self):
        self.useFixture(installed.Installed("good"))
        code, out, err = run("plugins", "-f", "json")
        self.assertEqual((code, err), (0, ""))
        rows = {(each["group"], each["name"]): each for each in json.loads(out)}
        self.assertEqual(
            rows["handlers", "greeter"],
            {
                "group": "handlers",
                "name": "greeter",
                "package": "good-plugins",
                "version": "1.0",
                "check": "passed",
                "reason": None,
            },
        )
        self.assertEqual(rows["handlers", "heat_worker"]["package"], "esi-worker")

    def test_list_of_one_package(self):
        self.useFixture(installed.Installed("good"))
        code, out, _ = run("plugins", "--package", "Good_Plugins", "-f", "json")
        self.assertEqual(code, 0)
        self.assertEqual({each["name"] for each in json.loads(out)}, {"greeter", "greeting", "pulse", "greeting_card"})

    def test_a_refused_one_gives_exit_code_1(self):
        self.useFixture(installed.Installed("wrong_base"))
        code, out, _ = run("plugins", "-f", "json")
        self.assertEqual(code, 1)
        refused = [each for each in json.loads(out) if each["check"] == "refused"]
        self.assertTrue(refused)
        self.assertIn("is not derived from", refused[0]["reason"])

    def test_check(self):
        self.useFixture(installed.Installed("good"))
        code, out, err = run("plugins", "check", "good-plugins")
        self.assertEqual((code, err), (0, ""))
        wanted = (
            "package good-plugins, version 1.0",
            "passed   handlers: greeter",
            "passed   resolvers: greeting",
            "passed   probes: pulse",
            "passed   resource_types: greeting_card",
        )
        self.assertEqual(tuple(out.splitlines()), wanted)

    def test_check_refused(self):
        self.useFixture(installed.Installed("signature"))
        package = "broken-signature"
        code, out, _ = run("plugins", "check", package)
        self.assertEqual(code, 1)
        wanted = "refused  handlers: few\n    entry point few = broken_signature:Few\n    its apply can't be called as"
        self.assertIn(wanted, out)

    def test_check_of_an_unknown_package(self):
        code, out, err = run("plugins", "check", "no-such-package")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("these do: esi-worker", err)


class TableTest(fixtures.TestWithFixtures, unittest.TestCase):
    """What a person sees, in a terminal of 80 columns."""

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.EnvironmentVariable("COLUMNS", "80"))

    def test_list_fits(self):
        code, out, _ = run("plugins")
        self.assertEqual(code, 0)
        self.assertEqual([line for line in out.splitlines() if len(line) > 80], [])

    def test_reasons_stand_below_the_table(self):
        self.useFixture(installed.Installed("command_exit"))
        code, out, _ = run("plugins")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"\| commands +\| leave +\| broken-command-exit +\| 1.0 +\| refused \|\n")
        wanted = "\ncommands: leave (broken-command-exit) is refused: it can't be loaded:\n    SystemExit: goodbye\n"
        self.assertTrue(out.endswith(wanted), out[-300:])

    def test_check_fits(self):
        self.useFixture(installed.Installed("command"))
        for package in ("esi-worker", "broken-command"):
            _, out, _ = run("plugins", "check", package)
            self.assertEqual([line for line in out.splitlines() if len(line) > 80], [])


class ConstructedTest(fixtures.TestWithFixtures, unittest.TestCase):
    """What ``plugins check`` sees of constructors."""

    def check(self, package, *lines):
        """:returns: exit code, and what is said of each plug-in, in one line."""
        directory = self.useFixture(fixtures.TempDir())
        path = directory.join("esi-worker.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        code, out, err = run("--config-file", path, "plugins", "check", package)
        self.assertEqual(err, "")
        joined = " ".join(line if line.startswith("    ") else f"\n{line}" for line in out.splitlines())
        told = [" ".join(line.split()) for line in joined.splitlines()[2:]]
        return code, {line.split()[2]: line for line in told}

    def test_constructors_that_raise(self):
        self.useFixture(installed.Installed("constructor_raises"))
        code, told = self.check("broken-constructor-raises")
        self.assertEqual(code, 1)
        self.assertEqual(
            told["greeter"],
            "refused handlers: greeter entry point greeter = broken_constructor_raises:Greeter "
            "its constructor Greeter(settings) failed: OSError: no such greeting card",
        )
        self.assertIn("its constructor Greeting() failed: KeyError: 'hello'", told["greeting"])

    def test_options_that_must_be_set_are_named(self):
        self.useFixture(installed.Installed("needs_options"))
        code, told = self.check("needs-options")
        self.assertEqual(
            told["greeter"],
            "needs handlers: greeter entry point greeter = needs_options:Greeter "
            "it needs option [greeter] server and option [greeter] words: not set, and without a default",
        )
        self.assertIn("it needs another configuration: [printer] paper: one of A4, A5", told["printer"])
        self.assertTrue(told["pulse"].startswith("refused"))
        self.assertIn("'lower'; without a value in [pulse]: device, rhythm (required=True says", told["pulse"])
        self.assertIn("passed handlers: closer its close failed: OSError: it is stuck", told["closer"])
        self.assertEqual(code, 1)

    def test_options_that_are_set_are_used(self):
        self.useFixture(installed.Installed("needs_options"))
        lines = ("[greeter]", "server = host", "words = hi", "[printer]", "paper = A4", "[pulse]", "device = wrist")
        code, told = self.check("needs-options", *lines)
        self.assertEqual((code, {each.split()[0] for each in told.values()}), (0, {"passed"}))

    def test_what_only_needs_options_is_not_refused(self):
        self.useFixture(installed.Installed("needs_options"))
        code, told = self.check("needs-options", "[pulse]", "device = wrist")
        self.assertEqual((code, told["greeter"].split()[0], told["pulse"].split()[0]), (0, "needs", "passed"))

    def test_values_that_cannot_be_used_are_told_with_their_place(self):
        self.useFixture(installed.Installed("good"))
        code, told = self.check("good-plugins", "[greeter]", "times = 0")
        self.assertEqual(code, 1)
        self.assertRegex(told["greeter"], r"option times in group \[greeter\] in .*esi-worker\.conf: ")

    def test_ours_contact_nothing(self):
        contacted = []
        self.useFixture(fixtures.MonkeyPatch("socket.socket.connect", lambda *arguments: contacted.append(arguments)))
        code, told = self.check("esi-worker")
        self.assertEqual((code, {each.split()[0] for each in told.values()}), (0, {"passed"}))
        self.assertEqual(contacted, [])


if __name__ == "__main__":
    unittest.main()
