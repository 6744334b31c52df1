"""What Heat, Keystone and the way to them do wrong, as the errors of :mod:`esi_worker.api`.

=============================================  ==================================================================
refused, reset, timed out, TLS, 5xx, HTML      :class:`~esi_worker.api.Unreachable`; whether a write was applied is
                                               unknown, so the caller looks before it does it again
401, from Heat or from Keystone                temporary: the service's credentials are at fault, not the resource;
                                               keystoneauth has asked for a new token once by then
403                                            permanent: the project does not let esi-worker do this
409                                            temporary: somebody is at work on the stack, look again
404                                            temporary, where the caller does not expect it
413, 429                                       temporary
any other 4xx                                  permanent, with Heat's reason
=============================================  ==================================================================

Heat's reasons may quote the parameters of a stack, and so the passwords of devices: every text is masked.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any
from typing import Final
from typing import NoReturn

from heatclient import exc as heat_exceptions
from keystoneauth1 import exceptions as keystone_exceptions

from esi_worker import api
from esi_worker import redaction

LONGEST_REASON: Final = 1000
"""Characters of a reason that are worth publishing."""

_BUSY_DELAY: Final = 1.0
_TEMPORARY: Final = frozenset({404, 408, 413, 423, 425, 429})


class UnexpectedAnswer(Exception):
    """Heat answered with something that is not what its API promises; never leaves :mod:`esi_worker.clients`."""


@contextlib.contextmanager
def translated(doing: str, secrets: Collection[str] = ()) -> Iterator[None]:
    """Turn whatever a call to Heat raises into a :class:`~esi_worker.api.JobError`.

    :param doing: what was tried, such as ``create the stack port_1``
    :param secrets: values that no message may show
    """
    try:
        yield
    except heat_exceptions.HTTPException as error:
        _raise_for_status(doing, _status(error), reason(error), secrets)
    except keystone_exceptions.HttpError as error:
        _raise_for_keystone(doing, error, secrets)
    except keystone_exceptions.ConnectTimeout as error:
        # keystoneauth says so of a read that timed out too: the request may have been applied.
        raise api.Unreachable(f"cannot {doing}: Heat did not answer in time", _clean(error, secrets)) from None
    except keystone_exceptions.SSLError as error:
        raise api.Unreachable(f"cannot {doing}: no TLS connection to Heat", _clean(error, secrets)) from None
    except (keystone_exceptions.ClientException, heat_exceptions.BaseException, OSError) as error:
        raise api.Unreachable(f"cannot {doing}: no connection to Heat", _clean(error, secrets)) from None
    except (UnexpectedAnswer, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # heatclient stumbles like this over HTML with status 200 and over JSON that is nested too deeply.
        message = f"cannot {doing}: the answer is not one of Heat's"
        raise api.Unreachable(message, _clean(error, secrets)) from None


def is_absent(error: heat_exceptions.HTTPNotFound) -> bool:
    """Whether Heat itself says that there is no such stack.

    A proxy's 404 page says nothing about stacks, and taking it for an answer would leave stacks behind.
    """
    return isinstance(_fault(error), dict)


def reason(error: heat_exceptions.HTTPException) -> str:
    """Heat's own words.  ``str(error)`` is no way to get them: it can itself raise."""
    fault = _fault(error)
    if not isinstance(fault, dict):
        return ""
    inner = fault.get("error")
    if isinstance(inner, str):
        return inner
    if isinstance(inner, dict) and isinstance(inner.get("message"), str):
        return str(inner["message"])
    explanation = fault.get("explanation", "")
    return explanation if isinstance(explanation, str) else ""


def _fault(error: heat_exceptions.HTTPException) -> Any:
    text = error.message
    try:
        return json.loads(text) if isinstance(text, (str, bytes)) else None
    except (ValueError, RecursionError):
        return None


def _status(error: heat_exceptions.HTTPException) -> int:
    return error.code if isinstance(error.code, int) else 0


def _raise_for_status(doing: str, status: int, text: str, secrets: Collection[str]) -> NoReturn:
    shown = _shorten(redaction.mask_text(text, secrets)) or f"HTTP status {status}"
    if status == 401:
        message = f"cannot {doing}: Heat refuses esi-worker's credentials, see the options of [heat_worker]"
        raise api.TemporaryError(message, shown) from None
    if status == 403:
        raise api.PermanentError(f"cannot {doing}: Heat forbids it to esi-worker's user: {shown}") from None
    if status == 409:
        raise api.TemporaryError(f"cannot {doing} yet: {shown}", delay=_BUSY_DELAY) from None
    if status in _TEMPORARY:
        raise api.TemporaryError(f"cannot {doing}: {shown}") from None
    if 400 <= status < 500:
        raise api.PermanentError(f"cannot {doing}: {shown}") from None
    raise api.Unreachable(f"cannot {doing}: Heat is in trouble (HTTP status {status})", shown) from None


def _raise_for_keystone(doing: str, error: keystone_exceptions.HttpError, secrets: Collection[str]) -> NoReturn:
    detail = _clean(error, secrets)
    if error.http_status in (401, 403):
        message = f"cannot {doing}: Keystone refuses esi-worker's credentials for this project"
        raise api.TemporaryError(message, detail) from None
    raise api.Unreachable(f"cannot {doing}: Keystone is in trouble (HTTP status {error.http_status})", detail) from None


def _clean(error: Exception, secrets: Collection[str]) -> str:
    return _shorten(redaction.mask_text(f"{type(error).__name__}: {error}", secrets))


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."
