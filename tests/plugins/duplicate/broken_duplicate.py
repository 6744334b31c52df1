"""A handler with the name of a built-in one."""

from esi_worker import api


class Mine(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
