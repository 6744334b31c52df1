"""What the project brings along, as its entry points give it: for tests of mappings, templates and the catalog."""

from __future__ import annotations

import functools
import importlib.metadata
import pathlib

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import templates as template_files
from esi_worker.resolvers import device_credentials
from esi_worker.resolvers import pool_groups
from esi_worker.resolvers import vrids

ROOT = pathlib.Path(__file__).resolve().parents[1]

RESOLVERS: dict[str, api.Resolver] = {
    "device_credentials": device_credentials.DeviceCredentials(),
    "pool_groups": pool_groups.PoolGroups(),
    "vrids": vrids.Vrids(),
}


def resource_types() -> dict[str, api.ResourceType]:
    """The built-in resource types, loaded through their entry points."""
    points = importlib.metadata.distribution("esi-worker").entry_points.select(group="esi_worker.resource_types")
    return {point.name: point.load() for point in points}


@functools.cache
def catalog() -> catalogs.Catalog:
    """The built-in catalog."""
    return catalogs.Catalog(resource_types().values())


@functools.cache
def templates() -> dict[str, api.Template]:
    """The templates of the repository."""
    return template_files.read_directory(ROOT / "templates")
