"""How esi-worker gets to Heat: authentication, TLS and timeouts."""

from __future__ import annotations

import dataclasses
import threading
import urllib.parse
from typing import Any
from typing import Final

import requests
import requests.adapters
from heatclient.v1 import client as heat_client
from keystoneauth1 import identity
from keystoneauth1 import noauth
from keystoneauth1 import plugin
from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint
from oslo_log import log as logging

from esi_worker import api

LOG = logging.getLogger(__name__)

PASSWORD: Final = "password"  # noqa: S105
TOKEN: Final = "token"  # noqa: S105
NONE: Final = "none"

_CONNECTIONS: Final = 32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to get to Heat.

    :ivar auth_type: ``password`` (Keystone v3), ``token`` (a fixed one) or ``none`` (standalone Heat)
    :ivar endpoint: of Heat, with ``%(tenant_id)s`` where the project stands; with ``password`` empty: it is in the
        catalog
    :ivar connect_timeout: seconds to wait for a connection
    :ivar timeout: seconds to wait for an answer, and between two parts of it
    :ivar ca_file: the certificates to trust; empty: those of the Python package certifi
    :ivar insecure: check no certificate at all
    """

    auth_type: str = NONE
    endpoint: str = ""
    auth_url: str = ""
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)
    user_domain_name: str = "Default"
    region_name: str = ""
    interface: str = "public"
    token: str = dataclasses.field(default="", repr=False)
    ca_file: str = ""
    insecure: bool = False
    connect_timeout: float = 5.0
    timeout: float = 30.0

    def check(self) -> None:
        """:raises ConfigError: naming the option that is missing."""
        needed = {
            PASSWORD: ("auth_url", "username", "password"),
            TOKEN: ("token", "endpoint"),
            NONE: ("endpoint",),
        }
        for name in needed[self.auth_type]:
            if not getattr(self, name):
                raise api.ConfigError(f"[heat_worker] auth_type = {self.auth_type} needs the option {name}")
        try:
            self.endpoint_of("project")
        except (TypeError, ValueError, KeyError) as error:
            raise api.ConfigError(f"[heat_worker] endpoint: only %(tenant_id)s may stand in it: {error!r}") from None

    def endpoint_of(self, tenant: str) -> str:
        """The endpoint for a project; empty where the catalog has it."""
        return self.endpoint % {"tenant_id": urllib.parse.quote(tenant, safe="")} if self.endpoint else ""


class _Session(keystone_session.Session):
    """A session that always has a timeout and never logs a request: its body holds the passwords of devices."""

    def __init__(self, timeouts: tuple[float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._timeouts = timeouts

    def request(self, url: str, method: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        # The thirty named arguments pass through as they are.
        kwargs["log"] = False
        kwargs.setdefault("timeout", self._timeouts)
        return super().request(url, method, **kwargs)


class Sessions:
    """One authenticated client per project, made when first asked for, kept and shared by all threads.

    All of them share one pool of connections.

    :raises ConfigError: if an option is missing
    """

    def __init__(self, connection: Connection) -> None:
        connection.check()
        self._connection = connection
        self._lock = threading.Lock()
        self._clients: dict[str, heat_client.Client] = {}
        self._http = requests.Session()
        # Neither proxies, nor certificates, nor a .netrc that happen to be in the environment.
        self._http.trust_env = False
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
        if connection.insecure:
            LOG.warning(
                "[heat_worker] insecure = true: nobody checks that it is Heat that gets the passwords of devices"
            )

    def of(self, tenant: str) -> heat_client.Client:
        """The client for a project."""
        with self._lock:
            client = self._clients.get(tenant)
            if client is None:
                client = self._clients[tenant] = self._build(tenant)
            return client

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _build(self, tenant: str) -> heat_client.Client:
        options = self._connection
        session = _Session(
            (options.connect_timeout, options.timeout),
            auth=self._auth(tenant),
            session=self._http,
            verify=False if options.insecure else (options.ca_file or True),
        )
        place = {name: value for name in ("region_name", "interface") if (value := getattr(options, name))}
        return heat_client.Client(endpoint=options.endpoint_of(tenant) or None, session=session, **place)

    def _auth(self, tenant: str) -> plugin.BaseAuthPlugin:
        options = self._connection
        endpoint = options.endpoint_of(tenant)
        if options.auth_type == NONE:
            return noauth.NoAuth(endpoint=endpoint)
        if options.auth_type == TOKEN:
            return token_endpoint.Token(endpoint, options.token)
        return identity.V3Password(
            options.auth_url,
            username=options.username,
            password=options.password,
            user_domain_name=options.user_domain_name,
            project_id=tenant,
        )
