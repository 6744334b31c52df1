"""Every key in etcd is spelled here, and refused here.

``<P>`` is the path of a resource under a prefix: ``v2.0/<plural>/<id>``.

=========================================  ===============================================================
``/config/<P>``                            (1) what the resource should be; Gohan's
``/jobs/all/<job id>``                     (2) what is to be done
``/esi-worker/heat_stacks/<P>``            (3) the record of heat_worker; in general ``/esi-worker/<kind>/<P>``
``/esi-worker/job_state/<P>``              (4), (5) what the jobs of the workflow gave so far
``/state/<P>``                             (6) what came of it; read by Gohan
``/monitoring/<P>``                        (7) what the devices say
``/jobs/claims/<job id>``                  who runs the job; hangs on the worker's lease
``/jobs/failed/<job id>``                  the job failed; the job manager cancels its dependants, then removes both
``/jobs/retry/<P>``                        an operator asks for another try; the job manager takes it away
``/job_manager_id``                        the leader; hangs on its lease
``/esi-worker/config/<P>``                 the config document that was last turned into a workflow
``/esi-worker/trace/<P>``                  when each point was written
``/esi-worker/places/<type>/<id>``         ``<P>`` of a resource, where the catalog alone can't tell it
``/esi-worker/collectors/<id>``            a live collector; hangs on its lease
=========================================  ===============================================================
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from esi_worker.api import errors
from esi_worker.api import types

ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")

CONFIG: Final = "/config/"
STATE: Final = "/state/"
MONITORING: Final = "/monitoring/"
OWN: Final = "/esi-worker/"
RECORDED: Final = "/esi-worker/config/"
JOB_STATE: Final = "/esi-worker/job_state/"
TRACE: Final = "/esi-worker/trace/"
TARGETS: Final = "/esi-worker/targets/"
PLACES: Final = "/esi-worker/places/"
COLLECTORS: Final = "/esi-worker/collectors/"
JOBS: Final = "/jobs/"
ALL_JOBS: Final = "/jobs/all/"
CLAIMS: Final = "/jobs/claims/"
FAILED: Final = "/jobs/failed/"
RETRY: Final = "/jobs/retry/"
LEADER: Final = "/job_manager_id"
HEAT_TEMPLATES: Final = "/config/v2.0/heat_templates/"

RESERVED_KINDS: Final = frozenset({"config", "job_state", "trace", "places", "collectors"})
"""Kinds of records that no handler may take for its own."""


def check_id(resource_id: str) -> str:
    """:returns: the id; :raises DocumentError: if it must not become part of a key."""
    if not ID_PATTERN.fullmatch(resource_id):
        raise errors.DocumentError(f"the id {resource_id!r} is refused: an id is 1 to 128 of A-Z a-z 0-9 _ . -")
    return resource_id


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Path:
    """``<P>``: where a resource stands under every prefix.

    :ivar prefix: such as ``v2.0`` or ``common/v1.0``
    :ivar plural: such as ``ports``
    :ivar id: the resource's id
    """

    prefix: str
    plural: str
    id: str

    def __post_init__(self) -> None:
        check_id(self.id)

    def __str__(self) -> str:
        return f"{self.prefix}/{self.plural}/{self.id}"

    @property
    def config(self) -> str:
        """The key of point (1)."""
        return f"{CONFIG}{self}"

    @property
    def job_state(self) -> str:
        """The key of points (4) and (5)."""
        return f"{JOB_STATE}{self}"

    @property
    def state(self) -> str:
        """The key of point (6)."""
        return f"{STATE}{self}"

    @property
    def monitoring(self) -> str:
        """The key of point (7)."""
        return f"{MONITORING}{self}"

    @property
    def recorded(self) -> str:
        """The key of the config document that was last turned into a workflow."""
        return f"{RECORDED}{self}"

    @property
    def trace(self) -> str:
        """The key that tells when each point was written."""
        return f"{TRACE}{self}"

    @property
    def retry(self) -> str:
        """The key by which an operator asks for another try."""
        return f"{RETRY}{self}"

    def record(self, kind: str) -> str:
        """The key of a handler's own record."""
        return f"{OWN}{kind}/{self}"


def parse_path(text: str) -> Path:
    """Read ``<P>``.

    :param text: such as ``v2.0/ports/1234``
    :raises DocumentError: if it has too few parts or an id that is refused
    """
    parts = text.rsplit("/", 2)
    if len(parts) != 3 or not all(parts):
        raise errors.DocumentError(f"{text!r} is no path of a resource: it has the form <prefix>/<plural>/<id>")
    return Path(*parts)


def job(job_id: str) -> str:
    """The key of a job."""
    return f"{ALL_JOBS}{job_id}"


def claim(job_id: str) -> str:
    """The key of the claim of a job."""
    return f"{CLAIMS}{job_id}"


def failed(job_id: str) -> str:
    """The key that says that a job failed."""
    return f"{FAILED}{job_id}"


def place(ref: types.Ref) -> str:
    """The key that says where a resource stands."""
    return f"{PLACES}{ref.resource_type}/{check_id(ref.resource_id)}"


def collector(collector_id: str) -> str:
    """The key of a live collector."""
    return f"{COLLECTORS}{collector_id}"


def heat_template(template_id: str) -> str:
    """The key of a template that Gohan stored."""
    return f"{HEAT_TEMPLATES}{check_id(template_id)}"
