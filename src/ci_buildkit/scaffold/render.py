"""Fills templates. What a template names and nobody gives is an error, never an empty place."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def template(name: str, /, **values: object) -> str:
    """The text of `templates/NAME.j2`; it ends in one newline."""
    return _environment().get_template(f"{name}.j2").render(**values).strip("\n") + "\n"


def tidy(name: str, /, **values: object) -> str:
    """The same without two blank lines in a row, which parts that are left out leave behind."""
    return re.sub(r"\n{3,}", "\n\n", template(name, **values))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Nothing here becomes HTML. Values go into Dockerfiles and YAML through the filter `quoted`, or are checked before.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("ci_buildkit.scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = quoted
    return environment


def quoted(value: object) -> str:
    """A value as JSON, which Dockerfiles (exec form) and YAML (flow style) both read."""
    return json.dumps(value, ensure_ascii=False)
