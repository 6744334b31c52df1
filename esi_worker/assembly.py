"""Makes the parts of esi-worker from the configuration: for the daemon and for the commands alike."""

from __future__ import annotations

import os
import pathlib
import socket
import uuid
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from esi_worker import api
from esi_worker import options
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_sources
from esi_worker.pipeline import planner
from esi_worker.pipeline import templates
from esi_worker.pipeline import workflow
from esi_worker.store import base
from esi_worker.store import etcd


def store(conf: cfg.ConfigOpts) -> base.Store:
    """The etcd cluster that the configuration names."""
    group = conf.etcd
    return etcd.EtcdStore(
        group.endpoints,
        username=group.username or "",
        password=group.password or "",
        ca_cert=group.ca_cert or "",
        cert_file=group.cert_file or "",
        key_file=group.key_file or "",
        timeout=group.timeout,
    )


def installed_statements(
    conf: cfg.ConfigOpts, installed: Mapping[str, api.ResourceType]
) -> list[catalog_sources.Statement]:
    """What installed packages say of resource types; nothing where the configuration turns them off."""
    return catalog_sources.installed(installed) if conf.catalog.entry_points else []


def merged(conf: cfg.ConfigOpts, installed: Mapping[str, api.ResourceType]) -> catalog_sources.Merged:
    """What is said of resource types: by installed packages, then by files, which are believed rather.

    :raises CatalogError: naming the file that can't be used, or both places of what can't stand side by side
    """
    statements = installed_statements(conf, installed)
    for path in catalog_sources.files(conf.catalog.files):
        statements += catalog_sources.read_file(path)
    return catalog_sources.merge(statements)


def catalog(conf: cfg.ConfigOpts, sources: catalog_sources.Merged) -> catalogs.Catalog:
    """The resource types as the pipeline uses them.

    :raises CatalogError: if they can't stand side by side
    """
    return sources.catalog(open_world=conf.catalog.unknown_types == options.READ)


def file_templates(conf: cfg.ConfigOpts) -> dict[str, api.Template]:
    """The templates of the configured directories; those of a later directory win.

    :raises ConfigError: naming the file that can't be used
    """
    directories = [pathlib.Path(each) for each in conf.templates.directories] or templates.default_directories()
    found: dict[str, api.Template] = {}
    for directory in directories:
        found |= templates.read_directory(directory)
    return found


def traits(handlers: Mapping[str, Any]) -> dict[str, workflow.Traits]:
    """What the pipeline knows of handlers.

    :param handlers: name -> the handler or its class
    """
    return {
        name: workflow.Traits(name, each.order, each.torn_down_before_modify, each.record_kind or name)
        for name, each in handlers.items()
    }


def rules(
    conf: cfg.ConfigOpts,
    types: catalogs.Catalog,
    handlers: Mapping[str, Any],
    resolvers: Mapping[str, api.Resolver],
) -> planner.Rules:
    """What planning goes by."""
    return planner.Rules(types, traits(handlers), resolvers, conf.job_manager.secrets)


def process_name() -> str:
    """Names this process among all others, for people and for the collectors' shares."""
    return f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:6]}"
