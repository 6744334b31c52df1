"""Classes that lack methods."""

from esi_worker import api


class Greeter(api.Handler):
    def apply(self, job, context):
        return api.Done()


class Pulse(api.Probe):
    def targets(self, name, properties):
        return api.Target(name, "pulse", api.Device("127.0.0.1"))
