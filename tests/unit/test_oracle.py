"""The oracle against the record, and the dry run against the oracle.  More seeds: ``python -m tests.oracle``."""

import copy
import json
import unittest

from tests import recorded
from tests.oracle import compare
from tests.oracle import deployments
from tests.oracle import oracle

SEEDS = range(8)


def name_of(job_id):
    """A job's id without its suffix, in the oracle's form."""
    action, handler, kind, name, version, _ = job_id.split(":")
    return action, handler, kind, name, int(version)


def params_of(params):
    """Name -> type, value and resources as an ordered set: the record repeats some after a modify."""
    found = {}
    for each in params:
        refs = oracle.once((ref["resource_type"], ref["resource_id"]) for ref in each["resources"])
        found[each["param"]] = (each["type"], json.dumps(each["value"], sort_keys=True), refs)
    return found


class RecordTest(unittest.TestCase):
    """The oracle is right about what was recorded."""

    maxDiff = None

    def setUp(self):
        self.cases = recorded.load("cases.json")

    def oracle(self, places):
        return oracle.Oracle(self.cases["catalog"]["relations"], self.cases["catalog"]["templates"], places)

    def test_cases(self):
        for case in self.cases["jobs"]:
            with self.subTest(case["job_id"]):
                self.assertEqual(params_of(case["expected_params"]), params_of(self.planned(case)["params"]))
        self.assertEqual(31, len(self.cases["jobs"]))

    def planned(self, case):
        ref = case["resource_type"], case["resource_id"]
        world = self.oracle({})
        documents = (case["documents"] or {}).items()
        world.documents = {tuple(key.split("/")): {"body": body} for key, body in documents if body is not None}
        new = world.documents[ref] = {"body": case["resource_input"], "version": case["version"]}
        old = case["previous_body"] and {"body": case["previous_body"], "version": case["version"] - 1}
        world.templates = {case["template"]: {"parameter_mappings": case["parameter_mappings"]}}
        row = case["action"], case["handler"]
        return world._job(ref, row, "modify" if old else "create", case["template"], new, old)

    def test_the_run(self):
        events = recorded.load("common_function_gateway.json")
        keys = {event["key"] for event in events if event["key"].startswith("/config/")}
        places = {plural[:-1]: (prefix, plural) for prefix, plural in (self.place(key) for key in keys)}
        world = self.oracle(places)
        written = []
        for event in events:
            key, value = event["key"], event["value"]
            if key.startswith("/config/"):
                document = {"version": 1, "marked_for_deletion": False} | value
                document.pop("_body_was_string", None)
                world.feed(key, document)
            elif key.startswith("/jobs/all/") and event["action"] == "delete":
                world.finish(name_of(key.removeprefix("/jobs/all/")))
            elif key.startswith("/jobs/all/"):
                written.append(value[1])
        self.assertEqual([name_of(job["id"]) for job in written], [oracle.name_of(job) for job in world.jobs])
        for wanted, found in zip(written, world.jobs, strict=True):
            with self.subTest(wanted["id"]):
                for name in compare.PLAIN:
                    self.assertEqual(wanted[name], found[name], name)
                self.assertEqual({name_of(each) for each in wanted["dependency"]}, found["dependency"])
                self.assertEqual(params_of(wanted["params"]), params_of(found["params"]))

    @staticmethod
    def place(key):
        return key.removeprefix("/config/").rsplit("/", 2)[:2]


class RandomTest(unittest.TestCase):
    """The dry run plans what the oracle plans."""

    def test_seeds(self):
        jobs = 0
        for seed in SEEDS:
            with self.subTest(seed=seed):
                compared, lines = compare.differences(deployments.Deployment(seed, jobs=120, kinds=(8, 12)))
                self.assertEqual([], lines[:3])
                jobs += compared
        self.assertGreater(jobs, 500)

    def test_a_difference_is_told(self):
        deployment = deployments.Deployment(1, jobs=60, kinds=(8, 8))
        for spoil in (self.another_value, self.no_relations, self.nobody_monitors):
            with self.subTest(spoil.__name__):
                spoilt = copy.copy(deployment)
                spoilt.catalog = copy.deepcopy(deployment.catalog)
                spoil(spoilt)
                self.assertTrue(compare.differences(spoilt)[1])

    def another_value(self, spoilt):
        real = spoilt.new_oracle
        planned = {oracle.name_of(job): job for job in spoilt.oracle.jobs if job["params"]}
        name, job = planned.popitem()

        def other():
            world = real()
            world.feed = self.tampering(world.feed, name, job["params"][0]["param"])
            return world

        spoilt.new_oracle = other

    @staticmethod
    def tampering(feed, name, param):
        def tampered(key, document):
            jobs = feed(key, document)
            for each in (each for job in jobs if oracle.name_of(job) == name for each in job["params"]):
                each["value"] = [each["value"]] if each["param"] == param else each["value"]
            return jobs

        return tampered

    @staticmethod
    def no_relations(spoilt):
        spoilt.catalog["relations"] = {}

    @staticmethod
    def nobody_monitors(spoilt):
        del spoilt.catalog["templates"]["monitoring_worker"]
