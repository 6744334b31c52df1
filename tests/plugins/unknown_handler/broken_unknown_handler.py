"""A resource type with a template for a handler that nobody installed."""

from esi_worker import api

CARD = api.ResourceType("greeting_card", "greeting_cards", templates={"printer": {"constant": "card"}})
