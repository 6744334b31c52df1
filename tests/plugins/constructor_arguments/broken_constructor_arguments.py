"""Constructors that want more than they are given."""

from esi_worker import api


class Greeter(api.Handler):
    def __init__(self, settings, card):
        super().__init__(settings)
        self.card = card

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Greeting(api.Resolver):
    def __init__(self, settings):
        self.settings = settings

    def resolve(self, arguments, resource, lookup):
        return "hello"
