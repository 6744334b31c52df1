"""As much of Heat's template language (HOT) as the stand-in for Heat needs: pure, no I/O.

Functions: get_param, get_resource, get_attr, str_replace, list_join.  Resource types need not be known: an
attribute of a resource is the property of that name, else the resource's name.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

import yaml

_PSEUDO: Final = ("OS::stack_id", "OS::stack_name", "OS::project_id")


class HotError(Exception):
    """The template or the parameters are refused; the text is Heat's."""


def parse(template: Any) -> dict[str, Any]:
    """Read a template.

    :param template: its text (YAML or JSON), or the object itself
    :raises HotError: if it is no template
    """
    if isinstance(template, str):
        try:
            template = json.loads(template) if template.lstrip().startswith("{") else yaml.safe_load(template)
        except (ValueError, yaml.YAMLError) as error:
            raise HotError(f"Error parsing template: {error}") from None
    if not isinstance(template, dict):
        raise HotError("The template is not a JSON object or YAML mapping.")
    if not {"heat_template_version", "HeatTemplateFormatVersion"} & template.keys():
        raise HotError("Template format version not found.")
    for section in ("parameters", "resources", "outputs"):
        if not isinstance(template.get(section), (dict, type(None))):
            raise HotError(f'"{section}" is not a map')
    for name, resource in (template.get("resources") or {}).items():
        if not isinstance(resource, dict) or not isinstance(resource.get("type"), str):
            raise HotError(f"Invalid template: the resource {name} has no type")
    return template


def parameters(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a template, with defaults for those that are not given.

    :raises HotError: if one is missing or unknown, or is no number where there must be one
    """
    declared = template.get("parameters") or {}
    for name in given:
        if name not in declared:
            raise HotError(f"The Parameter ({name}) was not defined in template.")
    values = {}
    for name, schema in declared.items():
        if name not in given and "default" not in schema:
            raise HotError(f"The Parameter ({name}) was not provided.")
        values[name] = given.get(name, schema.get("default"))
        if schema.get("type") == "number":
            _check_number(name, values[name])
    return values


def _check_number(name: str, value: Any) -> None:
    try:
        float(value)
    except (TypeError, ValueError):
        raise HotError(f"Parameter '{name}' is invalid: could not convert string to float: {value!r}") from None


def hidden(template: Mapping[str, Any], name: str) -> bool:
    """Whether a parameter is shown as asterisks only."""
    schema = (template.get("parameters") or {}).get(name) or {}
    return str(schema.get("hidden", False)).lower() == "true"


class Resolver:
    """The functions of one stack's template.

    :param template: as :func:`parse` gave it
    :param values: as :func:`parameters` gave them
    :param stack_id: makes the ids of its resources
    """

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, Any], stack_id: str = "") -> None:
        self._resources: Mapping[str, Any] = template.get("resources") or {}
        self._outputs: Mapping[str, Any] = template.get("outputs") or {}
        self._values = values
        self._stack_id = stack_id
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "get_param": self._get_param,
            "get_resource": self._get_resource,
            "get_attr": self._get_attr,
            "str_replace": self._str_replace,
            "list_join": self._list_join,
        }

    def resolve(self, value: Any) -> Any:
        """A value with all functions in it carried out.

        :raises HotError: if one can't be
        """
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in self._functions:
                    return self._functions[name](argument)
            return {name: self.resolve(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(member) for member in value]
        return value

    def properties(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """:returns: resource name -> its type and its properties."""
        return {
            name: (resource["type"], self.resolve(resource.get("properties") or {}))
            for name, resource in self._resources.items()
        }

    def outputs(self) -> list[dict[str, Any]]:
        """The stack's outputs as Heat's API shows them."""
        shown = []
        for name, output in self._outputs.items():
            entry = {"output_key": name, "description": output.get("description", "No description given")}
            try:
                entry["output_value"] = self.resolve(output.get("value"))
            except HotError as error:
                entry.update(output_value=None, output_error=str(error))
            shown.append(entry)
        return shown

    def _get_param(self, argument: Any) -> Any:
        name, *path = argument if isinstance(argument, list) else [argument]
        if name in _PSEUDO:
            return self._stack_id
        if name not in self._values:
            raise HotError(f"The Parameter ({name}) was not provided.")
        return self._follow(self._values[name], path)

    def _get_resource(self, argument: Any) -> str:
        if argument not in self._resources:
            raise HotError(f'The specified reference "{argument}" (in unknown) is incorrect.')
        given = self.resolve((self._resources[argument].get("properties") or {}).get("uuid"))
        return str(given or uuid.uuid5(uuid.NAMESPACE_URL, f"{self._stack_id}/{argument}"))

    def _get_attr(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) < 2:
            raise HotError('Arguments to "get_attr" must be of the form [resource_name, attribute, (path), ...]')
        name, attribute, *path = (self.resolve(each) for each in argument)
        if name not in self._resources:
            raise HotError(f'The specified reference "{name}" (in unknown) is incorrect.')
        properties = self._resources[name].get("properties") or {}
        if attribute not in properties:
            return self._get_resource(name) if attribute in ("id", "uuid") else name
        return self._follow(self.resolve(properties[attribute]), path)

    def _follow(self, value: Any, path: list[Any]) -> Any:
        for step in map(self.resolve, path):
            try:
                value = value[int(step) if isinstance(value, list) else step]
            except (KeyError, IndexError, TypeError, ValueError):
                return ""
        return value

    def _str_replace(self, argument: Any) -> str:
        try:
            text, replaced = self.resolve(argument["template"]), self.resolve(argument["params"])
            for name in sorted(replaced, key=len, reverse=True):
                text = text.replace(name, _text(replaced[name]))
        except (KeyError, TypeError, AttributeError):
            raise HotError('"str_replace" syntax should be: str_replace: {template: ..., params: {...}}') from None
        return str(text)

    def _list_join(self, argument: Any) -> str:
        try:
            delimiter, *lists = self.resolve(argument)
            return str(delimiter).join(_text(member) for each in lists for member in each)
        except (TypeError, ValueError):
            raise HotError('"list_join" syntax should be: list_join: [delimiter, [member, ...]]') from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, (dict, list)) else str(value)
