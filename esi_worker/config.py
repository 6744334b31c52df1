"""The configuration: built by a function and handed over, never global.

::

    conf = config.build(["--config-file", "esi-worker.conf"])
    conf.worker.slots

Each part has a group of its own; a plug-in's group is named like its entry point (:func:`register_plugin`).
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api
from esi_worker import options

_PROGRAM = "esi-worker"
_DESCRIPTION = (
    "Brings about in OpenStack Heat and on network devices what the resource documents in etcd ask for, "
    "and writes what came of it back to etcd."
)
_EPILOG = (
    "Without --config-file, esi-worker.conf is looked for in ~/.esi-worker, ~, /etc/esi-worker and /etc. "
    "All options are described in the sample, esi-worker.conf.sample. "
    "SIGTERM and SIGINT stop the daemon: running jobs are brought to an end or given back first; a second signal "
    "ends it at once. Exit status: 0 stopped, 1 failed, 2 the configuration or a plug-in can't be used."
)


def build(argv: Sequence[str], *, default_files: Sequence[str] | None = None) -> cfg.ConfigOpts:
    """Parse the command line and the config files.

    :param argv: the command line without the program's name
    :param default_files: config files to read where the command line names none; None looks in the usual places
    :raises ConfigError: naming option, group and file of what can't be used
    :raises SystemExit: for ``--help``, ``--version`` and unknown command line options
    """
    conf = cfg.ConfigOpts()
    logging.register_options(conf)
    conf.set_default("default_log_levels", _log_levels())
    _register(conf)
    try:
        conf(
            args=list(argv),
            project=_PROGRAM,
            prog=_PROGRAM,
            version=f"{_PROGRAM} {version()}",
            usage="%(prog)s [--config-file FILE] [--config-dir DIR] [--roles ROLE,...] [option ...]",
            description=_DESCRIPTION,
            epilog=_EPILOG,
            default_config_files=None if default_files is None else list(default_files),
            default_config_dirs=None if default_files is None else [],
        )
    except cfg.ConfigFileParseError as error:
        # The text ends with the line itself, which may hold a password.
        raise api.ConfigError(re.sub(r": (['\"]).*\1$", "", str(error), flags=re.DOTALL)) from None
    except cfg.Error as error:
        raise api.ConfigError(str(error)) from error
    check(conf)
    return conf


def version() -> str:
    """The installed version of esi-worker."""
    return importlib.metadata.version("esi-worker")


def register_plugin(conf: cfg.ConfigOpts, name: str, declared: Sequence[cfg.Opt]) -> None:
    """Register the options of a plug-in and check what the config files say of them.

    :param name: the plug-in's entry point name, which becomes the group's
    :param declared: the class's ``options``
    :raises ConfigError: if another plug-in has the same option with another meaning, or a value can't be used
    """
    conf.register_group(cfg.OptGroup(name))
    try:
        conf.register_opts(list(declared), group=name)
    except (cfg.DuplicateOptError, ValueError) as error:
        raise api.ConfigError(f"the options of {name} can't be registered: {error}") from error
    for option in declared:
        _check_value(conf, option.dest, name)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Group name -> options, for ``oslo-config-generator``.

    The options of the built-in plug-ins are listed by :func:`esi_worker.plugins.list_opts`, those of oslo.log by
    oslo.log.
    """
    return [(None if group == "DEFAULT" else group, list(members)) for group, members in options.groups()]


def set_sample_defaults() -> None:
    """Make ``oslo-config-generator`` show our defaults of oslo.log's options."""
    logging.set_defaults(default_log_levels=_log_levels())


def reserved_groups() -> frozenset[str]:
    """Names of groups that no plug-in may use."""
    return frozenset(group for group, _ in options.groups()) | {"oslo"}


def check(conf: cfg.ConfigOpts) -> None:
    """Read every option once, so that a bad value is found at start and not in the middle of a job.

    :raises ConfigError: naming option, group and file
    """
    for group, members in options.groups():
        for option in members:
            _check_value(conf, option.dest, group)
    _check_roles(conf)
    _check_endpoints(conf)
    for group, one, other in (("etcd", "username", "password"), ("etcd", "cert_file", "key_file")):
        if bool(conf[group][one]) != bool(conf[group][other]):
            raise api.ConfigError(f"group [{group}]: {one} and {other} go together, but only one of them is set")
    if conf.worker.retry_delay > conf.worker.retry_delay_max:
        raise api.ConfigError("group [worker]: retry_delay is greater than retry_delay_max")


def _log_levels() -> list[str]:
    # ncclient logs whole messages at INFO, with the passwords in them; paramiko shows a traceback for every
    # connection without a banner, which esi-worker tells in one line.
    quiet = ["ncclient=WARN", "ncclient.transport.ssh=CRITICAL", "paramiko=WARN", "paramiko.transport=CRITICAL"]
    return [*logging.get_default_log_levels(), *quiet, "heatclient=WARN"]


def _check_value(conf: cfg.ConfigOpts, option: str, group: str) -> None:
    try:
        if group == "DEFAULT":
            conf[option]
        else:
            conf[group][option]
    except (cfg.ConfigSourceValueError, cfg.DefaultValueError, cfg.TemplateSubstitutionError, ValueError) as error:
        raise api.ConfigError(_describe(option, group, str(error))) from error


def _check_roles(conf: cfg.ConfigOpts) -> None:
    # Not a type of the option: for an option of the command line, oslo.config would end the process instead.
    unknown = sorted(set(conf.roles) - set(options.ROLES))
    if unknown or not conf.roles:
        reason = f"unknown role {', '.join(unknown)}" if unknown else "no role is named"
        raise api.ConfigError(
            f"option roles in group [DEFAULT]{_place(conf, 'roles')}: {reason}; there are {', '.join(options.ROLES)}"
        )


def _check_endpoints(conf: cfg.ConfigOpts) -> None:
    where = f"option endpoints in group [etcd]{_place(conf, 'endpoints', 'etcd')}"
    if not conf.etcd.endpoints:
        raise api.ConfigError(f"{where}: no endpoint is named")
    for endpoint in conf.etcd.endpoints:
        if not re.fullmatch(r"https?://[^/@\s]+/?", endpoint):
            raise api.ConfigError(f"{where}: an endpoint has the form http://HOST:PORT or https://HOST:PORT")


def _place(conf: cfg.ConfigOpts, option: str, group: str | None = None) -> str:
    location = conf.get_location(option, group)
    if location is None or location.location not in (cfg.Locations.user, cfg.Locations.command_line):
        return ""
    return f" in {location.detail}" if location.location is cfg.Locations.user else " on the command line"


def _describe(option: str, group: str, text: str) -> str:
    """Say in one sentence what oslo.config's message says with the representation of an object in it."""
    found = re.search(r"detail='([^']*)'", text)
    place = f" in {found[1]}" if found else ""
    reason = text.partition("is not valid: ")[2] or text
    return f"option {option} in group [{group}]{place}: {reason}"


def _register(conf: cfg.ConfigOpts) -> None:
    for group, members in options.groups():
        if group == "DEFAULT":
            conf.register_cli_opts(list(members))
        else:
            conf.register_opts(list(members), group=group)
