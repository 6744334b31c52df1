"""The conformance tests let good plug-ins pass and catch each broken one, with the message that helps."""

import dataclasses
import inspect
import unittest

from esi_worker import api
from esi_worker.testing import conformance
from esi_worker.testing import context
from tests.kit import handlers
from tests.kit import probes
from tests.kit import resolvers


class ShelfConformance(conformance.HandlerConformance):
    handler = handlers.Good

    def setUp(self):
        self.shelf = handlers.Shelf()

    def make_handler(self):
        made = self.handler(context.settings(self.handler, "shelf"))
        made.shelf = self.shelf
        return made

    def make_job(self, number=0):
        params = {"content": f"content {number}", "shelf_password": "open sesame"}
        return conformance.job("shelf", api.Ref("box", f"box-{number}"), params)

    def make_modified(self, job):
        params = (api.Param("content", api.VALUE, "other"), *job.params[1:])
        return dataclasses.replace(job, action=api.MODIFY, version=2, params=params)

    def observe(self):
        return {name: dict(box) for name, box in self.shelf.boxes.items()}

    def silence(self):
        return self.shelf.silent()


class RouterConformance(conformance.ResolverConformance):
    resolver = resolvers.Good
    name = "router"

    def make_resolver(self):
        return self.resolver()

    def make_resource(self):
        return api.Resource(api.Ref("gateway", "g"), {"id": "g", "interface_id": "i", "password": "open sesame"})

    def make_arguments(self):
        return {"attribute": "ip"}

    def make_relatives(self):
        return [
            api.Resource(api.Ref("interface", "i"), {"id": "i", "router_id": "r"}),
            api.Resource(api.Ref("router", "r"), {"id": "r", "ip": "192.0.2.1"}),
        ]

    def relations(self):
        return {"gateway": {"interface_id": "interface"}, "interface": {"router_id": "router"}}


class PanelConformance(conformance.ProbeConformance):
    probe = probes.Good

    def setUp(self):
        self.panel = probes.Panel()

    def make_probe(self):
        made = self.probe(context.settings(self.probe, "panel"))
        made.panel = self.panel
        return made

    def make_properties(self, number=0):
        return {"type": "panel", "host": "192.0.2.1", "lamp": number + 1, "password": "open sesame"}

    def make_unknown(self):
        return {**self.make_properties(), "lamp": 99}

    def silence(self):
        return self.panel.silent()

    def questions(self):
        return self.panel.asked


class GoodHandlerTest(ShelfConformance, unittest.TestCase):
    pass


class GoodResolverTest(RouterConformance, unittest.TestCase):
    pass


class GoodProbeTest(PanelConformance, unittest.TestCase):
    pass


def failures(base, **members):
    """Run all tests of a base on one plug-in; :returns: name of the test -> message of its failure."""
    case = type("Case", (base, unittest.TestCase), members)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return {test._testMethodName: text for test, text in [*result.failures, *result.errors]}


class CaughtMixin:
    """Each broken plug-in of a module is listed here, with the test that catches it and a part of the message."""

    def check(self, base, member, module, wanted):
        broken = {
            name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, module.Good)
        }
        self.assertEqual(broken - {"Good"}, set(wanted))
        for name, (test, seen, change) in wanted.items():
            with self.subTest(name):
                found = failures(base, **{member: getattr(module, name)})
                self.assertIn(test, found)
                self.assertRegex(found[test], seen)
                self.assertRegex(found[test], f"-> .*{change}")


class CaughtTest(CaughtMixin, unittest.TestCase):
    def test_handlers(self):
        self.check(
            ShelfConformance,
            "handler",
            handlers,
            {
                "Overconfident": (
                    "test_a_lost_job_changes_nothing",
                    "apply changed the world though the job was somebody else's",
                    "context.confirm",
                ),
                "Reckless": (
                    "test_a_lost_job_changes_nothing",
                    "remove changed the world though the job was somebody else's",
                    "context.confirm",
                ),
                "KeepsTheJob": ("test_apply_ends", "keeps the job on itself, in self.job", "read job and context anew"),
                "MixesJobsUp": ("test_nothing_about_a_job_is_kept", "gave other results", "local variables"),
                "NotIdempotent": ("test_applying_twice_changes_nothing", "changed the world", "look first"),
                "TellsWhatItDid": ("test_applying_twice_changes_nothing", "another result", "tell what is there"),
                "RaisesRaw": ("test_silence_is_temporary", "ConnectionResetError through", "api.Unreachable"),
                "GivesUpOnSilence": ("test_silence_is_temporary", "raised PermanentError while", "api.Unreachable"),
                "TakesSilenceForDone": ("test_silence_is_temporary", "came to api.Done while", "api.Unreachable"),
                "WaitsForEverInSilence": ("test_silence_is_temporary", "Again for ever", "attempts are counted"),
                "ReturnsADict": ("test_apply_ends", "apply returned dict", r"api.Done\(result\)"),
                "ReturnsNothing": ("test_remove_undoes_apply", "remove returned NoneType", r"api.Done\(result\)"),
                "ResultIsNotJson": ("test_apply_ends", "result of apply is not JSON", "dict with str keys"),
                "ResultHasNumbersForNames": ("test_apply_ends", "comes back from JSON", "dict with str keys"),
                "RecordIsNotJson": ("test_apply_ends", "record of apply is not JSON", "dict with str keys"),
                "SecretInMessage": ("test_no_secret_shows", "a secret in its message", "name the parameter"),
                "SecretInRecord": ("test_no_secret_shows", "a secret in its answer", "context.reference"),
                "RemoveOfNothingFails": ("test_remove_of_nothing_is_done", "there is no box", "return api.Done"),
                "RemovesWhatIsFinishedOnly": ("test_remove_undoes_what_is_half_done", "after 1 calls", "each part"),
                "RemovesNothing": ("test_remove_undoes_apply", "not as it was before apply", "take down all"),
                "AgainForEver": ("test_apply_ends", "after 50 calls", "nothing is missing"),
                "AgainWithoutNumber": ("test_apply_ends", "delay=None", "number of seconds"),
                "UnsafeToRestart": ("test_restart_between_any_two_calls_does_no_harm", "after 50 calls", "look"),
                "Sleeps": ("test_apply_ends", "slept for 30 s", "no thread is held"),
                "ChangesTheJob": ("test_apply_ends", "changed the job", "copy"),
                "IgnoresAModify": ("test_modify_leads_where_a_create_would", "lead elsewhere", "whatever is there"),
                "NotYetIsAnError": ("test_apply_ends", "raised TemporaryError", "'not yet' is api.Again"),
                "BugInside": ("test_apply_ends", "KeyError through", "counts as a bug"),
                "WrongLane": ("test_shape", "lane.. returned None", "a text"),
                "WrongShape": ("test_shape", "can't be called as remove.job, context.", "base class"),
                "NoEffect": ("test_apply_ends", "the same picture as before", "has_effect"),
            },
        )

    def test_resolvers(self):
        self.check(
            RouterConformance,
            "resolver",
            resolvers,
            {
                "ChangesTheResource": ("test_nothing_is_changed", "changed the resource", "copy it first"),
                "ChangesARelative": ("test_nothing_is_changed", "changed the relatives", "copy it first"),
                "ReturnsASet": ("test_value_is_json", "not JSON", "dict with str keys"),
                "ReturnsATuple": ("test_value_is_json", "comes back from JSON", "dict with str keys"),
                "Remembers": ("test_nothing_is_remembered", "after other values", "keep nothing"),
                "Counts": ("test_same_question_same_answer", "asked twice", "no counter"),
                "HidesWhatIsMissing": ("test_missing_relative_is_unresolved", "without interface:i", "api.Unresolved"),
                "LetsKeyErrorThrough": ("test_unusable_arguments_are_named", "KeyError through", "api.PermanentError"),
                "TakesAnyArgument": ("test_unusable_arguments_are_named", "no_such_argument", "api.PermanentError"),
                "ReadsAFile": ("test_value_is_json", "opens a file", "planning is pure"),
                "AsksTheRouter": ("test_value_is_json", "opens a connection", "planning is pure"),
                "ShowsASecret": ("test_no_secret_shows", "a secret shows in its errors", "name the field"),
                "WrongShape": ("test_shape", "can't be called as resolve", "base class"),
            },
        )

    def test_probes(self):
        self.check(
            PanelConformance,
            "probe",
            probes,
            {
                "KeysByName": ("test_answers_are_keyed_by_question", "are keyed by .*same", "api.key"),
                "LetsKeyErrorThrough": ("test_unusable_properties_are_named", "KeyError through", "check each"),
                "DoesNotCheck": ("test_unusable_properties_are_named", "host=None", "check 'host'"),
                "NamesNoProperty": ("test_unusable_properties_are_named", "is 'bad properties'", "name the target"),
                "AsksForEach": ("test_one_question_serves_many", "two took 2", "ask once"),
                "StatusIsABool": ("test_answers_are_keyed_by_question", "is True", "a text"),
                "RaisesRaw": ("test_silence_is_unreachable", "read raised TimeoutError", "api.Unreachable"),
                "SilenceIsAStatus": ("test_silence_is_unreachable", "gave an answer while", "each time"),
                "UnknownIsAnError": ("test_what_the_device_does_not_know_is_left_out", "no lamp 99", "leave it out"),
                "ShowsThePassword": ("test_no_secret_shows", "a secret shows in the errors", "password only"),
                "PasswordInQuestion": ("test_no_secret_shows", "shows in the target", "password only"),
                "WrongName": ("test_target_says_what_to_ask", "probe is 'lamp', not 'panel'", "self.settings.name"),
                "IgnoresTheTimeout": ("test_wanted_status_and_timeout_can_be_set", "waits 300.0 s", "properties.get"),
                "CloseFails": ("test_close_may_be_called_twice", "a second time raised KeyError", "ended"),
                "PublishesLowerCase": ("test_shape", "published", "upper case"),
                "WrongShape": ("test_shape", "can't be called as read", "base class"),
            },
        )


class SkippedTest(unittest.TestCase):
    """What an author did not fill in is said, not passed over."""

    def test_reasons(self):
        case = type("Case", (ShelfConformance, unittest.TestCase), {"silence": conformance.HandlerConformance.silence})
        result = unittest.TestResult()
        case("test_silence_is_temporary").run(result)
        self.assertIn("define silence()", result.skipped[0][1])


if __name__ == "__main__":
    unittest.main()
