"""What a command of esictl works with: configuration, store and catalog, opened when first asked for."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import cast
from typing import Final

from esi_worker import api
from esi_worker import assembly
from esi_worker import config
from esi_worker import plugins
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_sources
from esi_worker.pipeline import places
from esi_worker.pipeline import planner
from esi_worker.store import base
from esi_worker.store import keys

ENDPOINTS: Final = "ESICTL_ENDPOINTS"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The global options that say which deployment is meant."""
    parser.add_argument("--config-file", metavar="FILE", action="append", default=[], help="the daemon's config file")
    parser.add_argument("--config-dir", metavar="DIR", action="append", default=[], help="a directory of config files")
    parser.add_argument(
        "--endpoints",
        metavar="URL[,URL]",
        default=os.environ.get(ENDPOINTS, ""),
        help=f"etcd's client URLs, instead of those in the config file (environment: {ENDPOINTS})",
    )


class Session:
    """One deployment, as the global options name it.

    :param options: of :func:`add_options`
    :param open_store: opens the store that a configuration names
    """

    def __init__(self, options: argparse.Namespace, open_store: Callable[[Any], base.Store]) -> None:
        self._options = options
        self._open_store = open_store
        self._store: base.Store | None = None

    @functools.cached_property
    def conf(self) -> Any:
        """The configuration.

        :raises ConfigError: if it can't be used
        """
        arguments = [f"--config-file={each}" for each in self._options.config_file]
        arguments += [f"--config-dir={each}" for each in self._options.config_dir]
        conf = config.build(arguments)
        if self._options.endpoints:
            conf.set_override("endpoints", self._options.endpoints.split(","), group="etcd")
            config.check(conf)
        return conf

    @property
    def store(self) -> base.Store:
        """The store; the caller does not close it."""
        if self._store is None:
            self._store = self._open_store(self.conf)
        return self._store

    @functools.cached_property
    def catalog(self) -> catalogs.Catalog:
        """The resource types.

        :raises CatalogError: if one of them can't be used
        """
        return assembly.catalog(self.conf, self.merged)

    @functools.cached_property
    def installed_statements(self) -> Sequence[catalog_sources.Statement]:
        """What installed packages say of resource types; nothing where the configuration turns them off."""
        return assembly.installed_statements(self.conf, self.plugins.resource_types)

    @functools.cached_property
    def merged(self) -> catalog_sources.Merged:
        """What all sources together say of resource types.

        :raises CatalogError: if one of them can't be used
        """
        return assembly.merged(self.conf, self.plugins.resource_types)

    @functools.cached_property
    def file_templates(self) -> Mapping[str, api.Template]:
        """The templates in files: those in etcd hide them.

        :raises ConfigError: if one of them can't be read
        """
        return assembly.file_templates(self.conf)

    @property
    def rules(self) -> planner.Rules:
        """What planning goes by."""
        return self.rules_for(self.catalog)

    def rules_for(self, catalog: catalogs.Catalog) -> planner.Rules:
        """What planning goes by with another catalog."""
        return assembly.rules(self.conf, catalog, self.plugins.handlers, self.plugins.resolvers)

    @functools.cached_property
    def plugins(self) -> plugins.Types:
        """What is installed.

        :raises PluginError: if one of them is refused
        """
        return plugins.load_types(self.conf)

    @property
    def handlers(self) -> list[str]:
        """The names of the installed handlers."""
        return sorted(self.plugins.handlers)

    def path(self, resource_type: str, resource_id: str) -> keys.Path:
        """Where a resource is.

        :param resource_type: a type, or its plural
        :raises ConfigError: if nothing has this name
        :raises DocumentError: if the id is refused
        """
        ref = api.Ref(self.resource_type(resource_type).id, resource_id)
        return places.Places(self.store, self.catalog).path(ref)

    def resource_type(self, name: str) -> api.ResourceType:
        """The description of a type.

        :param name: the type, or its plural
        :raises ConfigError: if nothing has this name
        """
        for each in self.catalog.types.values():
            if name in (each.id, each.plural):
                return each
        try:
            # One that is only referred to is not described, but has its place.
            place = self.catalog.path(api.Ref(name, "any"))
        except (api.CatalogError, api.DocumentError):
            place = None
        found = self.catalog.at(place.prefix, place.plural) if place else None
        if found is None:
            raise api.ConfigError(f"no resource type {name!r}; there are: {', '.join(sorted(self.catalog.types))}")
        return found

    def close(self) -> None:
        """Close what was opened."""
        if self._store is not None:
            self._store.close()


def of(command: Any) -> Session:
    """The session that a command runs in."""
    return cast(Session, command.app.session)
