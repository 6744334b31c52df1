"""No secret in a log: by name, by value, in a traceback, from another package."""

import io
import logging
import threading
import unittest

from esi_worker import api
from esi_worker import config
from esi_worker import logs

SECRET = "N0t-in-any-log"


class LogsTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(logs.RedactingFormatter(logging.Formatter("%(levelname)s %(message)s"), ("etcd-s3cret",)))
        self.log = logging.Logger("test")
        self.log.addHandler(handler)

    def logged(self):
        return self.stream.getvalue()

    def assert_hidden(self, rest):
        self.assertNotIn(SECRET, self.logged())
        self.assertIn(rest, self.logged())

    def test_a_secret_in_an_argument_is_hidden_by_its_name(self):
        self.log.warning("asking %s", {"device_password": SECRET, "address": "192.0.2.1"})
        self.assert_hidden("192.0.2.1")

    def test_a_param_and_a_job_are_known(self):
        param = api.Param("primary_device_password", "value", SECRET)
        job = api.Job("id", "handler", "create", "type", "one", 1, params=(param,), resource_input={"token": SECRET})
        self.log.warning("running %s of %s", job, param)
        self.log.warning("its document %s, its params %s", job.to_document(), [param.to_document()])
        self.assert_hidden("primary_device_password")

    def test_what_an_argument_told_is_hidden_in_the_whole_line(self):
        self.log.warning("%s failed for <%s>", {"password": SECRET}, f"ssh://root:{SECRET}@192.0.2.1")
        self.assert_hidden("192.0.2.1")

    def test_texts_of_all_kinds(self):
        for text in (
            f'{{"password": "{SECRET}", "rest": 1}}',
            f"{{'device_password': '{SECRET}', 'rest': 1}}",
            f'{{"param": "device_password", "resources": [], "type": "value", "value": "{SECRET}", "rest": 1}}',
            f'{{"rest": 1, "value": "{SECRET}", "param": "device_password"}}',
            f"Param(param='device_password', type='value', value='{SECRET}', resources=()) rest",
            f"connect(password={SECRET}, rest=1)",
            f"http://192.0.2.1/?token={SECRET}&rest=1",
            f"<rpc><password>{SECRET}</password><rest/></rpc>",
            f"<rpc><j:secret xmlns='x'>{SECRET}</j:secret><rest/></rpc>",
            f"X-Auth-Token: {SECRET} rest",
            f"'X-Auth-Token': '{SECRET}', rest",
            f"Authorization: Basic {SECRET} rest",
        ):
            with self.subTest(text=text):
                self.stream.truncate(0)
                self.log.warning(text)
                self.assert_hidden("rest")

    def test_a_traceback(self):
        try:
            raise ValueError(f"bad reply: password='{SECRET}' rest")
        except ValueError:
            self.log.exception("it failed")
        self.assert_hidden("Traceback")

    def test_known_from_the_start(self):
        self.log.warning("etcd said no to etcd-s3cret")
        self.assertEqual("WARNING etcd said no to ***\n", self.logged())

    def test_hiding_hides_by_value_for_as_long_as_it_lasts(self):
        with logs.hiding([SECRET]):
            self.log.warning("within %s", SECRET)
        self.log.warning("after: not %s", "hidden")
        self.assertEqual("WARNING within ***\nWARNING after: not hidden\n", self.logged())

    def test_hiding_is_the_affair_of_one_thread(self):
        with logs.hiding(["shared-word"]):
            thread = threading.Thread(target=self.log.warning, args=("another thread's shared-word",))
            thread.start()
            thread.join()
        self.assertIn("shared-word", self.logged())

    def test_hiding_within_hiding(self):
        with logs.hiding(["outer-word"]), logs.hiding(["inner-word"]):
            self.log.warning("outer-word inner-word")
        self.assertEqual("WARNING *** ***\n", self.logged())

    def test_what_is_no_secret_stays(self):
        text = "job create:heat_worker:port:1:1:abcde of 3 params took 0.2 s; tokens are renewed; value: 'seen'"
        self.log.warning(text)
        self.assertEqual(f"WARNING {text}\n", self.logged())


class SetupTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        root = logging.getLogger()
        before, level = list(root.handlers), root.level
        self.addCleanup(root.setLevel, level)
        self.addCleanup(setattr, root, "handlers", before)

    def test_every_handler_redacts(self):
        logs.setup(config.build([], default_files=[]))
        formatters = [handler.formatter for handler in logging.getLogger().handlers]
        self.assertTrue(formatters)
        for formatter in formatters:
            self.assertIsInstance(formatter, logs.RedactingFormatter)

    def test_a_second_setup_wraps_once(self):
        conf = config.build([], default_files=[])
        logs.setup(conf)
        logs.setup(conf)
        for handler in logging.getLogger().handlers:
            self.assertNotIsInstance(handler.formatter._formatter, logs.RedactingFormatter)
