"""The values of a list option, from what flags, variables, inputs and the file hold."""

from __future__ import annotations

from collections.abc import Iterable

from ci_buildkit.config import row
from ci_buildkit.config.options import flag_of
from ci_buildkit.errors import ConfigurationError


def lines(text: str) -> list[str]:
    """The lines of a text, each a value."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def split(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """The values without empty ones, divided at commas where the option allows it.

    A value that holds a comma itself stands in double quotes, as in buildx: `"env.NO_PROXY=a,b"`.

    Raises ValueError for one that is no line of comma-separated values; it does not tell the value.
    """
    if not flag_of(name).split:
        return tuple(value for value in values if value)
    try:
        parts = [part.strip() for value in values for part in row.fields(value, "")]
    except ConfigurationError:
        msg = "holds what is not one line of comma-separated values: put a value with a line end in double quotes"
        raise ValueError(msg) from None
    return tuple(part for part in parts if part)
