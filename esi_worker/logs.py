"""Logs without secrets.

A secret is recognized in three ways, since each alone misses something:

- by name in a logged value: ``LOG.info("job %s", job)`` with a param ``primary_device_password`` in it;
- by name in the text: ``password=...``, ``"password": "..."``, ``<password>...</password>``, wherever it comes from,
  tracebacks and other packages' messages too;
- by value: whoever handles secrets says so with :func:`hiding`, and no message of that thread shows one meanwhile.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import logging as stdlib_logging
import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final

from oslo_config import cfg
from oslo_log import log as logging

from esi_worker import api
from esi_worker import config
from esi_worker import redaction

# All repetitions are bounded: a line may be long, and it comes from anywhere.
_WORD: Final = r"[\w.-]{0,40}(?:password|passwd|passphrase|secret|token|private_key|credential|api_key)[\w.-]{0,40}"
_QUOTED: Final = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"

_PATTERNS: Final = (
    # "param": "device_password", ... "value": "secret" of a param's document, in any order of its members, and
    # param='device_password', ... value='secret' of its repr.
    (rf"((?:\"param\"|'param'|\bparam)\s*[:=]\s*['\"]{_WORD}['\"][^{{}}]{{0,2000}}?(?:\"value\"|'value'|\bvalue)\s*[:=]\s*)"
     rf"{_QUOTED}", rf'\1"{redaction.MASK}"'),
    (rf"((?:\"value\"|'value')\s*:\s*){_QUOTED}([^{{}}]{{0,2000}}(?:\"param\"|'param')\s*:\s*['\"]{_WORD}['\"])",
     rf'\1"{redaction.MASK}"\2'),
    # "password": "secret" and password='secret'
    (rf"((?:['\"]{_WORD}['\"]|\b{_WORD})\s*[:=]\s*){_QUOTED}", rf'\1"{redaction.MASK}"'),
    # password=secret, as in a URL, a form or a command line
    (rf"(\b{_WORD}=)[^\s&,;'\"(){{}}\[\]]+", rf"\1{redaction.MASK}"),
    # <password>secret</password>
    (rf"(<(?:\w+:)?{_WORD}(?:\s[^>]*)?>)[^<]+", rf"\1{redaction.MASK}"),
    # X-Auth-Token: secret, Authorization: Basic secret
    (r"((?:x-[\w-]*token|authorization)['\"]?\s*[:=]\s*['\"]?(?:\w+ )?)[\w.+/=-]{6,}", rf"\1{redaction.MASK}"),
)  # fmt: skip

_hidden: Final[contextvars.ContextVar[frozenset[str]]] = contextvars.ContextVar("hidden", default=frozenset())


@contextlib.contextmanager
def hiding(values: Iterable[str]) -> Iterator[None]:
    """Within it, no message that this thread logs shows one of these values.

    :param values: secrets, such as those of a job's params; see :func:`esi_worker.redaction.secret_values`
    """
    token = _hidden.set(_hidden.get() | frozenset(values))
    try:
        yield
    finally:
        _hidden.reset(token)


def redact(text: str, values: Iterable[str] = ()) -> str:
    """A text to show: secrets are masked by name, and these values wherever they stand."""
    text = redaction.mask_text(text, values)
    for pattern, replacement in _PATTERNS:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return text


class RedactingFormatter(stdlib_logging.Formatter):
    """Formats a record as another formatter does, and masks what must not be seen.

    It works on the finished line because a traceback, and what a formatter adds, are part of it.

    :param formatter: the one that makes the line
    :param values: secrets that are known from the start, such as etcd's password
    """

    def __init__(self, formatter: stdlib_logging.Formatter, values: Iterable[str] = ()) -> None:
        super().__init__()
        self._formatter = formatter
        self._values = frozenset(values)

    def format(self, record: stdlib_logging.LogRecord) -> str:
        """:returns: the line."""
        values = self._values | _hidden.get() | frozenset(_secrets_of(record))
        return redact(self._formatter.format(record), values)


def setup(conf: cfg.ConfigOpts) -> None:
    """Start logging as the configuration says.

    :raises ConfigError: if the log file can't be opened or ``log_config_append`` can't be read
    """
    try:
        logging.setup(conf, "esi-worker", config.version())
    except (OSError, logging.LogConfigError, RuntimeError) as error:
        raise api.ConfigError(f"logging can't be set up: {error}") from error
    values = tuple(value for value in (conf.etcd.password,) if value)
    for handler in _handlers():
        if not isinstance(handler.formatter, RedactingFormatter):
            formatter = handler.formatter or stdlib_logging.Formatter()
            handler.setFormatter(RedactingFormatter(formatter, values))


def _secrets_of(record: stdlib_logging.LogRecord) -> Iterator[str]:
    arguments = record.args if isinstance(record.args, tuple) else (record.args,)
    for argument in arguments:
        value = argument.to_document() if isinstance(argument, (api.Job, api.Param)) else argument
        yield from redaction.secret_values(value)


def _handlers() -> Iterator[stdlib_logging.Handler]:
    """All handlers: a file of ``log_config_append`` may give one to any logger."""
    known = stdlib_logging.root.manager.loggerDict.values()
    loggers = (each for each in known if isinstance(each, stdlib_logging.Logger))
    for logger in itertools.chain([stdlib_logging.root], loggers):
        yield from logger.handlers
