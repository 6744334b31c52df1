"""A handler whose options would be those of the worker."""

from esi_worker import api


class Mine(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
