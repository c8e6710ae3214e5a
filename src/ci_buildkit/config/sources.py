"""Where each option's value comes from: defaults < file < environment < action inputs < flags.

This is one of the three places that may read the process environment.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ci_buildkit.config import row
from ci_buildkit.config.options import CONFIG_FILE, Options, flag_of, is_list, option_string, variable_of
from ci_buildkit.errors import ConfigurationError

Source = Literal["default", "file", "environment", "input", "flag"]
INPUT_PREFIX = "CI_BUILDKIT_INPUT_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The options in force, and for each the source it came from."""

    options: Options
    origins: Mapping[str, Source]


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Merge all sources. `flags` holds only what was written on the command line.

    Raises ConfigurationError for unknown keys (with the nearest name) and values that do not fit.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Source] = dict.fromkeys(Options.model_fields, "default")

    def take(source: Source, found: Mapping[str, Any]) -> None:
        values.update(found)
        origins.update(dict.fromkeys(found, source))

    environment = _variables(environ, {name: variable_of(name) for name in Options.model_fields})
    inputs = _variables(environ, {name: INPUT_PREFIX + name.upper() for name in Options.model_fields})
    context = Path(flags.get("context") or inputs.get("context") or environment.get("context") or ".")
    take("file", _file(context / CONFIG_FILE))
    take("environment", environment)
    take("input", inputs)
    take("flag", {name: split(name, value) for name, value in flags.items()})
    try:
        return Settings(Options.model_validate(values), origins)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, origins)) from error


def split(name: str, value: Any) -> Any:
    """A list option's values, divided at commas where the option allows it; other values as they are.

    A value that holds a comma itself stands in double quotes, as in buildx: `"env.NO_PROXY=a,b"`.
    """
    if not is_list(name):
        return value
    items = [value] if isinstance(value, str) else list(value)
    if flag_of(name).split:
        what = f"--{option_string(name)}"
        items = [part.strip() for item in items for part in row.fields(str(item), what)]
    return tuple(item for item in items if item)


def _variables(environ: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, variable in names.items():
        text = environ.get(variable, "").strip()
        if text:
            found[name] = split(name, text.splitlines()) if is_list(name) else text
    return found


def _file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import yaml  # only where there is a file: 20 ms

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must hold `option: value` lines at its top level")
    known = {option_string(name): name for name in Options.model_fields}
    values: dict[str, Any] = {}
    for key, value in content.items():
        name = known.get(str(key).replace("_", "-"))
        if name is None:
            near = difflib.get_close_matches(str(key), known, n=1)
            raise ConfigurationError(
                f"{path}: unknown option {str(key)!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"known options: {', '.join(sorted(known))}",
            )
        values[name] = split(name, _plain(value))
    return values


def _plain(value: Any) -> Any:
    """A YAML value as a flag would bring it: mappings as `K=V`, list items as text."""
    if isinstance(value, dict):
        return [f"{k}={v}" for k, v in value.items()]
    return [str(item) for item in value] if isinstance(value, list) else value


def _explain(error: ValidationError, origins: Mapping[str, Source]) -> str:
    lines = []
    for detail in error.errors():
        name = str(detail["loc"][0])
        reason = str(detail["msg"]).removeprefix("Value error, ")
        lines.append(f"--{option_string(name)} ({origins.get(name, 'default')}): {reason}")
    return "\n".join(lines)
