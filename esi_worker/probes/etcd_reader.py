"""The probe ``etcd_reader``: whether all that is monitored of another resource is well.

=================  ===============================================
``etcd_type``      type of the other resource
``etcd_id``        its id
``wanted_status``  what a create waits for: ``ACTIVE`` if not given
``timeout``        seconds that it waits; 300 if not given
=================  ===============================================

``ACTIVE`` where the other's ``/monitoring`` is there and each status in it is a good one, else ``DOWN``;
``/monitoring`` shows ``UP`` or ``FAIL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from oslo_log import log as logging

from esi_worker import api
from esi_worker.probes import netconf_probe
from esi_worker.probes import snmp_probe

LOG = logging.getLogger(__name__)

_GOOD: Final = frozenset({"UP", "ACTIVE", "MASTER", "BACKUP", "ESTABLISHED"})
_ETCD: Final = api.Device("etcd")
"""All targets have this one device: one reading serves them all."""


class Nothing:
    """The session: there is nothing to keep."""

    def close(self) -> None:
        """Nothing to give up."""


class EtcdReader(api.Probe):
    """Reads what the collector has published of other resources."""

    transport = "etcd"
    interval = 10.0

    def targets(self, name: str, properties: Mapping[str, Any]) -> api.Target:
        """Check the properties, and that there can be such a resource: it need not exist yet.

        :raises PermanentError: naming the target and the property
        """
        question = {
            "etcd_type": netconf_probe.text(name, properties, "etcd_type"),
            "etcd_id": netconf_probe.text(name, properties, "etcd_id"),
        }
        wanted = netconf_probe.text(name, properties, "wanted_status", default=self.wanted_status)
        timeout = netconf_probe.number(name, properties, "timeout", 0, 86400, default=int(self.timeout))
        target = api.Target(name, self.settings.name, _ETCD, question, wanted, float(timeout))
        self._check(target)
        return target

    def connect(self, device: api.Device) -> api.Session:
        """There is nothing to connect to."""
        return Nothing()

    def read(self, session: Nothing, targets: Sequence[api.Target]) -> Mapping[str, str]:
        """Read each resource's document; one that can no longer be named is left out, for the others' sake.

        :raises Unreachable: if etcd does not answer
        """
        found: dict[str, str] = {}
        for each in targets:
            try:
                document = self.settings.published(_ref(each))
            except (api.CatalogError, api.DocumentError) as error:
                LOG.warning("target %s: %s", each.name, error)
                continue
            except api.StoreError as error:
                raise api.Unreachable("etcd did not answer", str(error)) from error
            found[api.key(each)] = snmp_probe.ACTIVE if _is_well(document) else snmp_probe.DOWN
        return found

    def published(self, status: str) -> str:
        """The status as ``/monitoring`` shows it."""
        return snmp_probe.published(status)

    def _check(self, target: api.Target) -> None:
        """Refuse here what no reading could ever answer: a failed reading would be every target's."""
        try:
            self.settings.published(_ref(target))
        except (api.CatalogError, api.DocumentError) as error:
            raise api.PermanentError(
                f"target {target.name}: etcd_type and etcd_id can't be those of a resource: {error}"
            ) from error
        except api.StoreError as error:
            LOG.debug("target %s could not be looked at yet: %s", target.name, error)


def _ref(target: api.Target) -> api.Ref:
    return api.Ref(str(target.question["etcd_type"]), str(target.question["etcd_id"]))


def _is_well(document: Mapping[str, api.JSON] | None) -> bool:
    if document is None:
        return False
    return all(isinstance(each, str) and each in _GOOD for name, each in document.items() if name != "version")
