"""The name that a misspelt word was meant to be. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LIKE = 0.75  # how alike two words must be (difflib's ratio)
SHORTEST = 3  # letters of a word whose slips are believed


def nearest(word: str, known: Iterable[str], like: float = LIKE) -> tuple[str, ...]:
    """The known names that a word may have been meant to be, in any case: none, one, or several that are equally near.

    Nearest are those that are one slip of the hand away; a word that is known has none.
    """
    lower = word.lower()
    names = {name.lower(): name for name in known}
    if lower in names:
        return ()
    slips = [name for name in names if len(lower) >= SHORTEST and one_slip_apart(lower, name)]
    if slips:
        return tuple(sorted(names[name] for name in slips))
    rated = [(difflib.SequenceMatcher(None, lower, name).ratio(), name) for name in names]
    best = max((ratio for ratio, _ in rated), default=0.0)
    return tuple(sorted(names[name] for ratio, name in rated if ratio == best)) if best >= like else ()


def one_slip_apart(one: str, other: str) -> bool:
    """Whether two words differ by one slip of the hand: a letter too many, too few, another one, or two swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[same:], other[same:]
    swapped = len(a) > 1 and a[:2] == b[:2][::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]


def slip_of(word: str, known: Iterable[str], shortest: int = 4) -> tuple[str, ...]:
    """The known names that are one slip apart from a word of at least `shortest` letters and begin with the same letter."""
    names = frozenset(known)
    if len(word) < shortest or word in names:
        return ()
    return tuple(sorted(name for name in names if name[:1] == word[:1] and one_slip_apart(word, name)))


def words(text: str) -> frozenset[str]:
    """The words of a text, for lists that are read better without quotes and commas."""
    return frozenset(text.split())


def question(names: Iterable[str]) -> str:
    """`; did you mean "base"?`, or nothing without a name."""
    quoted = " or ".join(f'"{name}"' for name in names)
    return f"; did you mean {quoted}?" if quoted else ""
