"""Where each option's value comes from: defaults < file < environment < action inputs < flags.

This is one of the places that may read the process environment, which is an argument here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from pydantic import ValidationError

from ci_buildkit.config import lists, yamlfile
from ci_buildkit.config.credentials import HIDDEN, VALUE, masked
from ci_buildkit.config.options import CONFIG_FILE, Options, choices_of, is_list, option_string, variable_of
from ci_buildkit.errors import ConfigurationError

Source = Literal["default", "file", "environment", "input", "flag"]
PREFIX = "CI_BUILDKIT_"
INPUT_PREFIX = f"{PREFIX}INPUT_"
# Variables that are no options: those of the lab and of jobs under act, and those that the action's own steps pass on.
OTHERS = ("ACT", "LAB", "LAB_PORT", "LAB_REGISTRY", "NAME", "OWNER", "PUBLISH", "PYTHON", "RUN", "RUNNER_IMAGE")


class Origin(Struct, frozen=True):
    """Where a value comes from.

    `where` is the place as people look for it: `ci-buildkit.yml:3`, a variable, `input push`, a flag; "" for a default.
    """

    source: Source
    where: str = ""

    def __str__(self) -> str:
        """The place, `default` for a default."""
        return self.where or self.source


class Settings(Struct, frozen=True):
    """The options in force, for each where it comes from, and what is odd about the sources."""

    options: Options
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...] = ()


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Merge all sources. `flags` holds only what was written on the command line.

    Raises ConfigurationError, with one line for everything that is wrong: unknown keys with the nearest name, and values
    that do not fit, each with its place.
    """
    merged = _Merged()
    environment = {name: (text, variable_of(name)) for name in Options.model_fields if (text := _set(name, environ))}
    inputs = {
        name: (text, f"input {option_string(name)}")
        for name in Options.model_fields
        if (text := environ.get(INPUT_PREFIX + name.upper(), "").strip())
    }
    context = Path(flags.get("context") or (inputs.get("context") or environment.get("context") or (".",))[0])
    merged.take_file(context / CONFIG_FILE)
    merged.take_texts("environment", environment)
    merged.take_texts("input", inputs)
    merged.take_flags(flags)
    return Settings(merged.options(), merged.origins, tuple(unknown_variables(environ)))


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A warning for each variable that looks like one of an option and is none, with the nearest one."""
    known = {variable_of(name): variable_of(name) for name in Options.model_fields}
    known |= {INPUT_PREFIX + name.upper(): INPUT_PREFIX + name.upper() for name in Options.model_fields}
    # What one would expect where an option's variable has another name.
    near = {PREFIX + name.upper(): variable_of(name) for name in Options.model_fields} | known
    odd = sorted(
        name
        for name, value in environ.items()
        if name.startswith(PREFIX) and value and name not in known and name.removeprefix(PREFIX) not in OTHERS
    )
    return [f"the variable {name} sets no option{_meant(name, near)}" for name in odd]


def _meant(name: str, known: Mapping[str, str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {known[near[0]]}?" if near else ""


def _set(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(variable_of(name), "").strip()


class _Merged:
    """Values and their origins as sources are taken, the weakest first, and everything that is wrong."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, Origin] = dict.fromkeys(Options.model_fields, Origin("default"))
        self.problems: list[str] = []

    def take_file(self, path: Path) -> None:
        """The settings file's values."""
        found = yamlfile.read(path)
        self.problems += found.problems
        self.values |= found.values
        self.origins |= {name: Origin("file", f"{path}:{found.lines[name]}") for name in found.values}

    def take_texts(self, source: Source, found: Mapping[str, tuple[str, str]]) -> None:
        """Texts, each with its place. Each line of a list option is a value."""
        for name, (text, where) in found.items():
            self._take(name, lists.lines(text) if is_list(name) else text, Origin(source, where))

    def take_flags(self, flags: Mapping[str, Any]) -> None:
        """What was written on the command line."""
        for name, value in flags.items():
            one_text = is_list(name) and isinstance(value, str)
            where = "STAGE" if name == "stages" else f"--{option_string(name)}"
            self._take(name, [value] if one_text else value, Origin("flag", where))

    def _take(self, name: str, value: Any, origin: Origin) -> None:
        try:
            self.values[name] = lists.split(name, value) if is_list(name) else value
        except ValueError as wrong:
            self.problems.append(f"{origin} {wrong}")
        self.origins[name] = origin

    def options(self) -> Options:
        """The options, unless anything is wrong."""
        try:
            options = Options.model_validate(self.values)
        except ValidationError as error:
            self.problems += [_told(detail, self.origins) for detail in error.errors(include_url=False)]
        if self.problems:
            raise ConfigurationError("\n".join(self.problems))
        return options


def _told(detail: Any, origins: Mapping[str, Origin]) -> str:
    name = str(detail["loc"][0])
    origin = origins[name]
    value = f"{masked(str(detail['input']))[:200]!r}"
    if detail["type"] == "bool_parsing":
        reason = f"{value} is neither true nor false"
    elif detail["type"] == "literal_error":
        reason = f"{value} is none of {', '.join(choices_of(name))}"
    else:
        reason = VALUE.sub(HIDDEN, str(detail["msg"]).removeprefix("Value error, "))
    key = f": {option_string(name)}" if origin.source == "file" else ""
    return f"{origin}{key}: {reason}"
