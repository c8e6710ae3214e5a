"""The settings file: YAML whose values are read as they are written, and told with their lines. Pure but for the reading.

YAML guesses a type for what stands without quotes: 1.20 becomes 1.2 and `on` becomes true. So nodes are read instead of
values, and an option gets the text. Of YAML's types only those that the core schema of YAML 1.2 knows tell a mistake:
null, true and false, and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from ci_buildkit.config import lists
from ci_buildkit.config.credentials import masked
from ci_buildkit.config.options import Options, choices_of, flag_of, is_list, is_switch, option_string
from ci_buildkit.errors import ConfigurationError, said

if TYPE_CHECKING:
    import yaml

Kind = Literal["null", "boolean", "number", "text"]
# Inputs of the action that people may look for in the file.
ACTION_INPUTS = ("artifact-name", "github-token", "publish", "retention-days", "upload-artifacts")
NULL = re.compile(r"|~|null|Null|NULL")
BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_TAG = "tag:yaml.org,2002:"
_NUMBERS = {_TAG + "int", _TAG + "float"}
# `=` and `<<` have tags of their own in YAML 1.1.
_SCALARS = {*_NUMBERS, *(_TAG + word for word in ("bool", "merge", "null", "str", "timestamp", "value"))}


class SettingsFile(Struct):
    """What a file says: each option's text, or texts, and line (from 1); and all that is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(path: Path) -> SettingsFile:
    """What the file says; nothing where there is none.

    Raises ConfigurationError where it is no YAML, or no mapping.
    """
    if not (path.exists() or path.is_symlink()):  # a link to nowhere must not pass for no settings
        return SettingsFile()
    import yaml  # only where there is a file: 20 ms

    try:
        return _settings(path, _root(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {said(error)}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text") from error
    except RecursionError:
        raise ConfigurationError(f"{path} cannot be read: it is nested too deeply, or holds itself") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        hint = "YAML is indented with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
        raise ConfigurationError(f"{where}: cannot be read: {error.problem}", hint=hint) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _root(text: str) -> yaml.Node | None:
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _settings(path: Path, root: yaml.Node | None) -> SettingsFile:
    import yaml

    found = SettingsFile()
    if root is None or (isinstance(root, yaml.ScalarNode) and root.style is None and NULL.fullmatch(root.value)):
        return found
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{path} must hold `option: value` lines at its top level")
    for key, node in _entries(root):
        line = key.start_mark.line + 1
        try:
            name = _name(key)
            if name in found.lines:
                raise ValueError(f"{option_string(name)} is there twice, in line {found.lines[name]} too")
            found.lines[name] = line
            found.values[name] = _value(name, node)
        except ValueError as wrong:
            found.problems.append(f"{path}:{line}: {wrong}")
    return found


def _entries(node: yaml.MappingNode) -> Iterator[tuple[Any, Any]]:
    """Keys and values: first those of merged mappings (`<<: *other`) that the mapping has not itself, then its own."""
    import yaml

    own = [entry for entry in node.value if entry[0].tag != _TAG + "merge"]
    names = {str(key.value) for key, _ in own}
    yaml.SafeLoader("").flatten_mapping(node)
    merged = {str(key.value): (key, value) for key, value in node.value[: -len(own) or None]}
    yield from (entry for name, entry in merged.items() if name not in names)
    yield from own


def _name(key: yaml.Node) -> str:
    text = key.value if isinstance(key.value, str) else "?"
    known = {option_string(name): name for name in Options.model_fields}
    wanted = text.replace("_", "-")
    if wanted in known:
        return known[wanted]
    if wanted in ACTION_INPUTS:
        raise ValueError(f"{text!r} is an input of the action, not an option: write it below `with:` in the workflow")
    import difflib

    near = difflib.get_close_matches(wanted.lower(), known, n=1)
    raise ValueError(f"unknown option {masked(text)!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _value(name: str, node: yaml.Node) -> Any:
    """The value of an option; what is wrong with it begins with the option's name."""
    try:
        return _read(name, node)
    except ValueError as wrong:
        raise ValueError(f"{option_string(name)} {wrong}") from None


def _read(name: str, node: yaml.Node) -> Any:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return _one(name, node)
    if not is_list(name):
        raise ValueError(f"is a {'list' if isinstance(node, yaml.SequenceNode) else 'mapping'}, and takes one value")
    if isinstance(node, yaml.SequenceNode):
        return lists.split(name, [_item(name, item) for item in node.value])
    if not flag_of(name).mapping or not isinstance(node, yaml.MappingNode):
        raise ValueError("is a mapping, and takes a list")
    return _pairs(node)


def _one(name: str, node: yaml.ScalarNode) -> Any:
    text, kind = node.value, _kind(node)
    if kind == "null":
        raise ValueError("has no value: write one, or remove the line")
    if is_list(name):
        return lists.split(name, lists.lines(_item(name, node)))
    if is_switch(name):
        if kind == "number":
            raise ValueError(f"is {text}, and true or false is wanted")
    elif not choices_of(name):
        if kind == "boolean" and not flag_of(name).switch:
            raise ValueError(f"is {text}, and a value is wanted: put it in quotes if it is one")
        if not text:
            raise ValueError("is empty: write a value, or remove the line")
    return text


def _item(name: str, node: yaml.Node) -> str:
    """One value of a list."""
    import yaml

    if not isinstance(node, yaml.ScalarNode):
        form = flag_of(name).metavar or "text"
        raise ValueError(
            f"holds a {'list' if isinstance(node, yaml.SequenceNode) else 'mapping'}: write {form} as text"
        )
    kind = _kind(node)
    if kind in {"null", "boolean"}:
        what = "an empty value" if kind == "null" else f"{node.value}, and text is wanted"
        raise ValueError(f"holds {what}: remove it, or put it in quotes")
    return str(node.value)


def _pairs(node: yaml.MappingNode) -> tuple[str, ...]:
    """A mapping as `K=V`. Of a name that is there twice one value would be lost."""
    import yaml

    found: dict[str, str] = {}
    for key, value in _entries(node):
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise ValueError("is a mapping whose names and values must be text")
        _kind(key)
        if _kind(value) == "null":
            raise ValueError(f'holds {key.value!r} without a value: write one, "" for an empty one')
        if key.value in found:
            raise ValueError(f"holds {key.value!r} twice")
        found[key.value] = f"{key.value}={value.value}"
    return tuple(found.values())


def _kind(node: yaml.ScalarNode) -> Kind:
    if node.tag not in _SCALARS:
        raise ValueError(f"has a tag that means nothing here: {node.tag!r}")
    if "\0" in node.value:  # which no path and no argument of a program can hold
        raise ValueError("holds a NUL character")
    if node.style is not None or node.tag == _TAG + "str":
        return "text"
    if NULL.fullmatch(node.value):
        return "null"
    if BOOLEAN.fullmatch(node.value):
        return "boolean"
    return "number" if node.tag in _NUMBERS else "text"
