"""The daemon's own part: exit statuses, signals, dead threads.  What it runs is a service of a few lines."""

import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from contextlib import redirect_stderr

from esi_worker.cmd import daemon


class Service:
    """Runs until it is stopped, and then gives the status it was made with."""

    def __init__(self, status=0, body=None):
        self.status = status
        self.body = body
        self.stopped = threading.Event()
        self.reloaded = threading.Event()

    def run(self):
        if self.body:
            self.body()
        if not self.stopped.wait(20):
            raise AssertionError("nobody stopped the service")
        return self.status

    def stop(self):
        self.stopped.set()


class DaemonTest(unittest.TestCase):
    def test_it_ends_with_the_service(self):
        service = Service(status=0)
        service.stop()
        self.assertEqual(daemon.STOPPED, daemon.Daemon(service).run())

    def test_the_status_of_the_service_is_its_own(self):
        service = Service(status=1)
        service.stop()
        self.assertEqual(1, daemon.Daemon(service).run())

    def test_a_signal_stops_the_service(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number.name):
                service = Service(body=lambda number=number: os.kill(os.getpid(), number))
                self.assertEqual(daemon.STOPPED, daemon.Daemon(service).run())
                self.assertTrue(service.stopped.is_set())

    def test_hangup_reloads_and_goes_on(self):
        service = Service(body=lambda: os.kill(os.getpid(), signal.SIGHUP))
        service.reload = service.stop
        self.assertEqual(daemon.STOPPED, daemon.Daemon(service).run())

    def test_hangup_without_a_reload_does_nothing(self):
        def body():
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)

        self.assertEqual(daemon.STOPPED, daemon.Daemon(Service(body=body)).run())

    def test_a_dead_thread_stops_the_service_and_is_told(self):
        def fail():
            raise RuntimeError("the thread's own words")

        def body():
            threading.Thread(target=fail, name="claims").start()

        service = Service(body=body)
        with self.assertLogs("esi_worker.cmd.daemon", "CRITICAL") as logged:
            self.assertEqual(daemon.FAILED, daemon.Daemon(service).run())
        self.assertTrue(service.stopped.is_set())
        self.assertIn("the thread claims died", logged.output[0])
        self.assertIn("the thread's own words", logged.output[0])

    def test_a_service_that_raises_is_a_failure(self):
        def body():
            raise RuntimeError("broken")

        with self.assertLogs("esi_worker.cmd.daemon", "CRITICAL") as logged:
            self.assertEqual(daemon.FAILED, daemon.Daemon(Service(body=body)).run())
        self.assertIn("the thread service died", logged.output[0])

    def test_handlers_and_hook_are_put_back(self):
        before = (signal.getsignal(signal.SIGTERM), threading.excepthook)
        service = Service()
        service.stop()
        daemon.Daemon(service).run()
        self.assertEqual(before, (signal.getsignal(signal.SIGTERM), threading.excepthook))


class SecondSignalTest(unittest.TestCase):
    """Ends a process at once, so it has one of its own."""

    PROGRAM = textwrap.dedent(
        """
        import sys, threading
        from esi_worker.cmd import daemon

        class Stubborn:
            def run(self):
                print("running", flush=True)
                threading.Event().wait()
            def stop(self):
                print("stopping", flush=True)

        sys.exit(daemon.Daemon(Stubborn()).run())
        """
    )

    def test_a_second_signal_ends_it_at_once(self):
        process = subprocess.Popen([sys.executable, "-c", self.PROGRAM], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        self.assertEqual("running\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual("stopping\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.FAILED, process.wait(20))


class UnusableTest(unittest.TestCase):
    def run_main(self, *argv, text=""):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "esi-worker.conf")
            path.write_text(text)
            told = io.StringIO()
            with redirect_stderr(told):
                status = daemon.main([*(argv or ("--config-file", str(path)))])
            return status, told.getvalue()

    def test_a_bad_value_is_told_in_one_line(self):
        status, told = self.run_main(text="[worker]\nslots = none\n")
        self.assertEqual(daemon.UNUSABLE, status)
        self.assertEqual(1, len(told.splitlines()), told)
        self.assertRegex(told, r"^esi-worker: option slots in group \[worker\] in .*esi-worker\.conf: ")

    def test_a_missing_file_is_told_in_one_line(self):
        status, told = self.run_main("--config-file", "/nonexistent/esi-worker.conf")
        self.assertEqual(daemon.UNUSABLE, status)
        self.assertEqual("esi-worker: Failed to find some config files: /nonexistent/esi-worker.conf\n", told)

    def test_a_bad_value_of_the_log_is_unusable_too(self):
        status, told = self.run_main(text="[DEFAULT]\ndebug = perhaps\n")
        self.assertEqual(daemon.UNUSABLE, status)
        self.assertIn("perhaps", told)

    def test_a_log_file_that_cannot_be_opened(self):
        status, told = self.run_main(text="[DEFAULT]\nlog_file = /nonexistent/directory/esi-worker.log\n")
        self.assertEqual(daemon.UNUSABLE, status)
        self.assertIn("logging can't be set up", told)
        self.assertEqual(1, len(told.splitlines()), told)

    def test_an_unknown_option_of_the_command_line(self):
        status, told = self.run_main("--colour")
        self.assertEqual(daemon.UNUSABLE, status)
        self.assertIn("unrecognized arguments: --colour", told)

    def test_help_and_version_are_no_failure(self):
        for option, wanted in (("--help", "Exit status: 0 stopped"), ("--version", "esi-worker ")):
            with self.subTest(option=option):
                done = subprocess.run(
                    [sys.executable, "-m", "esi_worker.cmd.daemon", option], capture_output=True, text=True, timeout=60
                )
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertIn(wanted, " ".join(done.stdout.split()) + " ")
