"""The probe etcd_reader."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from esi_worker import api
from esi_worker.probes import etcd_reader
from esi_worker.testing import probe_conformance

TYPE = "common_function_gateway"


class Published:
    """The documents of /monitoring as a test wants them."""

    def __init__(self) -> None:
        self.documents: dict[api.Ref, Mapping[str, Any]] = {}
        self.error: Exception | None = None

    def __call__(self, ref: api.Ref) -> Mapping[str, Any] | None:
        if self.error:
            raise self.error
        if ref.resource_type != TYPE:
            raise api.CatalogError(f"unknown resource type {ref.resource_type!r} of {ref}")
        if "/" in ref.resource_id:
            raise api.DocumentError(f"the id {ref.resource_id!r} is refused")
        return self.documents.get(ref)


class EtcdReaderCase(unittest.TestCase):
    """A probe that reads from a dict."""

    def setUp(self) -> None:
        self.published = Published()

    def make_probe(self) -> etcd_reader.EtcdReader:
        return etcd_reader.EtcdReader(api.Settings(cfg.ConfigOpts(), "etcd_reader", self.published))

    def make_properties(self, number: int = 0) -> Mapping[str, api.JSON]:
        return {"type": "etcd_reader", "etcd_type": TYPE, "etcd_id": f"g{number}"}

    def status(self, document: Mapping[str, Any] | None) -> str:
        if document is not None:
            self.published.documents[api.Ref(TYPE, "g0")] = document
        probe = self.make_probe()
        target = probe.targets("other", self.make_properties())
        return probe.read(etcd_reader.Nothing(), [target])[api.key(target)]


class ConformanceTest(EtcdReaderCase, probe_conformance.ProbeConformance):
    """What every probe must keep to."""


class ReadTest(EtcdReaderCase):
    """From the other's document to a status."""

    def test_active_while_all_is_well(self) -> None:
        good = {"a": "UP", "b": "MASTER", "c": "BACKUP", "d": "ESTABLISHED", "e": "ACTIVE"}
        self.assertEqual("ACTIVE", self.status({"version": 3, **good}))

    def test_down_if_one_is_not(self) -> None:
        for status in ("FAIL", "INIT", "DOWN", "", None, 1, ["UP"]):
            self.assertEqual("DOWN", self.status({"version": 3, "a": "UP", "b": status}), status)

    def test_down_without_a_document(self) -> None:
        self.assertEqual("DOWN", self.status(None))

    def test_active_if_there_is_nothing_to_be_watched(self) -> None:
        self.assertEqual("ACTIVE", self.status({"version": 1}))

    def test_one_that_can_no_longer_be_named_harms_no_other(self) -> None:
        probe = self.make_probe()
        good = probe.targets("good", self.make_properties())
        gone = api.Target("gone", "etcd_reader", good.device, {"etcd_type": "removed", "etcd_id": "x"})
        with self.assertLogs("esi_worker.probes.etcd_reader", "WARNING") as logged:
            answers = probe.read(etcd_reader.Nothing(), [gone, good])
        self.assertEqual({api.key(good): "DOWN"}, answers)
        self.assertIn("target gone: unknown resource type 'removed'", logged.output[0])

    def test_without_etcd_it_is_unreachable(self) -> None:
        probe = self.make_probe()
        target = probe.targets("other", self.make_properties())
        self.published.error = api.StoreError("no member answers")
        with self.assertRaises(api.Unreachable):
            probe.read(etcd_reader.Nothing(), [target])


class TargetsTest(EtcdReaderCase):
    """From a template's properties to a target."""

    def test_an_unknown_type_is_refused_at_once(self) -> None:
        with self.assertRaises(api.PermanentError) as caught:
            self.make_probe().targets("other", {**self.make_properties(), "etcd_type": "gatewai"})
        self.assertIn("target other", caught.exception.message)
        self.assertIn("unknown resource type 'gatewai'", caught.exception.message)

    def test_an_id_that_can_be_none_is_refused_at_once(self) -> None:
        with self.assertRaises(api.PermanentError) as caught:
            self.make_probe().targets("other", {**self.make_properties(), "etcd_id": "../x"})
        self.assertIn("target other", caught.exception.message)

    def test_a_template_can_be_read_while_etcd_is_away(self) -> None:
        self.published.error = api.StoreError("no member answers")
        self.assertEqual("ACTIVE", self.make_probe().targets("other", self.make_properties()).wanted_status)

    def test_all_share_one_session(self) -> None:
        probe = self.make_probe()
        devices = {probe.targets("t", self.make_properties(number)).device for number in range(3)}
        self.assertEqual({api.Device("etcd")}, devices)

    def test_published(self) -> None:
        self.assertEqual(["UP", "FAIL"], [self.make_probe().published(each) for each in ("ACTIVE", "DOWN")])
