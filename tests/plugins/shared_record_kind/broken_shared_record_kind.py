"""Two handlers that would write one record."""

from esi_worker import api


class Greeter(api.Handler):
    record_kind = "greetings"

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Waver(api.Handler):
    record_kind = "greetings"

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
