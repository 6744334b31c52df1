"""The door to jinja2: a template and variables give a document.

The variables are strangers' data and the templates strangers' code.  So strings can't become structure
(:mod:`~esi_worker.clients.rendering.document`), templates run in jinja2's sandbox
(:mod:`~esi_worker.clients.rendering.environment`) and pay for what they do
(:mod:`~esi_worker.clients.rendering.meter`), nothing is rendered twice, and no error shows a value.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import CodeType
from typing import Final

import jinja2

from esi_worker import api
from esi_worker import patterns
from esi_worker.clients.rendering import document
from esi_worker.clients.rendering import environment
from esi_worker.clients.rendering import meter

MAX_TEXT: Final = 1_000_000
"""Characters of a template."""


def render_document(
    template: api.Template,
    variables: Mapping[str, api.JSON],
    *,
    time_limit: float = 5.0,
    size_limit: int = 1_000_000,
) -> api.JSON:
    """Render a template and read the result as YAML.

    :param template: the template
    :param variables: what it may use; anything else in it is an error
    :param time_limit: seconds
    :param size_limit: characters of the rendered text
    :returns: a JSON value; None where the template renders to nothing
    :raises PermanentError: naming the template, its line, and what is wrong; never showing a variable's value
    """
    code = _checked(template)
    sandbox = environment.Environment(meter.Meter(time_limit, size_limit))
    compiled = jinja2.Template.from_code(sandbox, code, sandbox.make_globals(None))
    try:
        pieces = []
        for piece in compiled.generate(dict(variables)):
            sandbox.counter.printed(len(piece))
            pieces.append(piece)
        return document.read("".join(pieces), sandbox.strings, sandbox.counter)
    except Exception as error:  # noqa: BLE001  (whatever a stranger's template raises is its own fault)
        raise _refused(template, error, _line(error, compiled)) from None


def check(template: api.Template) -> None:
    """Whether a template can be parsed; nothing is rendered.

    :raises PermanentError: naming the template, its line, and what is wrong
    """
    _checked(template)


def _checked(template: api.Template) -> CodeType:
    if len(template.text) > MAX_TEXT:
        raise api.PermanentError(f"template {template.id}: it has more than {MAX_TEXT} characters")
    try:
        return _compile(template.text)
    except Exception as error:  # noqa: BLE001  (a text can fail the compiler in many ways)
        raise _refused(template, error, getattr(error, "lineno", None)) from None


@functools.lru_cache(maxsize=256)
def _compile(text: str) -> CodeType:
    return environment.Environment(meter.Meter(60.0, MAX_TEXT)).compile_text(text)


def _line(error: BaseException, compiled: jinja2.Template) -> int | None:
    """The line of the template that an error comes from."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is compiled:
            line = compiled.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _refused(template: api.Template, error: Exception, line: int | None) -> api.PermanentError:
    place = f"line {line}: " if line else ""
    return api.PermanentError(f"template {template.id}: {place}{_reason(template, error)}")


def _reason(template: api.Template, error: Exception) -> str:
    """What went wrong, without any value.

    Names are shown where they stand in the template; other errors' texts may quote a variable, so their kind has to
    do.
    """
    if isinstance(error, (meter.TooMuch, document.NotADocument)):
        return str(error)
    if isinstance(error, patterns.Refused):
        return _masked(template.text, str(error))
    if isinstance(error, jinja2.TemplateError):
        return _masked(template.text, error.message or type(error).__name__)
    if isinstance(error, TypeError) and "no loader" in str(error):
        return "a template can't include, import or extend another one"
    if isinstance(error, TypeError):
        return _masked(template.text, str(error))
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OverflowError) and "MAX_RANGE" in str(error):
        return "a range is too long"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return f"it can't be rendered ({type(error).__name__})"


def _masked(text: str, message: str) -> str:
    if "\\" in message:
        return "it can't be rendered"
    return re.sub(
        r"'([^']*)'|\"([^\"]*)\"",
        lambda found: found[0] if (found[1] or found[2] or "") in text or _is_type(found[0]) else "(a value)",
        message,
    )


def _is_type(quoted: str) -> bool:
    return bool(re.fullmatch(r".(?:dict|list|tuple|str|int|float|bool|NoneType)(?: object)?.", quoted))
