"""All that a plug-in author imports.

::

    from esi_worker import api

    class Greeter(api.Handler):
        def apply(self, job, context):
            return api.Done({"greeting": f"hello {context.params['name']}"})
        def remove(self, job, context):
            return api.Done()

and an entry point in the group ``esi_worker.handlers`` that names the class.
"""

from esi_worker.api.errors import CatalogError
from esi_worker.api.errors import ConfigError
from esi_worker.api.errors import Conflict
from esi_worker.api.errors import DocumentError
from esi_worker.api.errors import EsiWorkerError
from esi_worker.api.errors import JobError
from esi_worker.api.errors import PermanentError
from esi_worker.api.errors import PluginError
from esi_worker.api.errors import StoreError
from esi_worker.api.errors import TemporaryError
from esi_worker.api.errors import Unreachable
from esi_worker.api.errors import Unresolved
from esi_worker.api.handler import Context
from esi_worker.api.handler import Handler
from esi_worker.api.probe import Device
from esi_worker.api.probe import key
from esi_worker.api.probe import Monitor
from esi_worker.api.probe import Probe
from esi_worker.api.probe import Reading
from esi_worker.api.probe import Session
from esi_worker.api.probe import Target
from esi_worker.api.resolver import Lookup
from esi_worker.api.resolver import Resolver
from esi_worker.api.resource_type import ResourceType
from esi_worker.api.settings import Settings
from esi_worker.api.types import Again
from esi_worker.api.types import CREATE
from esi_worker.api.types import DELETE
from esi_worker.api.types import Done
from esi_worker.api.types import FAIL
from esi_worker.api.types import IGNORE
from esi_worker.api.types import Job
from esi_worker.api.types import JSON
from esi_worker.api.types import KEEP
from esi_worker.api.types import LIST
from esi_worker.api.types import LOGICAL_DELETE
from esi_worker.api.types import MODIFY
from esi_worker.api.types import OUTPUT_KEY
from esi_worker.api.types import Param
from esi_worker.api.types import Ref
from esi_worker.api.types import Resource
from esi_worker.api.types import SECRET
from esi_worker.api.types import Template
from esi_worker.api.types import VALUE

__all__ = [
    "CREATE",
    "DELETE",
    "FAIL",
    "IGNORE",
    "JSON",
    "KEEP",
    "LIST",
    "LOGICAL_DELETE",
    "MODIFY",
    "OUTPUT_KEY",
    "SECRET",
    "VALUE",
    "Again",
    "CatalogError",
    "ConfigError",
    "Conflict",
    "Context",
    "Device",
    "DocumentError",
    "Done",
    "EsiWorkerError",
    "Handler",
    "Job",
    "JobError",
    "Lookup",
    "Monitor",
    "Param",
    "PermanentError",
    "PluginError",
    "Probe",
    "Reading",
    "Ref",
    "Resolver",
    "Resource",
    "ResourceType",
    "Session",
    "Settings",
    "StoreError",
    "Target",
    "Template",
    "TemporaryError",
    "Unreachable",
    "Unresolved",
    "key",
]
