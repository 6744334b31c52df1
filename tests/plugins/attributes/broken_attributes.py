"""Attributes of the wrong kind."""

from esi_worker import api


class Base(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Order(Base):
    order = "late"


class Flag(Base):
    torn_down_before_modify = "no"


class Kind(Base):
    record_kind = 7


class Pulse(api.Probe):
    transport = None
    timeout = "five minutes"
    interval = -1

    def targets(self, name, properties):
        return api.Target(name, "pulse", api.Device("127.0.0.1"))

    def connect(self, device):
        return None

    def read(self, session, targets):
        return {}
