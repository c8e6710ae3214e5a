"""Workflow files as YAML nodes: read, changed and written again with every scalar as it stands.

GitHub and act read YAML 1.2, where `on` and `yes` are words and 010 is no octal number; PyYAML by itself reads YAML 1.1.
"""

from __future__ import annotations

import io
import re
from typing import Any

import yaml

from ci_buildkit.errors import ConfigurationError

_MAP, _SEQ, _STR = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:str"
# The core schema (YAML 1.2.2, 10.3.2) as far as matrices need it; anything else that is plain is text.
_PLAIN = {
    "tag:yaml.org,2002:bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "tag:yaml.org,2002:int": (re.compile(r"[-+]?(0|[1-9][0-9]*)"), "-+0123456789"),
    "tag:yaml.org,2002:float": (re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?"), "-+.0123456789"),
    "tag:yaml.org,2002:null": (re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
    "tag:yaml.org,2002:merge": (re.compile(r"<<"), "<"),
}
_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _tag, (_pattern, _firsts) in _PLAIN.items():
    for _first in _firsts:
        _RESOLVERS.setdefault(_first, []).append((_tag, re.compile(f"(?:{_pattern.pattern})$")))


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _RESOLVERS


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = _RESOLVERS


class _Quoter(_Dumper):
    """Never opened: only its representers are asked."""


_Quoter.add_representer(str, lambda _, value: text(value))


def read(document: str, what: str) -> tuple[yaml.MappingNode, dict[str, Any]]:
    """A document's node and its content, `what` being its name in messages.

    Raises:
        ConfigurationError: it is no YAML mapping.
    """
    try:
        loader = _Loader(document)
        node = loader.get_single_node()
        content = loader.construct_document(node) if isinstance(node, yaml.MappingNode) else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{what} cannot be read: {error}") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(content, dict):
        raise ConfigurationError(f"{what} is no YAML mapping")
    return node, content


def write(node: yaml.Node) -> str:
    """The document as text. Comments are gone; aliases and the style of scalars stay."""
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=1 << 30))


def get(node: yaml.Node, *keys: str) -> yaml.Node | None:
    """The node below mapping keys; None where there is none."""
    found: yaml.Node | None = node
    for key in keys:
        if not isinstance(found, yaml.MappingNode):
            return None
        found = next((value for name, value in found.value if name.value == key), None)
    return found


def put(node: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    """Give a key of a mapping another value; a new one comes first."""
    for place, (name, _) in enumerate(node.value):
        if name.value == key:
            node.value[place] = (name, value)
            return
    node.value.insert(0, (text(key), value))


def text(value: str) -> yaml.ScalarNode:
    """A quoted string."""
    return yaml.ScalarNode(_STR, value, style='"')


def node_of(value: object) -> yaml.Node:
    """Plain data as nodes, every string in quotes: other readers of YAML may take `010` for a number."""
    made: yaml.Node = _Quoter(io.StringIO()).represent_data(value)
    return made
