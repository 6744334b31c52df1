"""The demo, as a newcomer runs it: in a directory of its own, without a terminal."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

WORLD = pathlib.Path(__file__).resolve().parents[2] / "examples" / "gateway-world"
PATIENCE = 120


class TestDemo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments):
        command = [sys.executable, "-m", "esi_worker.testing.demo", "--delay", "0", "--interval", "0.5", *arguments]
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()

    def assert_ended(self, output):
        """The daemon that the output names is gone."""
        daemon = int(re.search(r"esi-worker  process (\d+)", output)[1])
        with self.assertRaises(ProcessLookupError):
            os.kill(daemon, 0)

    def test_all_seven_points_and_again(self):
        for _ in range(2):
            process = self.start()
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual((0, ""), (process.returncode, err), out)
            gateway = re.findall(r"\((\d)\) \w+ +common_function_gateway ", out)
            self.assertEqual(list("1234567"), gateway)
            self.assertRegex(out, r"\| +7 \| /monitoring/<P> .* primary_\d+ MASTER")
            self.assertNotIn("\x1b", out)
            self.assertNotRegex(out, r"_FAILED")
            self.assert_ended(out)

    def test_what_is_missing_is_told(self):
        world = self.folder / "world"
        shutil.copytree(WORLD, world)
        lonely = {"type": "subnet", "id": "lonely", "body": {"name": "lonely", "network_id": "nowhere"}}
        (world / "zz.json").write_text(json.dumps(lonely), encoding="utf-8")
        process = self.start("--world", str(world), "--timeout", "8")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(1, process.returncode, out + err)
        self.assertIn("is missing:", err)
        self.assertIn("subnet:lonely: /state says nothing, wanted is version 1", err)
        self.assertIn("The end of .demo/esi-worker.log:", err)
        self.assert_ended(out)

    def test_a_signal_ends_all_of_it(self):
        process = self.start("--keep")
        seen = ""
        for line in process.stdout:
            seen += line
            if line.startswith("Ctrl-C ends it"):
                break
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertIn("Stopping what was started", out)
        self.assertEqual(0, process.returncode)
        self.assert_ended(seen)
