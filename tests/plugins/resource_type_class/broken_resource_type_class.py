"""A class and a function where an object is wanted."""

from esi_worker import api


class Card(api.ResourceType):
    pass


def postcard():
    return api.ResourceType("postcard", "postcards")
