"""The documents of the pipeline that are not a plug-in author's: envelopes of /config, /esi-worker/config, /state."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import Final

from esi_worker import api
from esi_worker.store import codec

READ_COMPLETE: Final = "READ_COMPLETE"
UNDELETED: Final = "DELETE_FAILED"
_COMPLETED: Final = {
    api.CREATE: "CREATE_COMPLETED",
    api.MODIFY: "MODIFY_COMPLETED",
    api.DELETE: "DELETE_COMPLETED",
    api.LOGICAL_DELETE: "DELETE_COMPLETED",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Envelope:
    """A document under ``/config``.

    :ivar version: grows by one with each change
    :ivar marked: whether it asks for the resource to be taken down
    :ivar body: the resource; None where it can't be used, and then ``error`` says why
    """

    version: int
    marked: bool
    body: Mapping[str, Any] | None
    error: str = ""


def parse_config(data: bytes) -> Envelope:
    """Read a config document; a body that can't be used still leaves its version known.

    :raises DocumentError: if not even the version can be told
    """
    document = codec.decode(data)
    if not isinstance(document, dict):
        raise api.DocumentError(f"a config document is an object, not {_kind(document)}")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise api.DocumentError(f"its version is {version!r}, not a whole number from 1 on")
    marked = document.get("marked_for_deletion", False)
    if not isinstance(marked, bool):
        return Envelope(version, False, None, f"marked_for_deletion is {_kind(marked)}, not true or false")
    if "body" not in document:
        return Envelope(version, marked, None, "it has no body")
    return _with_body(version, marked, document["body"])


def _with_body(version: int, marked: bool, body: Any) -> Envelope:
    if isinstance(body, str):
        try:
            body = codec.decode(body)
        except api.DocumentError as error:
            return Envelope(version, marked, None, f"the body is {error}")
    if not isinstance(body, dict):
        return Envelope(version, marked, None, f"the body is {_kind(body)}, not an object")
    return Envelope(version, marked, body)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


@dataclasses.dataclass(frozen=True, slots=True)
class Recorded:
    """``/esi-worker/config/<P>``: the config document that was last turned into a workflow.

    :ivar version: 0 if none ever was
    :ivar deleted: whether that workflow takes the resource down
    :ivar refused: the version that could not be planned since; 0 if none
    """

    body: Mapping[str, Any]
    version: int
    deleted: bool
    refused: int = 0

    def to_document(self) -> dict[str, Any]:
        """:returns: the document as it is written."""
        document = {"body": self.body, "version": self.version, "deleted": self.deleted}
        return {**document, "refused": self.refused} if self.refused else document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Recorded:
        """:raises KeyError: if a member is missing."""
        return cls(document["body"], document["version"], document["deleted"], document.get("refused", 0))


NOTHING: Final = Recorded({}, 0, deleted=True)
"""What is recorded where nothing was ever planned."""


def worker_state(action: str, *, failed: bool = False) -> str:
    """``worker_state`` of a resource whose workflow ended with a job of this action."""
    state = _COMPLETED[action]
    return state.replace("COMPLETED", "FAILED") if failed else state


def state(worker_state: str, version: int, *, job_state: Mapping[str, Any] | None = None, error: str = "") -> bytes:
    """``/state/<P>``: what came of a resource.

    :param job_state: what the jobs gave; every member that is not a string is stored as JSON text
    :param error: for operators; no secret, no traceback
    """
    members = {
        name: value if isinstance(value, str) else codec.text(value) for name, value in (job_state or {}).items()
    }
    return codec.encode({"state": {**members, "worker_state": worker_state}, "version": version, "error": error})


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """What ``/state/<P>`` says.

    :ivar failed: whether it is a failure
    :ivar undeleted: whether it is a deletion that failed: what was to go is still there
    """

    version: int
    failed: bool
    undeleted: bool = False


def parse_state(data: bytes) -> Published | None:
    """:returns: None for a document that can't be read: then nothing was published."""
    try:
        document = codec.decode(data)
        name = str(document["state"].get("worker_state", ""))
        return Published(int(document["version"]), name.endswith("_FAILED"), name == UNDELETED)
    except (api.DocumentError, KeyError, TypeError, ValueError, AttributeError):
        return None


def trace(version: int, points: Mapping[str, int]) -> bytes:
    """``/esi-worker/trace/<P>``: when each point was reached.

    :param points: number of the point -> milliseconds since the epoch
    """
    return codec.encode({"version": version, "points": dict(points)})


def parse_trace(data: bytes | None, version: int) -> dict[str, int]:
    """The points of a version so far; empty for another version or where there is none."""
    if data is None:
        return {}
    try:
        document = codec.decode(data)
        return dict(document["points"]) if document["version"] == version else {}
    except (api.DocumentError, KeyError, TypeError, ValueError):
        return {}
