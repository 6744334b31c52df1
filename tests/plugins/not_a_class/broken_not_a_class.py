"""An object and a function where classes are wanted."""

from esi_worker import api


class Greeter(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


greeter = Greeter(None)


def greeting(arguments, resource, lookup):
    return "hello"
