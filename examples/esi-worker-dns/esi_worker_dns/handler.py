"""The handler ``dns_record``: a name has the addresses that its resource says, by dynamic update (RFC 2136)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import ClassVar

from oslo_config import cfg

from esi_worker import api
from esi_worker_dns import nameserver


class DnsRecord(api.Handler):
    """Its params: ``name``, ``zone``, ``server``, ``addresses``, ``port``, ``ttl``, ``key_name``, ``key_secret``.

    The last four may be null.

    It comes after heat_worker, so that what is pointed to is there, and before monitoring_worker, so that a probe may
    ask for the name.  Its record says which name there is: a modify that changes the name takes the old one away.
    """

    options: ClassVar[Sequence[cfg.Opt]] = (
        cfg.FloatOpt(
            "timeout", default=5.0, min=0.1, help="How long one question to a name server may take (seconds)."
        ),
        cfg.IntOpt("ttl", default=300, min=0, help="TTL of a record whose resource says nothing of it (seconds)."),
    )
    order = 150
    record_kind = "dns_records"

    def lane(self, job: api.Job) -> str:
        """The name server: a dead one holds up its own jobs only."""
        return next((str(param.value) for param in job.params if param.param == "server"), "")

    def apply(self, job: api.Job, context: api.Context) -> api.Done | api.Again:
        """Look what the server has, and send one update if it is something else."""
        params = context.params
        server, name = self._server(params), _text(params, "name")
        wanted, ttl = nameserver.addresses(params.get("addresses")), self._ttl(params)
        former = _former(context, name, server.zone)
        if former or server.addresses(name) != (wanted, ttl):
            context.confirm()
            server.replace(name, wanted, ttl, without=former)
        given = sorted(address for each in wanted.values() for address in each)
        record = {"name": name, "zone": server.zone, "server": server.server}
        return api.Done({"dns_record": {"name": name, "addresses": given}}, record=record)

    def remove(self, job: api.Job, context: api.Context) -> api.Done | api.Again:
        """Take away the name of the resource, and the one of its record where a modify did not come to its end."""
        server, name = self._server(context.params), _text(context.params, "name")
        former = _former(context, name, server.zone)
        names = [each for each in (name, former) if each and server.addresses(each)[0]]
        if names:
            context.confirm()
            server.remove(names)
        return api.Done(record=None)

    def _server(self, params: Mapping[str, api.JSON]) -> nameserver.NameServer:
        port = params.get("port") or 53
        if isinstance(port, bool) or not isinstance(port, int):
            raise api.PermanentError("port must be a whole number")
        key_name, key_secret = params.get("key_name"), params.get("key_secret")
        if bool(key_name) != bool(key_secret):
            raise api.PermanentError("key_name and key_secret go together, but the zone has only one of them")
        key = (str(key_name), str(key_secret)) if key_name else None
        zone = _text(params, "zone")
        return nameserver.NameServer(_text(params, "server"), port, zone, key, self.settings.options.timeout)

    def _ttl(self, params: Mapping[str, api.JSON]) -> int:
        ttl = params.get("ttl")
        if ttl is None:
            return int(self.settings.options.ttl)
        if isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 0:
            raise api.PermanentError("ttl must be a whole number of seconds")
        return ttl


def _former(context: api.Context, name: str, zone: str) -> str:
    """The name that the resource had before, where it is another one.

    :raises PermanentError: if it was in another zone, whose key is not known any more
    """
    record = context.record or {}
    if record.get("zone", zone) != zone:
        raise api.PermanentError(f"{name} was in the zone {record['zone']}: delete it there and create it anew")
    former = str(record.get("name", name))
    return "" if former == name else former


def _text(params: Mapping[str, api.JSON], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise api.PermanentError(f"the parameter {name!r} must be a text")
    return value
