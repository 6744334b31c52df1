"""What every probe must keep to, as tests: see :class:`ProbeConformance`."""

# ruff: noqa: D102  (the name of a test says what is promised)

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import json
import math
import unittest
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from esi_worker import api
from esi_worker import plugin_checks
from esi_worker import redaction
from esi_worker.testing import kit
from esi_worker.testing import probe_checks

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class ProbeConformance(_Base):
    """Mix it in before ``unittest.TestCase``; ``setUp`` starts the device, or what stands in for it.

    To be filled in: :meth:`make_probe` and :meth:`make_properties`.
    Worth filling in: :meth:`silence`, :meth:`make_unknown` and :meth:`questions`; without them their tests are skipped.
    """

    def make_probe(self) -> api.Probe:
        """A new probe."""
        raise NotImplementedError("define make_probe(): return MyProbe(context.settings(MyProbe, 'my_name'))")

    def make_properties(self, number: int = 0) -> Mapping[str, api.JSON]:
        """Properties as a template gives them; another number asks something else of the same device."""
        raise NotImplementedError("define make_properties(number): return {'type': 'my_name', 'host': ...}")

    def make_unknown(self) -> Mapping[str, api.JSON]:
        """Properties of a target that the device does not know."""
        raise unittest.SkipTest("define make_unknown() to test what happens to a target that the device doesn't know")

    def silence(self) -> contextlib.AbstractContextManager[object]:
        """While it lasts, the device does not answer."""
        raise unittest.SkipTest("define silence() to test what happens while the device does not answer")

    def questions(self) -> int:
        """How many questions the device was asked so far."""
        raise unittest.SkipTest("define questions() to test that one question serves many targets")

    # -- the promises --------------------------------------------------------------------------------------------

    def test_shape(self) -> None:
        probe = self.make_probe()
        if reason := kit.shape(plugin_checks.PROBES, probe.settings.name, type(probe)):
            self.fail(reason)
        shown: object = probe.published("some status")
        if not isinstance(shown, str) or shown != shown.upper():
            self.fail(kit.advice(f"published('some status') gave {shown!r}", "/monitoring has texts in upper case"))

    def test_target_says_what_to_ask(self) -> None:
        probe, properties = self.make_probe(), dict(self.make_properties())
        before = copy.deepcopy(properties)
        target: Any = probe_checks.target(probe, "one", properties)
        if not isinstance(target, api.Target):
            self.fail(
                kit.advice(f"targets() returned {target!r:.80}", "return api.Target(name, probe, device, question)")
            )
        self._wants(properties == before, "targets() changed the properties that it was given", "copy them first")
        self._wants(target.name == "one", f"the target's name is {target.name!r}, not 'one'", "pass the name on")
        name = probe.settings.name
        change = "pass self.settings.name as the target's probe: by it the monitor finds who can read it"
        self._wants(target.probe == name, f"the target's probe is {target.probe!r}, not {name!r}", change)
        device: Any = target.device
        well = isinstance(device, api.Device) and isinstance(device.address, str) and isinstance(device.port, int)
        self._wants(well, f"the target's device is {device!r}", "it is api.Device(address, port, username, password)")
        change = "let it be a dict of texts, numbers and such: it names the target, and targets are compared by it"
        self._wants(probe_checks.is_question(target.question), f"the target's question is {target.question!r}", change)
        again = probe_checks.target(self.make_probe(), "one", properties)
        self._wants(
            again == target, "the same properties gave another target", "a target depends on its properties only"
        )

    def test_wanted_status_and_timeout_can_be_set(self) -> None:
        probe, properties = self.make_probe(), self.make_properties()
        plain = probe_checks.target(
            probe, "one", {k: v for k, v in properties.items() if k not in ("wanted_status", "timeout")}
        )
        self._wants(
            plain.wanted_status == probe.wanted_status and plain.timeout == probe.timeout,
            f"without properties for it the target waits {plain.timeout} s for {plain.wanted_status!r}",
            "wanted_status and timeout of the class are for targets whose template says nothing",
        )
        target = probe_checks.target(probe, "one", {**properties, "wanted_status": "odd", "timeout": 7})
        self._wants(
            target.wanted_status == "odd" and target.timeout == 7 and not math.isnan(target.timeout),
            f"with wanted_status 'odd' and timeout 7 the target waits {target.timeout} s for {target.wanted_status!r}",
            "let a template set both: properties.get('wanted_status', self.wanted_status), and so for timeout",
        )

    def test_unusable_properties_are_named(self) -> None:
        good = dict(self.make_properties())
        for name in [each for each in good if each != "type"]:
            without = {key: value for key, value in good.items() if key != name}
            bad: tuple[api.JSON, ...] = (None, [], {"a": 1}, "")
            for properties in (without, *({**good, name: value} for value in bad)):
                self._expect_named(properties, name)
            # A text that can't be a number either, where one is wanted; a probe may also take it as it is.
            self._expect_named({**good, name: "no such thing"}, name)

    def test_answers_are_keyed_by_question(self) -> None:
        probe = self.make_probe()
        first = probe_checks.target(probe, "same", self.make_properties(0))
        second = probe_checks.target(probe, "same", self.make_properties(1))
        change = "let make_properties(number) ask another thing of the same device"
        self._wants(first.device == second.device, "the targets 0 and 1 are on two devices", change)
        alias = dataclasses.replace(first, name="alias")
        with self._session(probe, first.device) as session:
            answers = self._read(probe, session, [first, second, alias])
        keys = {api.key(first), api.key(second)}
        self._wants(
            set(answers) == keys,
            f"the answers are keyed by {sorted(map(str, answers))}, wanted are {sorted(keys)}",
            "key each answer by api.key(target): targets of different resources may have the same name",
        )
        for key, status in answers.items():
            status_: object = status
            change = "give a text as the device spells it; leave out what the device does not know"
            self._wants(isinstance(status_, str) and bool(status_), f"the status of {key} is {status!r}", change)

    def test_one_question_serves_many(self) -> None:
        self.questions()
        probe = self.make_probe()
        targets = [probe_checks.target(probe, str(number), self.make_properties(number)) for number in (0, 1)]
        with self._session(probe, targets[0].device) as session:
            before = self.questions()
            self._read(probe, session, targets[:1])
            between = self.questions()
            self._read(probe, session, targets)
            after = self.questions()
        self._wants(
            after - between <= between - before,
            f"one target took {between - before} questions, two took {after - between}",
            "ask once for all targets and pick the answers out of the reply",
        )

    def test_what_the_device_does_not_know_is_left_out(self) -> None:
        unknown = self.make_unknown()
        probe = self.make_probe()
        targets = [
            probe_checks.target(probe, "known", self.make_properties()),
            probe_checks.target(probe, "unknown", unknown),
        ]
        with self._session(probe, targets[0].device) as session:
            change = "leave it out of the answers: it is no error, and the others' answers count"
            try:
                answers = self._read(probe, session, targets)
            except api.JobError as error:
                raise AssertionError(kit.advice(f"read() raised {type(error).__name__}: {error}", change)) from error
        self._wants(set(answers) == {api.key(targets[0])}, f"the answers are {dict(answers)!r}", change)

    def test_silence_is_unreachable(self) -> None:
        probe = self.make_probe()
        target = probe_checks.target(probe, "one", self.make_properties())
        with self._session(probe, target.device) as session:
            self._read(probe, session, [target])
            with self.silence():
                probe_checks.expect_unreachable("read", lambda: probe.read(session, [target]))
                probe_checks.expect_unreachable("connect and read", lambda: self._ask_anew(probe, target))
        with self._session(probe, target.device) as session:
            self._read(probe, session, [target])

    def test_close_may_be_called_twice(self) -> None:
        probe = self.make_probe()
        session = probe.connect(probe_checks.target(probe, "one", self.make_properties()).device)
        for time in ("", " a second time"):
            try:
                session.close()
            except Exception as error:
                text = f"close(){time} raised {type(error).__name__}: {error}"
                raise AssertionError(kit.advice(text, "a session that ended is closed all the same")) from error

    def test_no_secret_shows(self) -> None:
        secret = kit.canary()
        properties = kit.planted(dict(self.make_properties()), secret)
        if not any(redaction.is_secret_name(name) for name in properties):
            self.skipTest("no property has a secret's name")
        probe = self.make_probe()
        with kit.log_lines() as logged:
            target = probe_checks.target(probe, "one", properties)
            asked: list[Callable[[], object]] = [lambda: self._ask_anew(probe, target)]
            for name, value in properties.items():
                wrong = {**properties, name: [value]}
                asked.append(functools.partial(probe_checks.target, probe, "one", wrong))
            texts = [text for ask in asked for text in probe_checks.complaint(ask)]
        question = json.dumps(dict(target.question))
        shown = {"target": target, "question": question, "errors": texts, "log": logged}
        if where := kit.shown({secret}, shown):
            self.fail(kit.advice(f"a secret shows in the {where}", "secrets belong into api.Device's password only"))

    # -- how they are checked ------------------------------------------------------------------------------------

    def _wants(self, condition: bool, seen: str, change: str) -> None:
        if not condition:
            self.fail(kit.advice(seen, change))

    def _expect_named(self, properties: Mapping[str, Any], name: str) -> None:
        """These properties are either all right, or refused with a message that helps."""
        try:
            target = probe_checks.target(self.make_probe(), "odd-one", properties)
        except api.PermanentError as error:
            if "odd-one" not in error.message or name not in error.message:
                text = f"for a bad {name!r} the message is {error.message!r}"
                self.fail(kit.advice(text, "name the target and the property: the template's author must find them"))
            return
        except api.JobError as error:
            self.fail(kit.advice(f"a bad {name!r} raised {type(error).__name__}", "raise api.PermanentError"))
        change = f"check {name!r} in targets(): raise api.PermanentError for a value that can't be used"
        seen = f"with {name}={properties.get(name)!r} the target has the question {dict(target.question)!r}"
        self._wants(
            probe_checks.is_question(target.question) and probe_checks.is_device(target.device),
            f"{seen} and {target.device!r}",
            change,
        )

    @contextlib.contextmanager
    def _session(self, probe: api.Probe, device: api.Device) -> Iterator[api.Session]:
        with contextlib.closing(probe.connect(device)) as session:
            yield session

    def _read(self, probe: api.Probe, session: api.Session, targets: Sequence[api.Target]) -> Mapping[str, str]:
        answers: object = probe.read(session, targets)
        if not isinstance(answers, Mapping):
            self.fail(kit.advice(f"read() returned {answers!r:.80}", "return {api.key(target): status}"))
        return answers

    def _ask_anew(self, probe: api.Probe, target: api.Target) -> None:
        with self._session(probe, target.device) as session:
            probe.read(session, [target])
