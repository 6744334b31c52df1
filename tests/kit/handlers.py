"""Handlers that put boxes on a shelf: a good one, and for each promise one that breaks it."""

import contextlib
import dataclasses
import time

from esi_worker import api


class Shelf:
    """The other side: boxes by name; one that was ordered stands there at the next look."""

    def __init__(self):
        self.boxes = {}
        self.mute = False

    def look(self, name):
        """:returns: the box, or None; what was ordered has arrived by the time somebody looks again."""
        self._answer()
        box = self.boxes.get(name)
        found = dict(box) if box else None
        if box:
            box["there"] = True
        return found

    def order(self, name, content):
        self._answer()
        before = self.boxes.get(name, {})
        orders = before["orders"] if before.get("content") == content else 0
        self.boxes[name] = {"content": content, "there": False, "orders": orders + 1}

    def drop(self, name):
        self._answer()
        return self.boxes.pop(name, None) is not None

    def _answer(self):
        if self.mute:
            raise ConnectionResetError("nobody there")

    @contextlib.contextmanager
    def silent(self):
        self.mute = True
        try:
            yield
        finally:
            self.mute = False


class Good(api.Handler):
    """Orders a box, waits until it is there, and tells what is in it."""

    shelf = None

    def apply(self, job, context):
        with self._translated():
            box = self.shelf.look(job.resource_id)
            if box is None or box["content"] != context.params["content"]:
                context.confirm()
                self.shelf.order(job.resource_id, context.params["content"])
                return api.Again(2)
            if not box["there"]:
                return api.Again(2)
        return api.Done({"content": box["content"]}, record={"box": job.resource_id})

    def remove(self, job, context):
        context.confirm()
        with self._translated():
            self.shelf.drop(job.resource_id)
        return api.Done(record=None)

    @contextlib.contextmanager
    def _translated(self):
        try:
            yield
        except ConnectionError as error:
            raise api.Unreachable("the shelf does not answer", repr(error)) from error


class Overconfident(Good):
    """Does not ask whether the job is still its own before it orders."""

    def apply(self, job, context):
        return super().apply(job, dataclasses.replace(context, claimed=True))


class Reckless(Good):
    """Does not ask before it takes a box away."""

    def remove(self, job, context):
        return super().remove(job, dataclasses.replace(context, claimed=True))


class KeepsTheJob(Good):
    def apply(self, job, context):
        self.job = job
        return super().apply(job, context)


class MixesJobsUp(Good):
    """What one call leaves on self the next one takes for its own."""

    content = None

    def apply(self, job, context):
        with self._translated():
            box = self.shelf.look(job.resource_id)
            if box is None:
                self.content = context.params["content"]
                self.shelf.order(job.resource_id, context.params["content"])
                return api.Again(1)
        return api.Done({"content": self.content})


class NotIdempotent(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        if isinstance(done, api.Done):
            with self._translated():
                self.shelf.order(job.resource_id, context.params["content"])
                self.shelf.look(job.resource_id)
        return done


class TellsWhatItDid(Good):
    def apply(self, job, context):
        with self._translated():
            was_there = self.shelf.look(job.resource_id) is not None
            if not was_there:
                self.shelf.order(job.resource_id, context.params["content"])
                self.shelf.look(job.resource_id)
        return api.Done({"created": not was_there})


class RaisesRaw(Good):
    def _translated(self):
        return contextlib.nullcontext()


class GivesUpOnSilence(Good):
    @contextlib.contextmanager
    def _translated(self):
        try:
            yield
        except ConnectionError as error:
            raise api.PermanentError("the shelf is gone") from error


class TakesSilenceForDone(Good):
    def remove(self, job, context):
        with contextlib.suppress(ConnectionError):
            self.shelf.drop(job.resource_id)
        return api.Done()


class WaitsForEverInSilence(Good):
    def apply(self, job, context):
        try:
            return super().apply(job, context)
        except api.Unreachable:
            return api.Again(5)


class ReturnsADict(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        return done if isinstance(done, api.Again) else dict(done.result)


class ReturnsNothing(Good):
    def remove(self, job, context):
        super().remove(job, context)


class ResultIsNotJson(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        return done if isinstance(done, api.Again) else api.Done({"content": {done.result["content"]}})


class ResultHasNumbersForNames(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        return done if isinstance(done, api.Again) else api.Done({"slots": {1: "left"}})


class RecordIsNotJson(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        return done if isinstance(done, api.Again) else api.Done(done.result, record={"at": time.gmtime})


class SecretInMessage(Good):
    def apply(self, job, context):
        if len(context.params["shelf_password"]) > 20:
            raise api.PermanentError(f"the password {context.params['shelf_password']} is too long")
        return super().apply(job, context)


class SecretInRecord(Good):
    def apply(self, job, context):
        done = super().apply(job, context)
        if isinstance(done, api.Again):
            return done
        return api.Done(done.result, record={"login": context.params["shelf_password"]})


class RemoveOfNothingFails(Good):
    def remove(self, job, context):
        with self._translated():
            if not self.shelf.drop(job.resource_id):
                raise api.PermanentError(f"there is no box {job.resource_id}")
        return api.Done()


class RemovesWhatIsFinishedOnly(Good):
    def remove(self, job, context):
        with self._translated():
            box = self.shelf.look(job.resource_id)
            if box and box["there"]:
                self.shelf.drop(job.resource_id)
        return api.Done()


class RemovesNothing(Good):
    def remove(self, job, context):
        with self._translated():
            self.shelf.look(job.resource_id)
        return api.Done()


class AgainForEver(Good):
    def apply(self, job, context):
        super().apply(job, context)
        return api.Again(1)


class AgainWithoutNumber(Good):
    def apply(self, job, context):
        answer = super().apply(job, context)
        return api.Again(None) if isinstance(answer, api.Again) else answer


class UnsafeToRestart(Good):
    """Counts its own calls: another process starts from nothing and orders again."""

    def __init__(self, settings):
        super().__init__(settings)
        self.ordered = False

    def apply(self, job, context):
        with self._translated():
            if not self.ordered:
                self.ordered = True
                self.shelf.order(job.resource_id, context.params["content"])
                return api.Again(1)
            self.shelf.look(job.resource_id)
        self.ordered = False
        return api.Done()


class Sleeps(Good):
    def apply(self, job, context):
        time.sleep(30)
        return super().apply(job, context)


class ChangesTheJob(Good):
    def apply(self, job, context):
        job.resource_input["seen"] = True
        return super().apply(job, context)


class IgnoresAModify(Good):
    def apply(self, job, context):
        with self._translated():
            if self.shelf.look(job.resource_id) is None:
                self.shelf.order(job.resource_id, context.params["content"])
                self.shelf.look(job.resource_id)
        return api.Done()


class NotYetIsAnError(Good):
    def apply(self, job, context):
        answer = super().apply(job, context)
        if isinstance(answer, api.Again):
            raise api.TemporaryError("the box is not there yet")
        return answer


class BugInside(Good):
    def apply(self, job, context):
        return super().apply(job, context) if context.params["size"] else None


class WrongLane(Good):
    def lane(self, job):
        return None


class WrongShape(Good):
    def remove(self, job):
        return api.Done()


class NoEffect(Good):
    def apply(self, job, context):
        return api.Done()
