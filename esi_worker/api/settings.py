"""What a plug-in learns of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from esi_worker.api import types


class Settings:
    """The configuration as one plug-in sees it.

    :param conf: the whole configuration
    :param name: the plug-in's entry point name, which is the name of its own group
    :param published: ``published(ref)`` gives the ``/monitoring`` document of another resource, or None
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        name: str,
        published: Callable[[types.Ref], Mapping[str, types.JSON] | None] | None = None,
    ) -> None:
        self._conf = conf
        self._published = published
        self.name = name

    @property
    def options(self) -> Any:
        """The plug-in's own group: each option an attribute."""
        return self._conf[self.name]

    def group(self, name: str) -> Any:
        """Another group, such as ``netconf``.

        :raises oslo_config.cfg.NoSuchGroupError: if nobody registered it
        """
        return self._conf[name]

    def published(self, ref: types.Ref) -> Mapping[str, types.JSON] | None:
        """The ``/monitoring`` document of another resource; None where it has none."""
        return None if self._published is None else self._published(ref)
