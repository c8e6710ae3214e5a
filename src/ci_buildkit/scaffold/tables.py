"""Tables of TOML and JSON files that are not ours: any value may be of any type."""

from __future__ import annotations

import json
import tomllib
from typing import Any

Table = dict[str, Any]


def toml(text: str) -> Table:
    """A TOML text as a table; an empty one where it is none, since that is not what we are asked for."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def parsed(text: str) -> Table:
    """A JSON text as a table; an empty one where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def table(of: Any, *keys: str) -> Table:
    """The table at a path of keys; an empty one where there is none."""
    for key in keys:
        of = of.get(key) if isinstance(of, dict) else None
    return of if isinstance(of, dict) else {}


def strings(of: Any, *keys: str) -> dict[str, str]:
    """The same with only those of its values that are text."""
    return {name: value for name, value in table(of, *keys).items() if isinstance(value, str)}
