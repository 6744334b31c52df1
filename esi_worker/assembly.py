"""Makes the parts of esi-worker from the configuration: for the daemon and for the commands alike."""

from __future__ import annotations

import os
import pathlib
import socket
import uuid
from collections.abc import Mapping
from typing import Any

import yaml
from oslo_config import cfg

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_document
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


def catalog(conf: cfg.ConfigOpts, installed: Mapping[str, api.ResourceType]) -> catalogs.Catalog:
    """The resource types: those of installed packages, then those of files, which win.

    :raises CatalogError: naming the file that can't be used
    """
    types = dict(installed) if conf.catalog.entry_points else {}
    any_prefix: set[str] = set()
    for path in _catalog_files(conf.catalog.files):
        try:
            described, loose = catalog_document.read(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, api.CatalogError) as error:
            raise api.CatalogError(f"the catalog file {path} can't be used: {error}") from error
        types |= {each.id: each for each in described}
        any_prefix |= set(loose)
    return catalogs.Catalog(types.values(), any_prefix=any_prefix)


def _catalog_files(names: list[str]) -> list[pathlib.Path]:
    found: list[pathlib.Path] = []
    for name in names:
        path = pathlib.Path(name)
        if path.is_dir():
            found += sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml", ".json"))
        else:
            found.append(path)
    return found


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
