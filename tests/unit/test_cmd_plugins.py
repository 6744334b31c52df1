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
        self.assertIn("esi_worker.handlers: greeter = good_plugins:Greeter: passed\n", out)
        self.assertEqual(out.count("\n"), 4)

    def test_check_refused(self):
        self.useFixture(installed.Installed("signature"))
        package = "broken-signature"
        code, out, _ = run("plugins", "check", package)
        self.assertEqual(code, 1)
        self.assertIn("refused: its", out)

    def test_check_of_an_unknown_package(self):
        code, out, err = run("plugins", "check", "no-such-package")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("these do: esi-worker", err)


if __name__ == "__main__":
    unittest.main()
