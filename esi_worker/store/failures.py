"""etcd's refusals and silences, and what each of them means.

=====================================  ==========================================================================
what came                              what follows
=====================================  ==========================================================================
connection refused, never sent         not applied; another endpoint
no leader, proposal dropped            not applied; another endpoint
503, etcd's own timeout, no answer     may have been applied; another endpoint, but a write is never sent twice
invalid auth token                     not applied; once more with a new token
429: too large, too many, no space     not applied; never again
permission, bad request, no lease      not applied; never again
=====================================  ==========================================================================
"""

from __future__ import annotations

import dataclasses
import json
from typing import Final

from etcd3gw import exceptions

from esi_worker import api

NO_ANSWER: Final = -1
UNKNOWN: Final = 2
NOT_FOUND: Final = 5
PERMISSION_DENIED: Final = 7
OUT_OF_RANGE: Final = 11
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16

_REFUSALS: Final = frozenset({3, NOT_FOUND, 6, PERMISSION_DENIED, 8, 9, OUT_OF_RANGE, 12, UNAUTHENTICATED})
"""gRPC's codes for what was looked at and not done."""

_STALE_TOKEN: Final = ("invalid auth token", "revision of auth store is old", "user name is empty")
_NOT_PROPOSED: Final = ("no leader", "proposal dropped")

_NEVER: Final = ("request is too large", "message larger than max", "too many operations", "duplicate key")
_PLAIN: Final = (
    ("database space exceeded", "etcd's database is full (alarm NOSPACE): it takes no write until it has been "
     "compacted, defragmented and disarmed"),
    ("request is too large", "the request is larger than etcd takes (--max-request-bytes)"),
    ("message larger than max", "the request is larger than etcd takes (--max-request-bytes)"),
    ("too many operations", "the transaction has more operations than etcd takes (--max-txn-ops)"),
    ("authentication failed", "etcd does not know this user and password"),
    ("user name is empty", "etcd asks for a user and password, and none is configured"),
    ("lease not found", "the lease is gone"),
    ("has been compacted", "the revision has been compacted meanwhile: list again"),
)  # fmt: skip


class Missing(api.StoreError):
    """What the request names, a lease, is not there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why a request brought no result.

    :ivar code: gRPC's; :data:`NO_ANSWER` if none came
    :ivar text: what etcd or the network said
    :ivar sent: whether the request left whole
    """

    code: int
    text: str
    sent: bool

    @property
    def refused(self) -> bool:
        """Whether it was certainly not applied."""
        return not self.sent or self.code in _REFUSALS or any(words in self.text for words in _NOT_PROPOSED)

    @property
    def elsewhere(self) -> bool:
        """Whether another endpoint may do better."""
        return self.code in (NO_ANSWER, UNAVAILABLE)

    @property
    def stale_token(self) -> bool:
        """Whether a new token may help."""
        return self.code == UNAUTHENTICATED or any(words in self.text for words in _STALE_TOKEN)


def read(error: exceptions.Etcd3Exception, *, sent: bool) -> Failure:
    """Make sense of what etcd3gw raised: it keeps the body of an answer, and has no reason phrase where none came."""
    detail = error.detail_text or ""
    if not error.args:
        return Failure(NO_ANSWER, detail or type(error).__name__, sent)
    fallback = UNAVAILABLE if isinstance(error, exceptions.ConnectionFailedError) else UNKNOWN
    code, text = parse(detail, fallback)
    return Failure(code, text or str(error), sent)


def parse(body: str, fallback: int) -> tuple[int, str]:
    """Read the body of a refusal.

    :param fallback: the code where the body, of a proxy perhaps, has none
    :returns: gRPC's code and the text
    """
    try:
        document = json.loads(body)
    except ValueError:
        return fallback, " ".join(body.split())[:200]
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        document = document["error"]  # a stream's
    if not isinstance(document, dict):
        return fallback, body[:200]
    code = document.get("grpc_code", document.get("code"))
    text = document.get("message") or document.get("error") or body[:200]
    return code if isinstance(code, int) else fallback, str(text)


def to_error(failure: Failure, subject: str, user: str, *, reads: bool) -> api.StoreError:
    """The error to raise.

    :param subject: what was asked, such as ``put /config/...``
    :param user: etcd's user; empty for none
    :param reads: whether nothing could have been applied
    """
    unknown = not reads and not failure.refused
    doubt = "; it may have been done all the same" if unknown else ""
    kind = Missing if failure.code == NOT_FOUND else api.StoreError
    permanent = any(words in failure.text for words in _NEVER)
    return kind(f"{subject}: {plain(failure, user)}{doubt}", unknown=unknown, permanent=permanent)


def plain(failure: Failure, user: str) -> str:
    """What an operator is told."""
    if failure.code == PERMISSION_DENIED:
        return f"etcd refuses it to {f'the user {user!r}' if user else 'a client without a user'}: permission denied"
    if failure.code == NO_ANSWER:
        return f"etcd gave no answer: {failure.text}"
    return next((text for words, text in _PLAIN if words in failure.text), failure.text)
