"""The tests are tested: each decisive line is taken out once, and some test must fail for it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Final

_ROOT: Final = pathlib.Path(__file__).resolve().parents[2]
_COPIED: Final = ("esi_worker", "tests", "templates")
_LIMIT: Final = 300.0
_LIVES: Final = "tests.functional.test_lives"
_QUICK: Final = "tests.functional.test_chaos_quick"
_RACES: Final = "tests.unit.test_pipeline_races"
_ENVIRONMENT: Final = {"ESI_WORKER_PATIENCE": "25"}


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """A line that is changed.

    :ivar name: what is taken out
    :ivar file: below ``esi_worker``
    :ivar old: a text that is there exactly once
    :ivar new: what stands in its place
    :ivar tests: of which at least one must fail
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS: Final = (
    Mutant(
        "the claim's fence in the transaction that finishes a job",
        "pipeline/outcome.py",
        "    return Finish((claim.fence,), tuple(operations))\n\n\ndef failed",
        "    return Finish((), tuple(operations))\n\n\ndef failed",
        (f"{_LIVES}.StaleTest.test_a_worker_cannot_finish_what_another_one_has_taken",),
    ),
    Mutant(
        "the leader's fence",
        "pipeline/ledger.py",
        "[self._fence, *as_known, *write.compares]",
        "[*as_known, *write.compares]",
        (f"{_LIVES}.StaleTest.test_a_job_manager_that_leads_no_more_cannot_plan",),
    ),
    Mutant(
        "what a plan was made on is what is recorded",
        "pipeline/ledger.py",
        "[self._fence, *as_known, *write.compares]",
        "[self._fence, *write.compares]",
        (f"{_RACES}.LateTest",),
    ),
    Mutant(
        "the listing after a watch was lost",
        "pipeline/follower.py",
        "                self._snapshot(listed)\n",
        "                if not vars(self).setdefault('once', False):\n"
        "                    self._snapshot(listed)\n                self.once = True\n",
        (f"{_QUICK}.EtcdTroubleTest.test_compacted_while_nobody_could_watch",),
    ),
    Mutant(
        "the look after a finish whose outcome is unknown",
        "pipeline/committer.py",
        "        return entry is None or entry.create_revision != commit.claim.revision",
        "        return True",
        ("tests.unit.test_committer",),
    ),
    Mutant(
        "the look after a claim whose outcome is unknown",
        "pipeline/claiming.py",
        "            return self.look(pending, lease)\n",
        "            return Answer()\n",
        (f"{_RACES}.DoubtfulClaimTest",),
    ),
    Mutant(
        "the nonce in the candidacy",
        "pipeline/leader.py",
        "if entry is None or entry.value != value:",
        "if entry is None:",
        (f"{_RACES}.OvertakenTest",),
    ),
    Mutant(
        "the look before a stack is created",
        "handlers/heat_worker.py",
        "        stack = self._heat.find(project, name)\n        step =",
        "        stack = None if context.elapsed < self._interval else self._heat.find(project, name)\n        step =",
        (f"{_LIVES}.TakeOverTest.test_a_worker_takes_over_a_stack_that_another_one_began",),
    ),
    Mutant(
        "waiting for dependencies",
        "pipeline/jobqueue.py",
        "if pending is None or job_id in self._chosen or self._missing[job_id]:",
        "if pending is None or job_id in self._chosen:",
        ("tests.unit.test_jobqueue",),
    ),
    Mutant(
        "the proof in the claim that dependencies are done",
        "pipeline/jobqueue.py",
        "            *waited,\n",
        "",
        ("tests.unit.test_jobqueue",),
    ),
    Mutant(
        "the last job alone publishes",
        "pipeline/outcome.py",
        "    if job.is_last:\n",
        "    if job:\n",
        (f"{_LIVES}.LifeTest.test_each_of_several_modifies_gets_its_own_state",),
    ),
    Mutant(
        "a claimed job is not dropped",
        "pipeline/dependency.py",
        "        if job.id in claimed or any(",
        "        if any(",
        ("tests.unit.test_dependency", f"{_LIVES}.LifeTest.test_a_deletion_while_the_create_runs"),
    ),
    Mutant(
        "who depends on a failed job is cancelled",
        "pipeline/dependency.py",
        "    return list(found.values())\n",
        "    return []\n",
        (f"{_LIVES}.LifeTest.test_a_failure_cancels_what_depends_on_it_and_each_is_told_why",),
    ),
    Mutant(
        "a key of what is left of a resource",
        "pipeline/scheduling.py",
        "gone = [path.recorded, path.job_state, path.trace,",
        "gone = [path.recorded, path.job_state,",
        (f"{_LIVES}.LifeTest.test_a_config_document_that_vanishes_is_taken_down",),
    ),
    Mutant(
        "a lost lease is replaced",
        "pipeline/worker.py",
        "if self._lease is not None and self._lease.alive:",
        "if self._lease is not None:",
        (f"{_LIVES}.StaleTest.test_a_daemon_that_stood_still_past_its_leases_works_on",),
    ),
    Mutant(
        "a refusal waits for the older version at work",
        "pipeline/refusals.py",
        "        if self._ledger.planner.unfinished.of(ref):\n",
        "        if not ref:\n",
        (f"{_LIVES}.LifeTest.test_a_version_that_is_refused_is_told_after_the_older_one_that_runs",),
    ),
    Mutant(
        "what can't be read is there all the same",
        "pipeline/term.py",
        "                seen |= self._refs_at(entry.key)\n",
        "                pass\n",
        ("tests.functional.test_poison.PoisonTest.test_a_document_that_turns_bad_takes_nothing_down",),
    ),
    Mutant(
        "a job is confirmed before Heat is asked to change anything",
        "handlers/heat_worker.py",
        "        if step.changes:\n            context.confirm()\n",
        "",
        ("tests.functional.test_conformance_builtin",),
    ),
    Mutant(
        "a handler learns of its worker's lost lease",
        "pipeline/execution.py",
        "        if not self.alive():\n",
        "        if False:\n",
        ("tests.unit.test_worker.TroubleTest.test_a_handler_learns_that_its_job_may_be_somebody_elses",),
    ),
    Mutant(
        "failures come last in a listing",
        "pipeline/job_events.py",
        "sorted(entries, key=lambda each: each.key.startswith(keys.FAILED))",
        "entries",
        (f"{_RACES}.FailedBeforeTheTermTest",),
    ),
    Mutant(
        "unchanged resources are not planned again",
        "pipeline/planner.py",
        "change.version == recorded.version and change.marked == recorded.deleted:",
        "not change:",
        (f"{_LIVES}.LifeTest.test_unchanged_resources_cost_no_write_after_a_restart",),
    ),
)


def sound(mutant: Mutant, root: pathlib.Path = _ROOT) -> str:
    """The file without the mutant."""
    return (root / "esi_worker" / mutant.file).read_text()


def run(chosen: Iterable[Mutant] = MUTANTS) -> list[str]:
    """Run the tests against each mutant.

    :returns: the names of those that no test failed for
    """
    chosen = list(chosen)
    with tempfile.TemporaryDirectory(prefix="esi-worker-mutants-") as folder:
        copy = pathlib.Path(folder)
        for each in _COPIED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_ROOT / each, copy / each, ignore=ignored)
        shutil.copy(_ROOT / "setup.cfg", copy)  # by it a checkout is known, and its templates are found
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        healthy, output = _passes(copy, tests)
        if not healthy:
            raise AssertionError(f"these tests fail without any mutant:\n{output[-5000:]}")
        survivors = []
        for mutant in chosen:
            killed = _kills(copy, mutant)
            _say(f"{'killed  ' if killed else 'SURVIVED'} {mutant.name}")
            if not killed:
                survivors.append(mutant.name)
    _say(f"mutants: killed {len(chosen) - len(survivors)} of {len(chosen)}")
    return survivors


def _kills(copy: pathlib.Path, mutant: Mutant) -> bool:
    file = copy / "esi_worker" / mutant.file
    text = sound(mutant, copy)
    if text.count(mutant.old) != 1:
        raise AssertionError(f"{mutant.file} does not have exactly once what the mutant '{mutant.name}' changes")
    file.write_text(text.replace(mutant.old, mutant.new))
    try:
        return not all(_passes(copy, [test])[0] for test in mutant.tests)
    finally:
        file.write_text(text)


def _passes(copy: pathlib.Path, tests: Sequence[str]) -> tuple[bool, str]:
    """Run tests in the copy, whose package is found before the installed one."""
    command = [sys.executable, "-m", "unittest", "--failfast", *tests]
    environment = {**os.environ, **_ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}
    limit = _LIMIT * max(1, len(tests) / 4)
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return False, "the tests took too long"
    return done.returncode == 0, done.stdout + done.stderr


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(bool(run([each for each in MUTANTS if not words or any(word in each.name for word in words)])))
