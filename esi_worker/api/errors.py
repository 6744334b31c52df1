"""The errors of esi-worker: one tree with one root.

::

    EsiWorkerError
      ConfigError                 the configuration can't be used
        PluginError               a plug-in was refused; names package, entry point and reason
        CatalogError              a resource type's description can't be used
      StoreError                  etcd did not do what was asked
        Conflict                  the writer may no longer decide this
      DocumentError               a document in etcd is not what it should be
      JobError                    a job did not come to its end
        TemporaryError            tried again after a delay
          Unresolved              another resource must supply a value first
          Unreachable             the other side did not answer
        PermanentError            not tried again

A :class:`JobError` has two texts: ``message`` is published in ``/state`` for operators and must hold neither a
secret nor a traceback; ``detail`` goes to the log only.
"""

from __future__ import annotations


class EsiWorkerError(Exception):
    """The root: whatever esi-worker raises on purpose is one of these."""


class ConfigError(EsiWorkerError):
    """The configuration can't be used."""


class PluginError(ConfigError):
    """A plug-in was refused."""


class CatalogError(ConfigError):
    """The description of a resource type can't be used."""


class StoreError(EsiWorkerError):
    """etcd did not do what was asked.

    :ivar unknown: true where the request may have been applied all the same (no answer came back): look before
        doing it again
    :ivar permanent: true where the same request will never be taken (too large, too many operations, refused by
        etcd's roles)
    """

    def __init__(self, message: str, *, unknown: bool = False, permanent: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.permanent = permanent


class Conflict(StoreError):
    """A transaction was refused: its writer may no longer decide this."""


class DocumentError(EsiWorkerError):
    """A document in etcd is not what it should be; the text names what is wrong with it."""


class JobError(EsiWorkerError):
    """A job did not come to its end.

    :param message: for operators, published in ``/state``: no secret, no traceback
    :param detail: for the log only
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class TemporaryError(JobError):
    """Worth another attempt.

    :param delay: seconds until the next attempt; None lets the worker choose a delay that grows
    """

    def __init__(self, message: str, detail: str = "", *, delay: float | None = None) -> None:
        super().__init__(message, detail)
        self.delay = delay


class Unresolved(TemporaryError):
    """Another resource must supply a value first."""


class Unreachable(TemporaryError):
    """The other side did not answer."""


class PermanentError(JobError):
    """Another attempt would end the same way."""
