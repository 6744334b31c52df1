"""Every fault that a command can have, each in a distribution, and esictl beside it."""

import io
import json
import unittest

import fixtures

from esi_worker.cmd import esictl
from tests.plugins import installed

BROKEN = ("command", "command_clash", "command_exit")


def run(*argv):
    """Run esictl; :returns: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = esictl.Application(stdout=out, stderr=err).run(list(argv))
    return code, out.getvalue(), err.getvalue()


class RefusedTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Which reasons are told of installed commands."""

    def reasons(self, *names):
        """:returns: (package, entry point) -> why it is refused, of the commands of these distributions."""
        self.useFixture(installed.Installed(*names))
        _, out, _ = run("plugins", "-f", "json")
        rows = [each for each in json.loads(out) if each["group"] == "commands"]
        return {(each["package"], each["name"]): each["reason"] for each in rows}

    def test_faults(self):
        reasons = self.reasons("command")
        wanted = {
            "abstract": "the class Abstract lacks take_action",
            "action": "its take_action can't be called as take_action(parsed_args): too many positional arguments",
            "arguments": "its constructor can't be called as Arguments(app, app_args, cmd_name=None): "
            "missing a required argument: 'card'",
            "base": "the class Base is not derived from cliff.command.Command",
            "constructor": "Constructor(app, None, cmd_name='constructor') failed: OSError: no such greeting card",
            "coroutine": "its take_action is a coroutine or a generator; a plain method is wanted",
            "describes": "get_description() failed: KeyError: 'description'",
            "describes_badly": "its get_description gives an object of the class tuple; a text is wanted",
            "exits": "Exits(app, None, cmd_name='exits') failed: SystemExit: 3",
            "function": "it is the function function; a class derived from cliff.command.Command is wanted",
            "half__way": "the name 'half__way' can't be used: words of A-Z a-z 0-9 . - are wanted, with _ between them",
            "missing": "it can't be loaded: AttributeError: module 'broken_command' has no attribute 'Missing'",
            "options": "format_help() of its parser failed: KeyError: 'percent'",
            "parser": "its get_parser gives an object of the class NoneType; an argparse.ArgumentParser is wanted",
        }
        told = {name: reason for (package, name), reason in reasons.items() if package == "broken-command"}
        self.assertEqual(told, wanted)

    def test_one_that_ends_the_process_while_it_is_imported(self):
        reasons = self.reasons("command_exit")
        self.assertEqual(reasons["broken-command-exit", "leave"], "it can't be loaded: SystemExit: goodbye")

    def test_names_that_would_take_calls_from_ours(self):
        reasons = self.reasons("command_clash")
        told = {name: reason for (package, name), reason in reasons.items() if package == "broken-command-clash"}
        self.assertEqual(
            told,
            {
                "get_port": "'esictl get port' could as well mean 'get' of esi-worker",
                "help": "'esictl help' could as well mean 'help' of cliff",
                "jobs": "'esictl jobs' could as well mean 'jobs list' of esi-worker, 'jobs show' of esi-worker",
                "jobs_show": "its name is also used by esi-worker (esi_worker.cmd.jobs:Show)",
            },
        )
        self.assertIsNone(reasons["esi-worker", "jobs_show"])

    def test_two_packages_with_one_name(self):
        reasons = self.reasons("command_twin_a", "command_twin_b")
        self.assertEqual(
            (reasons["command-twin-a", "greet"], reasons["command-twin-b", "greet"]),
            (
                "its name is also used by command-twin-b (command_twin_b:Greet)",
                "its name is also used by command-twin-a (command_twin_a:Greet)",
            ),
        )

    def test_ours_pass(self):
        reasons = self.reasons()
        self.assertIn(("esi-worker", "plugins_check"), reasons)
        self.assertEqual(set(reasons.values()), {None})


class BesideTest(fixtures.TestWithFixtures, unittest.TestCase):
    """What esictl still does where broken commands are installed."""

    def setUp(self):
        super().setUp()
        _, self.help, _ = run("help")
        self.useFixture(installed.Installed(*BROKEN))

    def test_help_lists_all_others(self):
        for argv in (["help"], ["--help"]):
            out, err = io.StringIO(), io.StringIO()
            try:
                esictl.Application(stdout=out, stderr=err).run(argv)
            except SystemExit as ended:
                self.assertFalse(ended.code)
            self.assertEqual(out.getvalue(), self.help)
            self.assertIn("refused and left out: abstract (package broken-command), ", err.getvalue())
            self.assertIn("leave (package broken-command-exit)", err.getvalue())

    def test_completion_is_written(self):
        code, out, _ = run("complete")
        self.assertEqual(code, 0)
        self.assertIn("cmds_jobs='list show'", out)
        self.assertNotIn("leave", out)

    def test_another_command_runs_and_says_nothing_of_them(self):
        code, out, err = run("plugins", "check", "esi-worker")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("passed   commands: jobs_show\n", out)

    def test_part_of_a_name_leads_to_ours(self):
        code, out, _ = run("jobs")
        self.assertEqual(code, 2)
        self.assertIn("  jobs list\n  jobs show\n", out)

    def test_ours_are_not_replaced(self):
        for argv in (["jobs", "show", "--help"], ["get", "port", "--help"]):
            code, out, err = run(*argv)
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(out.startswith(f"usage: esictl {' '.join(argv[:-1]).removesuffix(' port')} ["), out)

    def test_a_refused_one_says_why(self):
        code, out, err = run("leave")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(
            err,
            "esictl: the command leave (package broken-command-exit 1.0, entry point esi_worker.commands: "
            "leave = broken_command_exit:Leave) is refused: it can't be loaded: SystemExit: goodbye\n",
        )

    def test_one_whose_constructor_fails_says_so_in_a_line(self):
        code, out, err = run("constructor")
        self.assertEqual((code, out, err), (1, "", "esictl: the command failed: OSError: no such greeting card\n"))

    def test_debug_shows_its_traceback(self):
        with self.assertRaisesRegex(OSError, "no such greeting card"):
            run("--debug", "constructor")


class GoodTest(fixtures.TestWithFixtures, unittest.TestCase):
    """What a package gets that adds commands which are all right."""

    def setUp(self):
        super().setUp()
        self.useFixture(installed.Installed("good_command"))

    def test_they_run(self):
        self.assertEqual(run("greet", "all", "you"), (0, "hello you\n", ""))
        self.assertEqual(run("wave", "-f", "value"), (0, "o/\n", ""))

    def test_they_are_in_the_help(self):
        code, out, err = run("help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("  greet all      Greet everybody who is named\n", out)

    def test_ours_may_still_be_abbreviated(self):
        code, out, _ = run("plug", "ch", "good-command")
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("package good-command, version 1.0\npassed   commands: greet_all\n"), out)

    def test_one_without_a_description_passes_with_advice(self):
        code, out, _ = run("plugins", "check", "good-command")
        self.assertEqual(code, 0)
        wanted = (
            "'esictl --help' has nothing to say of it: give the class Wave a docstring, whose first line stands there"
        )
        self.assertIn(f"passed commands: wave {wanted}", " ".join(out.split()))


if __name__ == "__main__":
    unittest.main()
