import os
import pathlib
import tempfile
import unittest
from unittest import mock

from esi_worker.testing import etcd


class BinaryTest(unittest.TestCase):
    def chosen(self, path):
        return mock.patch.dict(os.environ, {etcd.BINARY: str(path)})

    def test_the_one_that_the_environment_names(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = pathlib.Path(folder, "my-etcd")
            binary.write_text("#!/bin/sh\n")
            binary.chmod(0o755)
            with self.chosen(binary):
                self.assertEqual(str(binary), etcd.find_binary())
            binary.chmod(0o644)
            with self.chosen(binary.with_name("nothing")), self.assertRaisesRegex(etcd.EtcdError, "ESI_WORKER_ETCD is"):
                etcd.find_binary()

    def test_that_of_the_package_without_it(self):
        with self.chosen(""):
            self.assertEqual("etcd", pathlib.Path(etcd.find_binary()).name)
