"""Templates: from files, and from ``/config/v2.0/heat_templates/<id>``.

On disk each resource type has a folder, and in it two files for each template: ``<id>.yaml`` with ``id``, ``handler``
and ``parameter_mappings``, and ``<id>.j2`` with the text.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from esi_worker import api
from esi_worker.mapping import grammar
from esi_worker.store import codec
from esi_worker.store import keys


def default_directories() -> list[pathlib.Path]:
    """Where templates are looked for if the configuration says nothing.

    :returns: the place where a wheel puts them, then the one beside the package in a checkout; only those that are
        there
    """
    found = [pathlib.Path(sys.prefix) / "share" / "esi-worker" / "templates"]
    checkout = pathlib.Path(__file__).resolve().parents[2]
    if (checkout / "setup.cfg").is_file():  # in site-packages, a folder of this name would be a stranger's
        found.append(checkout / "templates")
    return [each for each in found if each.is_dir()]


def read_directory(path: pathlib.Path | str) -> dict[str, api.Template]:
    """Read all templates below a directory.

    :returns: id -> template
    :raises ConfigError: naming the file that can't be used, or both files of one id
    """
    root = pathlib.Path(path)
    if not root.is_dir():
        raise api.ConfigError(f"{root} is no directory of templates")
    found: dict[str, api.Template] = {}
    places: dict[str, pathlib.Path] = {}
    for description in sorted(root.rglob("*.yaml")):
        template = _read_file(description)
        if template.id in found:
            raise api.ConfigError(
                f"two files have the template {template.id!r}: {places[template.id]} and {description}"
            )
        found[template.id] = template
        places[template.id] = description
    described = {place.with_suffix(".j2") for place in places.values()}
    for text in sorted(root.rglob("*.j2")):
        if text not in described:
            raise api.ConfigError(f"{text} has no {text.stem}.yaml beside it, which says what it is for")
    return found


def _read_file(description: pathlib.Path) -> api.Template:
    try:
        members = yaml.safe_load(description.read_text(encoding="utf-8"))
        text = description.with_suffix(".j2").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise api.ConfigError(f"the template {description} can't be read: {error}") from error
    if not isinstance(members, Mapping):
        raise api.ConfigError(f"the template {description} is {grammar.kind(members)}, not an object")
    unknown = sorted(str(each) for each in members.keys() - {"id", "handler", "parameter_mappings"})
    if unknown:
        raise api.ConfigError(f"the template {description} has the unknown member {unknown[0]!r}")
    try:
        template = _template(description.stem, {**members, "template_file": text})
        _check_mappings(template)
    except api.DocumentError as error:
        raise api.ConfigError(f"{description}: {error}") from error
    return template


def parse_document(template_id: str, body: api.JSON) -> api.Template:
    """Read the body of ``/config/v2.0/heat_templates/<id>``.

    A mapping in it that can't be read harms only the resources that use it, when they do.

    :param template_id: the id in the key
    :param body: an object, or its JSON text, as Gohan writes it; ``parameter_mappings`` may be JSON text too
    :raises DocumentError: naming the template and what is wrong with it
    """
    return _template(template_id, _unpacked(template_id, body, "the body"))


def to_document(template: api.Template) -> dict[str, api.JSON]:
    """:returns: the body that stands in ``/config/v2.0/heat_templates/<id>``."""
    return {
        "id": template.id,
        "handler": template.handler,
        "watch": [],
        "template_file": template.text,
        "parameter_mappings": dict(template.parameter_mappings),
    }


def _template(template_id: str, members: Mapping[str, Any]) -> api.Template:
    keys.check_id(template_id)
    own = members.get("id", template_id)
    if own != template_id:
        raise api.DocumentError(f"template {template_id}: it says that its id is {_short(own)}")
    handler, text = members.get("handler"), members.get("template_file")
    if not isinstance(handler, str) or not handler:
        raise api.DocumentError(f"template {template_id}: 'handler' is {grammar.kind(handler)}, not a name")
    if not isinstance(text, str):
        raise api.DocumentError(f"template {template_id}: 'template_file' is {grammar.kind(text)}, not a string")
    mappings = members.get("parameter_mappings")
    if mappings in (None, ""):
        mappings = {}
    return api.Template(template_id, handler, text, _unpacked(template_id, mappings, "'parameter_mappings'"))


def _unpacked(template_id: str, value: Any, what: str) -> dict[str, Any]:
    """An object that may have been packed as JSON text."""
    if isinstance(value, str):
        try:
            value = codec.decode(value)
        except api.DocumentError as error:
            raise api.DocumentError(f"template {template_id}: {what} is {error}") from error
    if not isinstance(value, Mapping):
        raise api.DocumentError(f"template {template_id}: {what} is {grammar.kind(value)}, not an object")
    return dict(value)


def _check_mappings(template: api.Template) -> None:
    for name, mapping in template.parameter_mappings.items():
        try:
            grammar.parse(mapping)
        except grammar.Invalid as error:
            raise api.DocumentError(f"parameter {name!r}: {error}") from None


def _short(value: Any) -> str:
    return repr(value[:128]) if isinstance(value, str) else grammar.kind(value)
