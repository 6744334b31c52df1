"""What tests against the stand-in for an SNMP agent share."""

from __future__ import annotations

import unittest
from typing import Any

from oslo_config import cfg

from esi_worker import api
from esi_worker.clients import snmp
from esi_worker.testing import snmp_agent

COMMUNITY = "canary-2b90"


def configuration(**values: Any) -> cfg.ConfigOpts:
    """A configuration with the group ``snmp``; silence is noticed sooner than in production."""
    conf = cfg.ConfigOpts()
    group, options = snmp.list_options()
    conf.register_opts(options, group=group)
    conf([], default_config_files=[], default_config_dirs=[])
    for name, value in {"timeout": 0.2, **values}.items():
        conf.set_override(name, value, group=group)
    return conf


class AgentCase(unittest.TestCase):
    """Agents on loopback, and how to reach them."""

    def setUp(self) -> None:
        self.conf = configuration()

    def start_agent(self, *interfaces: str, **settings: Any) -> snmp_agent.SnmpAgent:
        agent = snmp_agent.SnmpAgent(interfaces, community=COMMUNITY, **settings)
        agent.start()
        self.addCleanup(agent.close)
        return agent

    def set(self, **values: Any) -> None:
        """Set options of the group ``snmp``."""
        for name, value in values.items():
            self.conf.set_override(name, value, group=snmp.GROUP)

    def connect(self, agent: snmp_agent.SnmpAgent, community: str = COMMUNITY) -> snmp.SnmpSession:
        session = snmp.connect(api.Device(agent.host, agent.port, password=community), self.conf.snmp)
        self.addCleanup(session.close)
        return session
