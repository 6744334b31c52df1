"""The recorded run once more: by a catalog file made of the record's tables, with the built-in types switched off."""

import json
import pathlib
import tempfile

from esi_worker import api
from esi_worker.store import keys
from tests import recorded
from tests.functional import test_recorded_replay


def params_of(job):
    """name -> type, value and the resources as an ordered set: the record repeats some after a modify."""
    params = [api.Param.from_document(each) for each in job["params"]]
    return {each.param: (each.type, each.value, tuple(dict.fromkeys(each.resources))) for each in params}


class CatalogFileTest(test_recorded_replay.ReplayTest):
    def options(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        (root / "templates").mkdir()
        (root / "catalog.json").write_text(json.dumps(recorded.load("cases.json")["catalog"]))
        return {
            **super().options(),
            "catalog": {"entry_points": "false", "files": root / "catalog.json", "unknown_types": "read"},
            "templates": {"directories": root / "templates"},
        }

    def compare_jobs(self, wanted, history):
        super().compare_jobs(wanted, history)
        cases = {test_recorded_replay.job_key(each["job_id"]): each for each in recorded.load("cases.json")["jobs"]}
        written = test_recorded_replay.jobs_of(c.value for c in history if c.key.startswith(keys.ALL_JOBS))
        right = 0
        for name, case in cases.items():
            with self.subTest(name):
                self.assertEqual(params_of({"params": case["expected_params"]}), params_of(written[name]))
                right += 1
        print(f"catalog file: the params of {right} of {len(cases)} recorded jobs")
