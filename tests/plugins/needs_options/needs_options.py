"""Plug-ins that can't be made without a configuration."""

from oslo_config import cfg

from esi_worker import api


class _Handler(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Greeter(_Handler):
    """Says which options must be set."""

    options = (cfg.HostAddressOpt("server", required=True), cfg.StrOpt("words", required=True), cfg.IntOpt("times"))

    def __init__(self, settings):
        super().__init__(settings)
        self.greeting = f"{settings.options.words}, {settings.options.server.upper()}"


class Printer(_Handler):
    """Says it when it is constructed."""

    options = (cfg.StrOpt("paper"),)

    def __init__(self, settings):
        super().__init__(settings)
        if not settings.options.paper:
            raise api.ConfigError("[printer] paper: one of A4, A5")


class Closer(_Handler):
    """Can be made, but not closed."""

    def close(self):
        raise OSError("it is stuck")


class Pulse(api.Probe):
    """Forgot to say it."""

    options = (cfg.StrOpt("device"), cfg.StrOpt("rhythm"), cfg.IntOpt("beats", default=1))
    transport = "none"

    def __init__(self, settings):
        super().__init__(settings)
        self.device = settings.options.device.lower()

    def targets(self, name, properties):
        return api.Target(name, "pulse", api.Device("127.0.0.1"))

    def connect(self, device):
        return None

    def read(self, session, targets):
        return {}
