"""What tests against the stand-in router share."""

from __future__ import annotations

import os
import pathlib
import tempfile
import unittest
from typing import Any

from oslo_config import cfg

from esi_worker import api
from esi_worker.clients import netconf
from esi_worker.testing import router

USERNAME = "netops"
PASSWORD = "canary-6f1c52"
GROUPS = {"USERS-VRRP": [41, 42]}


def configuration(known_hosts: str, **values: Any) -> cfg.ConfigOpts:
    """A configuration with the group ``netconf``."""
    conf = cfg.ConfigOpts()
    group, options = netconf.list_options()
    conf.register_opts(options, group=group)
    conf([], default_config_files=[], default_config_dirs=[])
    for name, value in {"known_hosts": known_hosts, **values}.items():
        conf.set_override(name, value, group=group)
    return conf


def units(count: int, group: str = "USERS-VRRP") -> str:
    """Configuration text: so many units on ae0 that apply a group."""
    inner = " ".join(f"unit {number} {{ apply-groups {group}; }}" for number in range(count))
    return f"interfaces {{ ae0 {{ {inner} }} }}"


class RouterCase(unittest.TestCase):
    """A router on loopback, and how to reach it."""

    def setUp(self) -> None:
        self.router = self.start_router()
        self.known_hosts = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "known_hosts"
        self.known_hosts.write_text(self.router.host_key)
        self.conf = configuration(str(self.known_hosts))

    def start_router(self, **settings: Any) -> router.RouterServer:
        server = router.RouterServer(username=USERNAME, password=PASSWORD, **{"groups": GROUPS, **settings})
        server.start()
        self.addCleanup(server.close)
        return server

    def set(self, **values: Any) -> None:
        """Set options of the group ``netconf``."""
        for name, value in values.items():
            self.conf.set_override(name, value, group=netconf.GROUP)

    def device(self, password: str = PASSWORD) -> api.Device:
        return api.Device(self.router.host, self.router.port, USERNAME, password)

    def connect(self, password: str = PASSWORD) -> netconf.NetconfSession:
        session = netconf.connect(self.device(password), self.conf.netconf)
        self.addCleanup(session.close)
        return session


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))
