"""Plug-ins that are all right."""

from oslo_config import cfg

from esi_worker import api


class Greeter(api.Handler):
    options = (cfg.StrOpt("words", default="hello"), cfg.IntOpt("times", default=1, min=1))
    order = 300
    record_kind = "greetings"

    def apply(self, job, context):
        return api.Done({"greeting": self.settings.options.words})

    # The names of parameters are a plug-in's own affair, and more of them may have defaults.
    def remove(self, work, surroundings, politely=True):
        return api.Done()


class Greeting(api.Resolver):
    @staticmethod
    def resolve(arguments, resource, lookup):
        return "hello"


class Pulse(api.Probe):
    transport = "none"

    def targets(self, name, properties):
        return api.Target(name, "pulse", api.Device("127.0.0.1"))

    def connect(self, device):
        return None

    def read(self, *arguments):
        return {}


CARD = api.ResourceType(
    "greeting_card",
    "greeting_cards",
    relations={"recipient_id": "person"},
    templates={"greeter": {"constant": "card"}},
)
