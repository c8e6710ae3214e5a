"""Plain test cases of JUnit XML, by the thousand: those that passed and say nothing else, as nearly all do.

The generators of these reports write every case with the same attributes in the same order. Once the parser has read
one case, a regular expression for its form finds all that look the same, an order of magnitude faster than handlers
written in Python are called. It takes only what is beyond doubt: elements between two tokens of a suite, with nothing
in them that XML wants unescaped or normalised. All else is the parser's, so both ways read the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple, Protocol

from ci_buildkit.text import MAX_NAME
from ci_buildkit.xmlstream import CHUNK

COLUMNS = ("classname", "name", "time")
"""The attributes that are read."""
NOT_PLAIN = frozenset({"file", "status", "result"})
"""Attributes that may say more than that a case passed."""
_SPACE = "[ \\t\\r\\n]"
_VALUE = f'[^"<&\\t\\r\\n]{{0,{MAX_NAME}}}'
_ANY_VALUE = f'[^"]{{0,{MAX_NAME}}}'
_MOST_ATTRIBUTES = 16


class Suite(Protocol):
    """Where the cases go."""

    def plain(self) -> bool:
        """Whether a test case that follows now is one of an open suite, and has no place of its own."""

    def take(self, class_names: Sequence[str], names: Sequence[str], times: Sequence[str]) -> None:
        """Adds cases that passed."""


class _Form(NamedTuple):
    """What matches one case, its attributes' values as groups, and which group each of COLUMNS is (0: none).

    `quick` matches the same where no value holds what XML wants unescaped or normalised, in half the time.
    """

    pattern: re.Pattern[str]
    quick: re.Pattern[str]
    groups: tuple[int, ...]


class PlainCases:
    """The lane of plain cases. `last` is the attributes of the last case that the parser read."""

    def __init__(self, suite: Suite) -> None:
        """Nothing is known of the form of cases yet."""
        self.last: Mapping[str, str] = {}
        self._suite = suite
        self._lines = 0
        self._text = ""
        self._form: _Form | None = None
        self._taken: list[tuple[int, int]] = []

    def pieces(self, texts: Iterable[str], settled: Callable[[], bool]) -> Iterator[str]:
        """What the parser has to read (see `xmlstream.Lane`)."""
        rest = ""
        for text in texts:
            self._text = rest + text
            self._form = _form(tuple(self.last))
            if self._form is None:
                yield self._text
                rest = ""
                continue
            *parts, rest = _split(self._text, self._form)
            given = yield from self._chunk(self._form, parts, settled)
            self._lines += _line_ends(self._text[: len(self._text) - len(rest)]) - given
            self._taken.clear()
            begun = rest.rfind("<testcase")
            if begun < 0 or len(rest) - begun > CHUNK:
                begun = len(rest)
            yield rest[:begun]
            rest = rest[begun:]
        yield rest

    def _chunk(self, form: _Form, parts: list[str], settled: Callable[[], bool]) -> Generator[str, None, int]:
        """What the parser has to read of a chunk that was split; returns how many line ends were in it."""
        width = form.pattern.groups + 1
        between = parts[::width]
        columns = [parts[group::width] if group else None for group in form.groups]
        start = given = 0
        for end in [*compress(range(1, len(between)), between[1:]), len(between)]:
            if start < end:
                yield between[start]
                given += _line_ends(between[start])
            if start < end and self._suite.plain() and settled():
                count = end - start
                class_names, names, times = (column[start:end] if column else [""] * count for column in columns)
                self._suite.take(class_names, names, times)
                self._taken.append((start, end))
            elif start < end:
                text = self._between(start, end)
                yield text
                given += _line_ends(text)
            start = end
        return given

    def _between(self, start: int, end: int) -> str:
        """The text of these cases of the chunk."""
        spans = [found.span() for found in self._form.pattern.finditer(self._text)] if self._form else []
        return self._text[spans[start][0] : spans[end - 1][1]]

    def lines(self) -> int:
        """How many line ends were in the cases that were taken."""
        return self._lines + sum(_line_ends(self._between(start, end)) for start, end in self._taken)


def _line_ends(text: str) -> int:
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _split(text: str, form: _Form) -> list[str]:
    """`text` at the cases of this form: what is before one, its values, what is before the next, and so on."""
    if "&" not in text:
        parts = form.quick.split(text)
        values = "".join("".join(parts[group :: form.pattern.groups + 1]) for group in form.groups if group)
        if not any(mark in values for mark in "<\t\r\n"):
            return parts
    return form.pattern.split(text)


@lru_cache(maxsize=64)
def _form(names: tuple[str, ...]) -> _Form | None:
    """The form of cases with these attributes; None where they cannot be plain."""
    if not 0 < len(names) <= _MOST_ATTRIBUTES or not NOT_PLAIN.isdisjoint(names):
        return None
    known = [name for name in names if name in COLUMNS]
    groups = tuple(known.index(name) + 1 if name in known else 0 for name in COLUMNS)
    return _Form(_pattern(names, _VALUE), _pattern(names, _ANY_VALUE), groups)


def _pattern(names: tuple[str, ...], value: str) -> re.Pattern[str]:
    attributes = "".join(
        f'{_SPACE}+{re.escape(name)}="{f"({value})" if name in COLUMNS else _VALUE}"' for name in names
    )
    return re.compile(f"<testcase{attributes}{_SPACE}*(?:/>|>{_SPACE}*</testcase>){_SPACE}*")
