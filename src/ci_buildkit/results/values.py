"""Numbers as reports write them: missing, empty, localised, in other units, or nonsense."""

from __future__ import annotations

import math
import re
from functools import lru_cache

_THOUSANDS = re.compile(r"^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$")
_NUMBER = re.compile(r"^(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d{1,3})?\s*(ns|us|µs|ms|s)?$", re.IGNORECASE)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
MAX_SECONDS = 10_000_000
"""No test runs for 115 days: from here on a whole number is nanoseconds, as container-structure-test writes."""


@lru_cache(maxsize=4096)
def seconds(text: str | None) -> float:
    """A duration in seconds; 0 for anything that is none (empty, negative, NaN, infinite, a placeholder).

    Equal texts give the same object: reports hold a million of a few thousand different times.
    """
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        return _odd_seconds(text.strip())
    if not math.isfinite(value) or value <= 0:
        return 0.0
    if value >= MAX_SECONDS:
        value = value * 1e-9 if text.strip().isdigit() else 0.0
    return value if value < MAX_SECONDS else 0.0


def _odd_seconds(text: str) -> float:
    if _THOUSANDS.match(text):
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    found = _NUMBER.match(text)
    if not found:
        return 0.0
    value = float(found[1] + (found[2] or "")) * _UNITS[(found[3] or "s").lower()]
    return value if value < MAX_SECONDS else 0.0


@lru_cache(maxsize=4096)
def integer(text: str | None) -> int:
    """A count or a line number; 0 for anything that is none. Equal texts give the same object, as for `seconds`."""
    if not text:
        return 0
    text = text.strip().replace(",", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
