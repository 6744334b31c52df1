"""The handler monitoring_worker, with a monitor that says what a test wants."""

from __future__ import annotations

import dataclasses
import time
import unittest
from collections.abc import Mapping
from typing import Any

from esi_worker import api
from esi_worker.handlers import monitoring_worker
from esi_worker.testing import context

JOB = api.Job("create:monitoring_worker:gateway:g1:3:abcde", "monitoring_worker", "create", "gateway", "g1", 3)
REFERENCE = {"resource_type": "edge_router", "resource_id": "e1", "field": "password"}
SECRET = "pass-4711"


class Monitor(context.StandInMonitor):
    """Targets with what a template wants of them."""

    def parse(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        target = super().parse(name, properties)
        wanted, timeout = properties.get("wanted_status", "master"), properties.get("timeout", 300.0)
        return dataclasses.replace(target, wanted_status=wanted, timeout=timeout)


class MonitoringWorkerTest(unittest.TestCase):
    """From a rendered template to a result."""

    def setUp(self) -> None:
        plugin = monitoring_worker.MonitoringWorker
        self.worker = plugin(context.settings(plugin, "monitoring_worker", poll_interval=2.0))
        self.monitor = Monitor()
        self.elapsed = 100.0

    def apply(self, document: api.JSON, **more: Any) -> api.Done | api.Again:
        return self.worker.apply(
            JOB,
            context.StandInContext(
                monitor=self.monitor,
                elapsed=self.elapsed,
                document=document,
                secrets=frozenset({SECRET}),
                references={SECRET: REFERENCE},
                **more,
            ),
        )

    def says(self, **statuses: str | None) -> None:
        for name, status in statuses.items():
            self.monitor.readings[name] = api.Reading(status, "" if status else "it is silent", time.monotonic())

    def test_done_when_all_are_as_wanted(self) -> None:
        document = {"primary": {"type": "vrrp"}, "secondary": {"type": "vrrp", "wanted_status": "backup"}}
        self.says(primary="Master", secondary="init")
        self.assertEqual(api.Again(2.0), self.apply(document))
        self.says(secondary="backup")
        done = self.apply(document)
        assert isinstance(done, api.Done)
        self.assertEqual({"state_monitoring": {"primary": "Master", "secondary": "backup"}}, done.result)
        self.assertEqual({"version": 3, "targets": document}, done.record)

    def test_it_looks_often_at_first(self) -> None:
        for self.elapsed, delay in ((0.0, 0.1), (5.0, 0.5), (1000.0, 2.0)):
            self.assertEqual(api.Again(delay), self.apply({"a": {"type": "vrrp", "timeout": 9999}}))

    def test_what_was_seen_before_the_job_began_does_not_count(self) -> None:
        self.monitor.readings["a"] = api.Reading("master", "", time.monotonic() - 60)
        self.elapsed = 30.0
        self.assertIsInstance(self.apply({"a": {"type": "vrrp"}}), api.Again)
        self.elapsed = 61.0
        self.assertIsInstance(self.apply({"a": {"type": "vrrp"}}), api.Done)

    def test_the_time_is_over(self) -> None:
        self.says(a="master", b="init", c=None)
        document = {name: {"type": "vrrp", "timeout": 50.0} for name in "abcd"}
        with self.assertRaises(api.PermanentError) as raised:
            self.apply(document)
        self.assertEqual(
            "target b: wanted master within 50 s, last seen init; "
            "target c: wanted master within 50 s, there was no answer: it is silent; "
            "target d: wanted master within 50 s, there was no answer",
            raised.exception.message,
        )

    def test_each_target_has_its_own_time(self) -> None:
        document = {"a": {"type": "vrrp", "timeout": 50.0}, "b": {"type": "vrrp", "timeout": 500.0}}
        self.says(a="master", b="init")
        self.assertIsInstance(self.apply(document), api.Again)

    def test_no_targets(self) -> None:
        for document in (None, {}, {"db_mappings": [{"relation": "x"}]}):
            self.assertEqual(api.Done({"state_monitoring": {}}, record=None), self.apply(document))

    def test_what_is_no_target_is_left_aside(self) -> None:
        self.says(a="master")
        done = self.apply({"a": {"type": "vrrp"}, "db_mappings": [{"relation": "x"}], "note": "text"})
        assert isinstance(done, api.Done) and isinstance(done.record, dict)
        self.assertEqual({"a": {"type": "vrrp"}}, done.record["targets"])

    def test_what_can_not_be_used(self) -> None:
        for document, said in (
            ("text", "must render to a mapping"),
            ([], "must render"),
            ({"a": {"host": "x"}}, "target a: type"),
        ):
            with self.subTest(document), self.assertRaisesRegex(api.PermanentError, said):
                self.apply(document)

    def test_the_record_refers_to_secrets(self) -> None:
        self.says(a="master")
        properties = {"type": "vrrp", "password": SECRET, "nested": [{"key": SECRET}], "host": "r1"}
        done = self.apply({"a": properties})
        assert isinstance(done, api.Done) and isinstance(done.record, dict)
        reference = {"secret": REFERENCE}
        expected = {"type": "vrrp", "password": reference, "nested": [{"key": reference}], "host": "r1"}
        self.assertEqual({"a": expected}, done.record["targets"])
        self.assertNotIn(SECRET, repr(done))

    def test_a_secret_within_a_longer_text_is_refused_before_anything_is_asked(self) -> None:
        self.says(a="master")
        with self.assertRaises(api.PermanentError) as raised:
            self.apply({"a": {"type": "vrrp", "url": f"ssh://netops:{SECRET}@r1"}})
        self.assertIn("url of target a", raised.exception.message)
        self.assertIn("property of its own", raised.exception.message)
        self.assertNotIn(SECRET, str(raised.exception))

    def test_removing_unregisters(self) -> None:
        self.assertEqual(api.Done({}, record=None), self.worker.remove(JOB, context.StandInContext()))


if __name__ == "__main__":
    unittest.main()
