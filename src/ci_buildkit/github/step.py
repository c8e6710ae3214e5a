"""What scripts of actions' steps share: how they end, inputs of a workflow, and variables that come as one secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, get_args

from ci_buildkit import jsontext
from ci_buildkit.config.options import Options, option_string
from ci_buildkit.config.sources import INPUT_PREFIX
from ci_buildkit.errors import CiBuildkitError, ConfigurationError
from ci_buildkit.fields import mapping, string
from ci_buildkit.github.runner import command
from ci_buildkit.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TITLE = "ci-buildkit"
NO_NUMBER = -1
# Variables of GitHub's and of ours, which no secret is to change.
RESERVED = ("GITHUB_", "RUNNER_", "ACTIONS_", "CI_BUILDKIT_")
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|<<)(.*)")


def ended(main: Callable[[Mapping[str, str]], int], environ: Mapping[str, str]) -> int:
    """What the step ends with: an error that a user can meet becomes an annotation and its exit code."""
    try:
        return main(environ)
    except CiBuildkitError as error:
        print(command("error", plain(str(error)), {"title": TITLE}), flush=True)
        return error.exit_code


def inputs(text: str) -> dict[str, str]:
    """A workflow's inputs, as `toJSON(inputs)` writes them, as the variables that inputs of the action are.

    Inputs of a workflow have types, of which only texts can be empty. So one that has its default is not set: then the
    settings file decides. A number without a default is -1. Raises ConfigurationError.
    """
    try:
        given = mapping(jsontext.loads(text))
    except jsontext.Broken as error:
        raise ConfigurationError(f"the input options is no JSON: {error}", hint="pass ${{ toJSON(inputs) }}") from error
    found = {name: _written(given.get(option_string(name)), name) for name in Options.model_fields}
    return {INPUT_PREFIX + name.upper(): value for name, value in found.items() if value.strip()}


def unset(name: str) -> str | int | bool:
    """The value of a workflow's input that stands for "not set"; its type is the input's."""
    field = Options.model_fields[name]
    if isinstance(field.default, bool | int):
        return field.default
    return NO_NUMBER if int in get_args(field.annotation) else ""


def _written(value: object, name: str) -> str:
    if isinstance(value, bool | int | float):
        return "" if value == unset(name) else json.dumps(value)
    return string(value)


def variables(text: str, taken: Mapping[str, str]) -> dict[str, str]:
    """The variables of a text that has `NAME=value` lines, or `NAME<<END`, lines and `END` as GITHUB_ENV has them.

    Raises:
        ConfigurationError: a line is neither, or a name is in `taken` or reserved. No value is part of the message.
    """
    found: dict[str, str] = {}
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise ConfigurationError(
                f"line {number} of the secret secret-env is no variable",
                hint="write NAME=value; a value of several lines as NAME<<END, the lines, and END",
            )
        name, how, rest = match.groups()
        if name in taken or name in found or name.startswith(RESERVED):
            raise ConfigurationError(
                f"the secret secret-env sets {name}, which is set already", hint="give the variable another name"
            )
        found[name] = rest if how == "=" else _lines(lines, rest, name)
    return found


def _lines(lines: Iterator[tuple[int, str]], end: str, name: str) -> str:
    value: list[str] = []
    for _, line in lines:
        if line == end:
            return "\n".join(value)
        value.append(line)
    raise ConfigurationError(
        f"the value of {name} in the secret secret-env has no end", hint="end it with its own word"
    )
