"""Fields of JSON documents that may hold anything: of the wanted type, or nothing."""

from __future__ import annotations

from typing import Any

from ci_buildkit.text import name


def mapping(value: object) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """`value` where it is a string, else ""."""
    return value if isinstance(value, str) else ""


def label(value: object) -> str:
    """A string cleaned and on one line; "" for anything else."""
    return name(string(value)).strip()


def positive(value: object) -> int | None:
    """A 1-based line or column; None for anything else, 0 included."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None
