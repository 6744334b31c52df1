"""One of two packages with a handler of the same name."""

from esi_worker import api


class Greeter(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
