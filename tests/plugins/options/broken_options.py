"""Options that are none."""

from oslo_config import cfg

from esi_worker import api


class Base(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Greeter(Base):
    options = {"greeting": "hello"}


class Twice(Base):
    options = (cfg.StrOpt("greeting"), cfg.IntOpt("greeting"))


class Pulse(api.Probe):
    options = "none"

    def targets(self, name, properties):
        return api.Target(name, "pulse", api.Device("127.0.0.1"))

    def connect(self, device):
        return None

    def read(self, session, targets):
        return {}
