"""One line of comma-separated values, in which docker's options, and those here, are written."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from ci_buildkit.errors import ConfigurationError


def fields(text: str, what: str) -> list[str]:
    """The values; none of an empty text. One that holds a comma or a line end stands in double quotes.

    Raises ConfigurationError, which names `what` and not the text: it may hold a password.
    """
    try:
        return next(csv.reader([text.strip()], skipinitialspace=True), [])
    except csv.Error as error:
        raise ConfigurationError(
            f"{what}: it is not one line of comma-separated values",
            hint="write one value for each option; what holds a line end stands in double quotes",
        ) from error


def written(values: Iterable[str]) -> str:
    """Values as one line that `fields` and docker read again."""
    return ",".join(map(_quoted, values))


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(character in value for character in ',"\n') else value
