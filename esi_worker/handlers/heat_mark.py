"""What heat_worker writes on a stack, so that any process can tell later whose doing it is.

A handler keeps nothing about a job, and Heat hides the parameters that matter (``hidden: true``), so what has to
be known of a stack stands in one tag of it: ``esi-worker-<version>-<job>-<fingerprint>``.  Heat sets the tag with
the create or update that it belongs to.

The rule, for a stack that an apply finds:

==========================================  ===================================  ===========================
the stack                                   a create                             a modify
==========================================  ===================================  ===========================
absent                                      creates it                           creates it
in progress, whatever it is                 waits                                waits
create or update failed, this job's mark    fails                                fails
a delete of it failed                       deletes it once more                 deletes it once more
failed otherwise                            deletes it, then creates it          updates it
complete, same fingerprint                  is done                              is done if the version is the same
complete otherwise                          updates it                           updates it
==========================================  ===================================  ===========================

A delete leaves no mark.  So a delete that failed counts as one attempt of the job that finds it and is tried again;
the job fails once it has used up :data:`DELETE_ATTEMPTS`.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Final

from esi_worker import api
from esi_worker.clients import heat

DELETE_ATTEMPTS: Final = 2
"""Attempts after which a delete that failed in Heat fails the job."""

_TAG: Final = re.compile(r"esi-worker-(\d+)-([0-9a-f]{12})-([0-9a-f]{32})")
_ROUNDS: Final = 10_000


class Step(enum.Enum):
    """What an apply does next."""

    CREATE = "create"
    UPDATE = "update"
    RECOVER = "update what failed"
    DELETE = "delete"
    DELETE_AGAIN = "delete again"
    WAIT = "wait"
    DONE = "done"
    FAIL = "fail"

    @property
    def changes(self) -> bool:
        """Whether Heat is asked to change anything."""
        return self not in (Step.WAIT, Step.DONE, Step.FAIL)


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """Whose doing a stack is.

    :ivar version: the version of the resource
    :ivar job: stands for the job's id
    :ivar fingerprint: stands for the template and all parameters
    """

    version: int
    job: str
    fingerprint: str

    def __str__(self) -> str:
        return f"esi-worker-{self.version}-{self.job}-{self.fingerprint}"


def mark(job: api.Job, name: str, template: str, parameters: str) -> Mark:
    """The mark that a job puts on its stack.

    :param name: the stack's name
    :param template: its text
    :param parameters: as JSON with sorted keys
    """
    # The parameters hold the passwords of devices while all members of a project can read tags: a guess must cost more
    # than one hash.
    text = f"{len(template)}:{template}{parameters}".encode()
    fingerprint = hashlib.pbkdf2_hmac("sha256", text, name.encode(), _ROUNDS, dklen=16)
    return Mark(job.version, hashlib.sha256(job.id.encode()).hexdigest()[:12], fingerprint.hex())


def find_mark(tags: Iterable[str]) -> Mark | None:
    """The mark among the tags of a stack; None if it has none."""
    for tag in tags:
        found = _TAG.fullmatch(tag.strip())
        if found:
            return Mark(int(found[1]), found[2], found[3])
    return None


def next_step(stack: heat.Stack | None, own: Mark, *, modify: bool) -> Step:
    """What to do about a stack: the rule above, and nothing else.

    :param stack: as Heat shows it now; None if there is none
    :param own: the mark that the job puts on it
    :param modify: whether the job is a modify
    """
    if stack is None:
        return Step.CREATE
    theirs = find_mark(stack.tags)
    if stack.progress == heat.IN_PROGRESS:
        return Step.WAIT
    if stack.action == "DELETE":
        return Step.DELETE_AGAIN
    if stack.progress == heat.FAILED:
        if theirs is not None and theirs.job == own.job and stack.action in ("CREATE", "UPDATE", "ROLLBACK"):
            return Step.FAIL
        return Step.RECOVER if modify else Step.DELETE
    if theirs is None or theirs.fingerprint != own.fingerprint or stack.action == "SUSPEND":
        return Step.UPDATE
    return Step.UPDATE if modify and theirs.version != own.version else Step.DONE


def limit(timeout: int) -> float:
    """How long a job waits for Heat: whatever is in progress first, then its own, and some minutes of grace.

    :param timeout: minutes that Heat has for one of them
    :returns: seconds
    """
    return 60.0 * (2 * timeout + 5)


def fields(parameters: Mapping[str, api.JSON]) -> dict[str, api.JSON]:
    """The parameters of a stack among the params of a job: null means the template's own default."""
    return {
        name: value
        for name, value in parameters.items()
        if value is not None and name != "heat_timeout" and not name.startswith("jinja_")
    }
