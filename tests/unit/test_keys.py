import unittest

from esi_worker import api
from esi_worker.store import keys


class PathTest(unittest.TestCase):
    def test_the_keys_of_a_resource(self) -> None:
        path = keys.parse_path("v2.0/ports/p-1")
        self.assertEqual(keys.Path("v2.0", "ports", "p-1"), path)
        self.assertEqual("/config/v2.0/ports/p-1", path.config)
        self.assertEqual("/esi-worker/heat_stacks/v2.0/ports/p-1", path.record("heat_stacks"))
        self.assertEqual("/esi-worker/job_state/v2.0/ports/p-1", path.job_state)
        self.assertEqual("/state/v2.0/ports/p-1", path.state)
        self.assertEqual("/monitoring/v2.0/ports/p-1", path.monitoring)
        self.assertEqual("/esi-worker/config/v2.0/ports/p-1", path.recorded)
        self.assertEqual("/esi-worker/trace/v2.0/ports/p-1", path.trace)

    def test_a_prefix_may_have_several_parts(self) -> None:
        self.assertEqual(keys.Path("common/v1.0", "tenants", "t"), keys.parse_path("common/v1.0/tenants/t"))

    def test_a_path_is_read_as_it_is_written(self) -> None:
        for text in ("v2.0/ports/a", "common/v1.0/tenants/A-b_c.1", "a/b/c/d/e"):
            self.assertEqual(text, str(keys.parse_path(text)))

    def test_what_is_no_path_is_refused(self) -> None:
        for text in ("", "ports", "v2.0/ports", "v2.0/ports/", "/ports/a", "v2.0//a", "//"):
            with self.subTest(text=text), self.assertRaises(api.DocumentError):
                keys.parse_path(text)


class IdTest(unittest.TestCase):
    def test_ids_that_are_fine(self) -> None:
        for text in ("a", "0", "A-b_c.d", "x" * 128, "7c9e6679-7425-40de-944b-e07fc1f90ae7"):
            self.assertEqual(text, keys.check_id(text))

    def test_ids_that_are_refused_before_they_are_part_of_a_key(self) -> None:
        for text in ("", "x" * 129, "a/b", "a b", "a\n", "\n", "größe", "a\0", "a%2Fb", "a:b", "\udcff", "١"):
            with self.subTest(text=text):
                with self.assertRaises(api.DocumentError):
                    keys.check_id(text)
                with self.assertRaises(api.DocumentError):
                    keys.Path("v2.0", "ports", text)
                with self.assertRaises(api.DocumentError):
                    keys.heat_template(text)


class OwnKeysTest(unittest.TestCase):
    def test_own_keys(self) -> None:
        self.assertEqual("/jobs/all/j", keys.job("j"))
        self.assertEqual("/jobs/claims/j", keys.claim("j"))
        self.assertEqual("/jobs/failed/j", keys.failed("j"))
        self.assertEqual("/esi-worker/collectors/c", keys.collector("c"))
        self.assertEqual("/config/v2.0/heat_templates/t", keys.heat_template("t"))

    def test_no_prefix_of_a_list_holds_another_kind(self) -> None:
        lists = (keys.CONFIG, keys.STATE, keys.MONITORING, keys.RECORDED, keys.JOB_STATE, keys.TRACE, keys.COLLECTORS)
        jobs = (keys.ALL_JOBS, keys.CLAIMS, keys.FAILED)
        for first in (*lists, *jobs):
            for second in (*lists, *jobs):
                self.assertEqual(first == second, first.startswith(second))
