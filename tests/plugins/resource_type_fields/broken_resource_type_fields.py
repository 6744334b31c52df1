"""Resource types with fields that can't be used."""

from esi_worker import api

PLURAL = api.ResourceType("plural", "plu/rals")
PREFIX = api.ResourceType("prefix", "prefixes", prefix="/v2.0/")
RELATIONS = api.ResourceType("relations", "relationses", relations={"card_id": 7})
TEMPLATES = api.ResourceType("templates", "templateses", templates=["heat_worker"])
HEAT_TEMPLATE = api.ResourceType("heat_template", "heat_templates")
