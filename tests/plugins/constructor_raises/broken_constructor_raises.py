"""Constructors that fail."""

from esi_worker import api


class Greeter(api.Handler):
    def __init__(self, settings):
        super().__init__(settings)
        raise OSError("no such greeting card")

    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Greeting(api.Resolver):
    def __init__(self):
        self.words = {}["hello"]

    def resolve(self, arguments, resource, lookup):
        return "hello"
