"""Durations as people write them: `1h30m`, `2d`, `45s`."""

from __future__ import annotations

import re

SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WHOLE = re.compile(r"(?:\d+[dhms])+")
_PART = re.compile(r"(\d+)([dhms])")


class DurationError(ValueError):
    """A text is no duration."""


def parse(text: str) -> int:
    """Return the seconds of a duration; raises DurationError where it is none.

    Units come from large to small and each once: `30m1h` is a mistake more often than not.
    """
    compact = text.replace(" ", "").lower()
    if not _WHOLE.fullmatch(compact):
        raise DurationError(f"{text!r} is no duration: write it like 1h30m")
    parts = _PART.findall(compact)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key=list(SECONDS).index):
        raise DurationError(f"{text!r}: write units from large to small, each once")
    return sum(int(number) * SECONDS[unit] for number, unit in parts)


def write(seconds: int) -> str:
    """Return the shortest duration of so many seconds, with the largest units first."""
    if seconds < 0:
        raise DurationError(f"{seconds} seconds are less than nothing")
    parts = []
    for unit, size in SECONDS.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
