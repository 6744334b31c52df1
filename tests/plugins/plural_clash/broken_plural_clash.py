"""Two resource types with the same keys."""

from esi_worker import api

CARD = api.ResourceType("greeting_card", "cards")
POSTCARD = api.ResourceType("postcard", "cards")
