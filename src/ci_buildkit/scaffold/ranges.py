"""Which version of a language a project asks for, where it says so as a range. Pure.

Comparators of PEP 440, of Poetry and of npm are read alike: `>=3.11,<3.14`, `^3.11`, `~=3.11`, `>=18 <23 || 24`, `20.x`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Version = tuple[int, ...]

NUMBER = re.compile(r"v?(\d+(?:\.(?:\d+|[xX*]))*)")
HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")
_COMPARATOR = re.compile(r"(===?|~=|!=|<=|>=|<|>|\^|~|=)?\s*v?(\d[\w.*+-]*|[xX*])")


def choose(asked: str, candidates: Sequence[str]) -> str:
    """The first of the candidates, in their order, that a range allows; "" where it allows none or says nothing known."""
    if not asked.strip() or "/" in asked:  # lts/*, an address
        return ""
    return next((one for one in candidates if any(_allows(part, one) for part in asked.split("||"))), "")


def exact(text: str) -> str:
    """A version that is named without a range, as `3.12.4` in `v3.12.4`; "" where the text is anything else."""
    found = NUMBER.fullmatch(text.strip())
    return found[1] if found and not re.search(r"[xX*]", found[1]) else ""


def _allows(part: str, candidate: str) -> bool:
    """Whether all comparators of a range hold for a candidate, which stands for all its patch releases."""
    part = HYPHEN.sub(r">=\1 <=\2", part)
    found = _COMPARATOR.findall(part)
    return bool(found) and all(_holds(operator, text, _numbers(candidate)) for operator, text in found)


def _holds(operator: str, text: str, candidate: Version) -> bool:
    wanted = _numbers(text)
    width = min(len(candidate), len(wanted))
    here, there = candidate[:width], wanted[:width]
    rules = {
        ">=": here >= there,
        "<=": here <= there,
        # Of a version that is named to its patch release, an earlier and a later one may exist.
        ">": here > there or (here == there and len(wanted) > len(candidate)),
        "<": here < there or (here == there and any(wanted[width:])),
        "!=": here != there or "*" not in text,
        "^": here >= there and here[:1] == there[:1],
        "~=": here >= there and here[: len(wanted) - 1] == there[: len(wanted) - 1],
    }
    return rules.get(operator, here == there)  # `~20.1`, `==3.12.*`, `20.x`, `20`


def _numbers(text: str) -> Version:
    """The numbers that a version begins with; none for `*`."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
