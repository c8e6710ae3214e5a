"""Which files a `.dockerignore` leaves out of a build context. Pure.

The rules are those of github.com/moby/patternmatcher, which buildx and BuildKit use: patterns are relative to the
context, `**` matches any number of folders, a folder that matches takes all below it along, and the last pattern that
matches decides.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Iterable

from msgspec import Struct


class Ignore(Struct, frozen=True):
    """The patterns of one file in order, each with whether it leaves out; neighbours that agree are one expression."""

    rules: tuple[tuple[re.Pattern[str], bool], ...] = ()

    def __call__(self, path: str) -> bool:
        """Whether a path, relative to the context and with `/`, is left out."""
        for pattern, leaves_out in reversed(self.rules):
            if pattern.fullmatch(path):
                return leaves_out
        return False

    @property
    def has_exceptions(self) -> bool:
        """Whether something below a folder that is left out may be in."""
        return any(not leaves_out for _, leaves_out in self.rules)


def parse(text: str) -> Ignore:
    """The rules in the text of a `.dockerignore`."""
    rules: list[tuple[list[str], bool]] = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        leaves_out = not pattern.startswith("!")
        pattern = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
        if pattern in {"", "."}:
            continue
        if not rules or rules[-1][1] != leaves_out:
            rules.append(([], leaves_out))
        rules[-1][0].append(pattern)
    return Ignore(tuple((compiled(patterns), leaves_out) for patterns, leaves_out in rules))


def compiled(patterns: Iterable[str]) -> re.Pattern[str]:
    """What matches a path that any of the patterns matches, or that lies below such a one.

    A pattern with a class that is none matches nothing; BuildKit refuses it.
    """
    parts = []
    for pattern in patterns:
        with contextlib.suppress(re.error):
            parts.append(re.compile(f"{expression(pattern)}(?:/.*)?").pattern)
    return re.compile("|".join(parts) or r"(?!)", re.DOTALL)


def expression(pattern: str) -> str:
    """A pattern as a regular expression: `*` and `?` stay within a name, `**` does not, `[a-z]` is a class."""
    parts = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        if pattern.startswith("**", place):
            place += 2
            if pattern.startswith("/", place):
                place += 1
                parts.append("(?:.*/)?")
            else:
                parts.append(".*")
            continue
        closing = pattern.find("]", place + 2) if character == "[" else -1
        if closing > 0:
            parts.append(f"[{pattern[place + 1 : closing].replace('[', '')}]")
            place = closing
        elif character == "\\" and place + 1 < len(pattern):
            place += 1
            parts.append(re.escape(pattern[place]))
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character)))
        place += 1
    return "".join(parts)
