"""Texts as JavaScript's `Number` reads them: what a priority, a group or a length may look like."""

from __future__ import annotations

import math
import re

from ci_buildkit.tags.records import BLANK

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BASED = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_INFINITE = re.compile(r"[+-]?Infinity")


def number(text: str) -> float:
    """The number that a text stands for: 0 for an empty one, NaN where it is none (ECMA-262, StringToNumber)."""
    text = text.strip(BLANK)
    if not text:
        return 0.0
    if _BASED.fullmatch(text):
        return float(int(text, 0))
    return float(text) if _DECIMAL.fullmatch(text) or _INFINITE.fullmatch(text) else math.nan
