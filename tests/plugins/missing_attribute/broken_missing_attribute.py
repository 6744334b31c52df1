"""An entry point that names what its module does not have."""

from esi_worker import api


class Other(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()
