"""The store over TLS: etcd's certificate is checked, and its own is shown where etcd asks for one."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import threading
import unittest
from typing import ClassVar

import fixtures
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from esi_worker import api
from esi_worker.store import etcd as etcd_store
from esi_worker.testing import etcd


def certificate(folder: pathlib.Path, address: str) -> tuple[str, str]:
    """Write a certificate that signs itself, for an address, and its key.

    :returns: their files
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{address}.pem", folder / f"{address}.key"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(cert_file), str(key_file)


class TlsTest(unittest.TestCase):
    server: ClassVar[etcd.EtcdServer]
    cert_file: ClassVar[str]
    key_file: ClassVar[str]
    other_cert: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        folder = fixtures.TempDir()
        folder.setUp()
        cls.addClassCleanup(folder.cleanUp)
        cls.cert_file, cls.key_file = certificate(pathlib.Path(folder.path), "127.0.0.1")
        cls.other_cert, _ = certificate(pathlib.Path(folder.path), "127.0.0.2")
        cls.server = etcd.EtcdServer(fsync=False, cert_file=cls.cert_file, key_file=cls.key_file)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def store(self, **options: str) -> etcd_store.EtcdStore:
        store = etcd_store.EtcdStore([self.server.endpoint], timeout=3.0, **options)
        self.addCleanup(store.close)
        return store

    def test_everything_goes_over_tls(self) -> None:
        store = self.store(ca_cert=self.cert_file, cert_file=self.cert_file, key_file=self.key_file)
        self.assertTrue(self.server.endpoint.startswith("https://"))
        value = bytes(range(256)) * 2000
        revision = store.put("/a", value)
        for _ in range(3):
            entry = store.get("/a")
            self.assertTrue(entry is not None and entry.value == value)
        batches = store.watch("/", revision, threading.Event())
        events = next(batch.events for batch in batches if batch.events)
        self.assertTrue(events[0].entry.value == value)

    def test_a_certificate_of_nobody_known_is_refused(self) -> None:
        for options in ({}, {"ca_cert": self.other_cert}):
            with self.assertRaisesRegex(api.StoreError, "certificate verify failed") as raised:
                self.store(**options).put("/a", b"1")
            self.assertFalse(raised.exception.unknown)
