"""Building the configuration: defaults, what is refused, and how it is told."""

import pathlib
import tempfile
import unittest

from oslo_config import cfg

from esi_worker import api
from esi_worker import config
from esi_worker import options


class ConfigTest(unittest.TestCase):
    def build(self, text="", *argv):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        path = pathlib.Path(directory, "esi-worker.conf")
        path.write_text(text)
        return config.build(["--config-file", str(path), *argv])

    def refused(self, text="", *argv):
        with self.assertRaises(api.ConfigError) as caught:
            self.build(text, *argv)
        return str(caught.exception)


class ValuesTest(ConfigTest):
    def test_defaults_need_no_file(self):
        conf = config.build([], default_files=[])
        self.assertEqual(["job_manager", "worker", "collector"], conf.roles)
        self.assertEqual(["http://127.0.0.1:2379"], conf.etcd.endpoints)
        self.assertEqual((8, 0, 15), (conf.worker.slots, conf.worker.slots_per_system, conf.worker.lease_ttl))
        self.assertEqual("inline", conf.job_manager.secrets)
        self.assertEqual("probe", conf.monitoring.mode)
        self.assertTrue(conf.catalog.entry_points)

    def test_a_file_and_the_command_line(self):
        conf = self.build("[DEFAULT]\nroles = worker\n[worker]\nslots = 3\n", "--roles", "collector,worker")
        self.assertEqual(["collector", "worker"], conf.roles)
        self.assertEqual(3, conf.worker.slots)

    def test_a_default_file_gives_way_to_a_named_one(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        default = directory / "default.conf"
        default.write_text("[worker]\nslots = 5\n")
        self.assertEqual(5, config.build([], default_files=[str(default)]).worker.slots)
        named = directory / "named.conf"
        named.write_text("[worker]\nslots = 6\n")
        conf = config.build(["--config-file", str(named)], default_files=[str(default)])
        self.assertEqual(6, conf.worker.slots)

    def test_a_directory_of_files(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        directory.joinpath("10.conf").write_text("[worker]\nslots = 5\n")
        directory.joinpath("20.conf").write_text("[worker]\nslots = 6\n")
        self.assertEqual(6, config.build(["--config-dir", str(directory)], default_files=[]).worker.slots)

    def test_two_configurations_know_nothing_of_each_other(self):
        one, other = self.build("[worker]\nslots = 1\n"), self.build("[worker]\nslots = 2\n")
        self.assertEqual((1, 2), (one.worker.slots, other.worker.slots))

    def test_packages_that_log_payloads_are_kept_quiet(self):
        self.assertIn("ncclient=WARN", self.build().default_log_levels)


class RefusedTest(ConfigTest):
    def test_a_bad_value_names_option_group_and_file(self):
        for text, wanted in (
            ("[worker]\nslots = 0\n", r"^option slots in group \[worker\] in /.+/esi-worker\.conf: .*equal to 1"),
            ("[worker]\nslots = many\n", r"^option slots in group \[worker\] in /.+\.conf: .*'many'"),
            ("[etcd]\ntimeout = 0\n", r"^option timeout in group \[etcd\] in /.+\.conf: "),
            ("[job_manager]\nsecrets = no\n", r"^option secrets in group \[job_manager\] in /.+\.conf: .*\binline\b"),
            ("[monitoring]\nmode = guess\n", r"^option mode in group \[monitoring\] in /.+\.conf: .*\btrust\b"),
            (
                "[DEFAULT]\nroles = cook, worker\n",
                r"^option roles in group \[DEFAULT\] in /.+\.conf: unknown role cook;",
            ),
            ("[DEFAULT]\nroles =\n", r"^option roles in group \[DEFAULT\] in /.+\.conf: no role is named;"),
            (
                "[etcd]\nendpoints = 127.0.0.1:2379\n",
                r"^option endpoints in group \[etcd\] in /.+\.conf: an endpoint has",
            ),
            ("[etcd]\nendpoints =\n", r"^option endpoints in group \[etcd\] in /.+\.conf: no endpoint is named"),
        ):
            with self.subTest(text=text):
                self.assertRegex(self.refused(text), wanted)

    def test_a_role_of_the_command_line(self):
        self.assertRegex(self.refused("", "--roles", "cook"), r"on the command line: unknown role cook")

    def test_options_that_go_together(self):
        for text in ("[etcd]\nusername = esi\n", "[etcd]\ncert_file = a.pem\n"):
            with self.subTest(text=text):
                self.assertIn("go together", self.refused(text))
        self.assertIn("greater than", self.refused("[worker]\nretry_delay = 61\n"))

    def test_a_line_that_cannot_be_read_is_not_shown(self):
        told = self.refused("[etcd]\npassword hunter2\n")
        self.assertRegex(told, r"esi-worker\.conf:2")
        self.assertNotIn("hunter2", told)

    def test_an_endpoint_with_a_password_is_not_shown(self):
        self.assertNotIn("hunter2", self.refused("[etcd]\nendpoints = http://root:hunter2@127.0.0.1:2379\n"))

    def test_a_missing_file(self):
        with self.assertRaisesRegex(api.ConfigError, "/nonexistent.conf"):
            config.build(["--config-file", "/nonexistent.conf"])


class PluginOptionsTest(ConfigTest):
    OPTIONS = (cfg.IntOpt("cards", default=1, min=1),)

    def test_a_plugin_reads_its_own_group(self):
        conf = self.build("[greeter]\ncards = 5\n")
        config.register_plugin(conf, "greeter", self.OPTIONS)
        self.assertEqual(5, api.Settings(conf, "greeter").options.cards)

    def test_a_plugin_without_options_has_a_group_all_the_same(self):
        conf = self.build()
        config.register_plugin(conf, "greeter", ())
        self.assertIsNotNone(api.Settings(conf, "greeter").options)

    def test_its_bad_values_are_told_as_ours(self):
        conf = self.build("[greeter]\ncards = 0\n")
        with self.assertRaisesRegex(api.ConfigError, r"^option cards in group \[greeter\] in /.+\.conf: "):
            config.register_plugin(conf, "greeter", self.OPTIONS)

    def test_one_option_with_two_meanings(self):
        conf = self.build()
        config.register_plugin(conf, "greeter", self.OPTIONS)
        config.register_plugin(conf, "greeter", self.OPTIONS)
        with self.assertRaisesRegex(api.ConfigError, "the options of greeter can't be registered"):
            config.register_plugin(conf, "greeter", (cfg.StrOpt("cards"),))


class SampleTest(unittest.TestCase):
    """What the sample shows an operator."""

    def test_every_option_says_what_it_is(self):
        for group, members in options.groups():
            for option in members:
                with self.subTest(group=group, option=option.name):
                    self.assertTrue(option.help)
                    self.assertTrue(option.help.endswith((".", ")")), option.help)

    def test_passwords_are_marked_secret(self):
        for group, members in options.groups():
            for option in members:
                if "password" in option.name:
                    with self.subTest(group=group, option=option.name):
                        self.assertTrue(option.secret)

    def test_the_generator_gets_all_groups(self):
        self.assertLessEqual({None, "etcd", "worker", "netconf"}, {group for group, _ in config.list_opts()})
