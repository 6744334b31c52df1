"""The resolver ``fqdn``."""

from __future__ import annotations

from collections.abc import Mapping

from esi_worker import api


class Fqdn(api.Resolver):
    """The whole name of a resource in a zone: ``{"resolver": "fqdn"}`` gives ``www.example.org.``.

    - ``label``: the field that has the name within the zone, ``name`` where it is not given; ``@`` is the zone itself
    - ``zone``: the relation that leads to the zone, ``zone_id`` where it is not given
    """

    def resolve(self, arguments: Mapping[str, api.JSON], resource: api.Resource, lookup: api.Lookup) -> api.JSON:
        """:raises PermanentError: naming the argument or the field that can't be used."""
        fields = {"label": "name", "zone": "zone_id", **arguments}
        for argument, value in fields.items():
            if argument not in ("label", "zone"):
                raise api.PermanentError(f"fqdn has no argument {argument!r}: it takes label and zone")
            if not isinstance(value, str) or not value:
                raise api.PermanentError(f"fqdn: the argument {argument!r} must be the name of a field")
        zone = lookup.follow(resource, fields["zone"])
        origin = _text(zone, "name").rstrip(".")
        label = _text(resource, fields["label"]).rstrip(".")
        return f"{origin}." if label == "@" else f"{label}.{origin}."


def _text(resource: api.Resource, field: str) -> str:
    value = resource.body.get(field)
    if not isinstance(value, str) or not value:
        raise api.PermanentError(f"fqdn: {resource.ref} has no text in its field {field!r}")
    return value
