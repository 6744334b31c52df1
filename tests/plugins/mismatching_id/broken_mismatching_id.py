"""A resource type whose id is not its entry point's name."""

from esi_worker import api

CARD = api.ResourceType("postcard", "postcards")
