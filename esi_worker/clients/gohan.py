"""The door to Gohan's API: its list of schemas, and nothing else.  By urllib: one request needs no more."""

from __future__ import annotations

import contextlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Final

from esi_worker import api

SCHEMAS: Final = "/gohan/v0.1/schemas"
MAX_BYTES: Final = 64_000_000

_CHUNK: Final = 65_536


def schemas(url: str, token: str = "", *, timeout: float = 30.0) -> str:
    """Ask a Gohan for its schemas.

    Proxies of the environment are not used, and a redirection is not followed: the token is for this Gohan only.

    :param url: of the API, such as ``https://gohan.example.com:9091``; with or without the path of the schemas
    :param token: of Keystone; empty: none
    :param timeout: seconds for the whole of it
    :returns: the answer's text
    :raises ConfigError: if the URL can't be used, or Gohan does not want to answer
    :raises Unreachable: if there is no answer, or not in time
    """
    address = urllib.parse.urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname or address.username is not None:
        raise api.ConfigError(f"a Gohan's URL has the form http://HOST:PORT or https://HOST:PORT, not {_shown(url)}")
    place = url.rstrip("/").removesuffix(SCHEMAS) + SCHEMAS
    request = urllib.request.Request(place, headers={"Accept": "application/json"})  # noqa: S310  (checked above)
    if token:
        request.add_unredirected_header("X-Auth-Token", token)
    deadline = time.monotonic() + timeout
    with _named(place):
        try:
            with _opener().open(request, timeout=timeout) as response:
                return _read(response, deadline).decode("utf-8")
        except urllib.error.HTTPError as error:
            error.close()
            raise _refused(place, error.code) from None


def _opener() -> urllib.request.OpenerDirector:
    """Speaks HTTP and HTTPS; without the handlers of files, FTP, proxies and redirections."""
    opener = urllib.request.OpenerDirector()
    for each in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(each)
    return opener


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """All of the answer; a timeout of the socket alone would not end one that drips."""
    found = bytearray()
    while chunk := response.read1(_CHUNK):
        found += chunk
        if len(found) > MAX_BYTES:
            raise api.ConfigError(f"the answer has more than {MAX_BYTES} bytes: these are no schemas")
        if time.monotonic() > deadline:
            raise TimeoutError("it was still being sent")
    if response.length:
        raise http.client.IncompleteRead(bytes(found), response.length)
    return bytes(found)


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    """Say of every failure which address it is of."""
    try:
        yield
    except TimeoutError as error:
        raise api.Unreachable(f"{place} did not answer in time", str(error)) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise api.Unreachable(f"{place} did not answer in time") from None
        raise api.Unreachable(f"{place} can't be reached: {error.reason}") from None
    except http.client.InvalidURL:
        raise api.ConfigError(f"{_shown(place)} is no URL that can be asked") from None
    except (OSError, http.client.HTTPException) as error:
        raise api.Unreachable(f"{place} broke off: {type(error).__name__}: {error}") from None
    except UnicodeDecodeError:
        raise api.ConfigError(f"{place} does not answer with text") from None


def _refused(place: str, status: int) -> api.EsiWorkerError:
    if status >= 500:
        return api.Unreachable(f"{place} answers {status}")
    reasons = {
        401: "it wants a token: set OS_TOKEN",
        403: "the token may not read schemas",
        404: "there is no Gohan's API",
    }
    reason = reasons.get(status) or ("redirections are not followed" if 300 <= status < 400 else "it does not answer")
    return api.ConfigError(f"{place} answers {status}: {reason}")


def _shown(url: str) -> str:
    """An address without what may be a password in it."""
    return repr(url.rpartition("@")[2][:200])
