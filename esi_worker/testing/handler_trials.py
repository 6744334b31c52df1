"""What the conformance tests of handlers do with jobs: run them, cut them off, take them down."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence

from esi_worker import api
from esi_worker.testing import handler_checks
from esi_worker.testing import handler_runs
from esi_worker.testing import kit

_POINTS = 10
"""So many points of a long job are tried where each call could be the last one."""


class Trial(handler_runs.Stage):
    """The jobs of one test, and what comes of them."""

    def picture(self) -> api.JSON:
        """The outside world, and the records."""
        return {"world": self.case.observe(), "records": {str(ref): value for ref, value in self.records.items()}}

    def run(self, job: api.Job, *, restarts: bool = False, written: bool = True) -> api.Done:
        """Run a job to its end.

        :param restarts: whether a new handler makes each call
        :param written: whether its end is written down
        """
        return handler_runs.Run(self, job, None if restarts else self.new_handler(), written).finish()

    def remove(self, job: api.Job, *, restarts: bool = False) -> None:
        """Take down what a job brought about; its record goes with the resource."""
        self.run(self.case.make_removal(job), restarts=restarts)
        self.records.pop(job.ref, None)

    def run_in_turns(self, jobs: Sequence[api.Job]) -> list[api.Done]:
        """Run several jobs on one handler, a call of each in turn."""
        handler = self.new_handler()
        runs = {place: handler_runs.Run(self, job, handler) for place, job in enumerate(jobs)}
        done: dict[int, api.Done] = {}
        while len(done) < len(runs):
            for place in runs.keys() - done.keys():
                answer = runs[place].step()
                if isinstance(answer, api.Done):
                    done[place] = answer
        return [done[place] for place in runs]

    def points(self, job: api.Job) -> Sequence[int]:
        """After how many calls a job may be cut off: 0 and each number up to its last call but one."""
        run = handler_runs.Run(self, job, self.new_handler())
        run.finish()
        self.remove(job)
        return range(min(run.calls, _POINTS))

    def begin(self, job: api.Job, calls: int) -> None:
        """Make the first calls of a job."""
        run = handler_runs.Run(self, job, self.new_handler(), written=False)
        for _ in range(calls):
            run.step()

    def run_unclaimed(self, job: api.Job) -> None:
        """Run a job as a worker does that has lost it without knowing."""
        run = handler_runs.Run(self, job, self.new_handler(), written=False, claimed=False)
        with contextlib.suppress(api.JobError):
            while run.calls < self.case.calls and not isinstance(run.call(), api.Done):
                pass

    def expect_temporary(self, job: api.Job) -> None:
        """The other side does not answer: the job must say so, and may be tried again.

        :raises Broken: if it doesn't
        """
        run = handler_runs.Run(self, job, self.new_handler())
        while run.calls < self.case.calls:
            try:
                answer = run.call()
            except api.TemporaryError:
                return
            except api.JobError as error:
                raise handler_checks.Broken(
                    kit.advice(
                        f"{run.verb} raised {type(error).__name__} while the other side was silent: {error.message}",
                        "silence passes: raise api.Unreachable(message), and the job is tried again",
                    )
                ) from error
            if isinstance(answer, api.Done):
                raise handler_checks.Broken(
                    kit.advice(
                        f"{run.verb} came to api.Done while the other side was silent",
                        "what was not answered is not known: raise api.Unreachable(message)",
                    )
                )
        raise handler_checks.Broken(
            kit.advice(
                f"{run.verb} says api.Again for ever while the other side is silent ({run.calls} calls)",
                "raise api.Unreachable(message): attempts are counted, and the operator learns what is wrong",
            )
        )

    def expect_no_secret(self, job: api.Job, secret: str) -> None:
        """Whatever comes of a job with a secret, the secret does not show.

        :raises Broken: if it does, with the place
        """
        for each in (job, self.case.make_removal(job)):
            run = handler_runs.Run(self, each, self.new_handler(), secrets={secret, *_own_secrets(self.new_handler())})
            with contextlib.suppress(api.JobError):
                while run.calls < self.case.calls and not isinstance(run.call(), api.Done):
                    pass


def with_secret(job: api.Job, secret: str) -> api.Job:
    """A copy of a job where each text under a secret name is another secret."""
    params = tuple(
        dataclasses.replace(param, value=kit.planted({param.param: param.value}, secret)[param.param])
        for param in job.params
    )
    return dataclasses.replace(job, params=params, resource_input=kit.planted(job.resource_input, secret))


def _own_secrets(handler: api.Handler) -> set[str]:
    """The values of the handler's own secret options."""
    values = [handler.settings.options[each.dest] for each in handler.options if each.secret]
    return {str(value) for value in values if value}
