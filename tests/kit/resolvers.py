"""Resolvers that find a router's address: a good one, and for each promise one that breaks it."""

import itertools
import pathlib
import socket

from esi_worker import api


class Good(api.Resolver):
    """``attribute``: a field of the router that the resource's interface belongs to."""

    def resolve(self, arguments, resource, lookup):
        unknown = sorted(arguments.keys() - {"attribute"})
        if unknown:
            raise api.PermanentError(f"there is no argument {unknown[0]}")
        attribute = arguments.get("attribute")
        if not isinstance(attribute, str):
            raise api.PermanentError("the argument attribute is missing or no text")
        router = lookup.follow(lookup.follow(resource, "interface_id"), "router_id")
        return router.body.get(attribute)


class ChangesTheResource(Good):
    def resolve(self, arguments, resource, lookup):
        resource.body["resolved"] = True
        return super().resolve(arguments, resource, lookup)


class ChangesARelative(Good):
    def resolve(self, arguments, resource, lookup):
        lookup.follow(resource, "interface_id").body.setdefault("seen", True)
        return super().resolve(arguments, resource, lookup)


class ReturnsASet(Good):
    def resolve(self, arguments, resource, lookup):
        return {super().resolve(arguments, resource, lookup)}


class ReturnsATuple(Good):
    def resolve(self, arguments, resource, lookup):
        return ("router", super().resolve(arguments, resource, lookup))


class Remembers(Good):
    def __init__(self):
        self.known = {}

    def resolve(self, arguments, resource, lookup):
        if resource.ref not in self.known:
            self.known[resource.ref] = super().resolve(arguments, resource, lookup)
        return self.known[resource.ref]


class Counts(Good):
    def __init__(self):
        self.numbers = itertools.count()

    def resolve(self, arguments, resource, lookup):
        return f"{super().resolve(arguments, resource, lookup)}-{next(self.numbers)}"


class HidesWhatIsMissing(Good):
    def resolve(self, arguments, resource, lookup):
        try:
            return super().resolve(arguments, resource, lookup)
        except api.Unresolved:
            return ""


class LetsKeyErrorThrough(Good):
    def resolve(self, arguments, resource, lookup):
        return super().resolve({"attribute": arguments["attribute"]}, resource, lookup)


class TakesAnyArgument(Good):
    def resolve(self, arguments, resource, lookup):
        return super().resolve({"attribute": arguments.get("attribute")}, resource, lookup)


class ReadsAFile(Good):
    def resolve(self, arguments, resource, lookup):
        pathlib.Path("/etc/hostname").open().close()
        return super().resolve(arguments, resource, lookup)


class AsksTheRouter(Good):
    def resolve(self, arguments, resource, lookup):
        with socket.socket() as connection:
            connection.connect(("127.0.0.1", 9))
        return super().resolve(arguments, resource, lookup)


class ShowsASecret(Good):
    def resolve(self, arguments, resource, lookup):
        try:
            return super().resolve(arguments, resource, lookup)
        except api.Unresolved as error:
            raise api.Unresolved(f"{dict(resource.body)} leads nowhere") from error


class WrongShape(Good):
    def resolve(self, arguments, resource):
        return None
