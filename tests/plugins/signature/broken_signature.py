"""Methods that do not take what they are given."""

from esi_worker import api


class Base(api.Handler):
    def apply(self, job, context):
        return api.Done()

    def remove(self, job, context):
        return api.Done()


class Few(Base):
    def apply(self, job):
        return api.Done()


class Many(Base):
    def remove(self, job, context, reason):
        return api.Done()


class Keyword(Base):
    def apply(self, job, *, context):
        return api.Done()


class Coroutine(Base):
    async def apply(self, job, context):
        return api.Done()


class Lane(Base):
    lane = "fast"


class Greeting(api.Resolver):
    def resolve(self, arguments):
        return "hello"
