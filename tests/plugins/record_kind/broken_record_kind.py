"""Record kinds that no handler may have."""

from esi_worker import api


class Greeter(api.Handler):
    record_kind = "job_state"

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Trace(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Slash(api.Handler):
    record_kind = "a/b"

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
