"""A zone and a name in it, as resources."""

import pathlib

from esi_worker import api
from esi_worker.testing import pipeline

KEY = {"tests": "c2VjcmV0IG9mIHRlc3Rz"}
ZONE = api.Ref("dns_zone", "org")
NAME = api.Ref("dns_name", "www")


def zone(port):
    """The body of a zone on a name server of this port."""
    return {
        "id": ZONE.resource_id,
        "name": "example.org.",
        "server": "127.0.0.1",
        "port": port,
        "key_name": "tests",
        "key_secret": KEY["tests"],
    }


def name(**members):
    """The body of a name."""
    return {"id": NAME.resource_id, "name": "www", "zone_id": "org", "addresses": ["192.0.2.1"], "ttl": 60, **members}


def templates():
    """This package's templates."""
    return pipeline.templates(pathlib.Path(__file__).parents[1] / "templates")
