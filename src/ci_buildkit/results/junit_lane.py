"""Plain test cases of JUnit XML, by the thousand: those that passed and say no more than where they are.

The generators of these reports write every case with the same attributes in the same order. Once the parser has read
one such case, a regular expression for its form finds all that look the same, an order of magnitude faster than
handlers written in Python are called. It takes only what is beyond doubt: elements between two tokens of a suite, with
nothing in them that XML wants unescaped or normalised. All else is the parser's, so both ways read the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, pairwise
from typing import NamedTuple, Protocol

from ci_buildkit.text import MAX_NAME
from ci_buildkit.xmlstream import CHUNK

STATES = frozenset({"status", "result"})
"""Attributes that may say more than that a case passed."""
_STATE = re.compile(r"\w*")
_BLANK = "[ \\t]"
_SPACE = "[ \\t\\r\\n]"
_VALUE = f'[^"<&\\t\\r\\n]{{0,{MAX_NAME}}}+'
_ANY_VALUE = f'[^"]{{0,{MAX_NAME}}}+'
_MOST_ATTRIBUTES = 16


class Columns(NamedTuple):
    """The attributes of cases that passed, attribute by attribute; "" where a case has none."""

    class_names: Sequence[str]
    names: Sequence[str]
    times: Sequence[str]
    files: Sequence[str]
    lines: Sequence[str]


_COLUMNS = ("classname", "name", "time", "file", "line")
"""What the columns are called in the document."""


class Suite(Protocol):
    """Where the cases go."""

    def open(self) -> bool:
        """Whether a test case that follows now is one of an open suite."""

    def take(self, cases: Columns) -> None:
        """Adds cases that passed."""


class _Form(NamedTuple):
    """What matches one case: groups for the values that are read and for what is behind the attributes.

    `groups` says which group each column is (0: none). `quick` matches the same where no value holds what XML wants
    unescaped or normalised, in half the time.
    """

    pattern: re.Pattern[str]
    quick: re.Pattern[str]
    groups: tuple[int, ...]


class PlainCases:
    """The lane of plain cases. `last` is the attributes of the last case that passed and that the parser read."""

    def __init__(self, suite: Suite) -> None:
        """Nothing is known of the form of cases yet."""
        self.last: Mapping[str, str] = {}
        self._suite = suite
        self._lines = 0

    def lines(self) -> int:
        """How many line ends were in the cases that were taken."""
        return self._lines

    def pieces(self, texts: Iterable[str], settled: Callable[[], bool]) -> Iterator[str]:
        """What the parser has to read (see `xmlstream.Lane`)."""
        rest = ""
        for new in texts:
            text = rest + new
            form = _form(tuple((name, value if name in STATES else "") for name, value in self.last.items()))
            if form is None:
                yield text
                rest = ""
                continue
            *parts, rest = _split(text, form)
            yield from self._chunk(text, form, parts, settled)
            begun = rest.rfind("<testcase")
            if begun < 0 or len(rest) - begun > CHUNK:
                begun = len(rest)
            yield rest[:begun]
            rest = rest[begun:]
        yield rest

    def _chunk(self, text: str, form: _Form, parts: list[str], settled: Callable[[], bool]) -> Iterator[str]:
        """What the parser has to read of a text that was split at its cases, without the rest behind the last."""
        width = form.pattern.groups + 1
        before = parts[::width]
        columns = [parts[group::width] if group else [""] * len(before) for group in form.groups]
        ends = parts[width - 1 :: width]
        spans: list[tuple[int, int]] = []
        firsts = compress(range(len(before)), [True, *before[1:]])
        for start, end in pairwise([*firsts, len(before)]):
            yield before[start]
            if self._suite.open() and settled():
                self._suite.take(Columns(*(column[start:end] for column in columns)))
                self._lines += _line_ends("".join(ends[start:end]))
            else:
                spans = spans or [found.span() for found in form.pattern.finditer(text)]
                yield text[spans[start][0] : spans[end - 1][1]]


def _line_ends(text: str) -> int:
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _split(text: str, form: _Form) -> list[str]:
    """`text` at the cases of this form: what is before one, its groups, what is before the next, and so on."""
    if "&" not in text:
        parts = form.quick.split(text)
        values = ["".join(parts[group :: form.pattern.groups + 1]) for group in form.groups if group]
        if not any(mark in column for column in values for mark in "<\t\r\n"):
            return parts
    return form.pattern.split(text)


@lru_cache(maxsize=64)
def _form(attributes: tuple[tuple[str, str], ...]) -> _Form | None:
    """The form of cases with these attributes, whose STATES have these values; None where it is not known."""
    if not 0 < len(attributes) <= _MOST_ATTRIBUTES or not all(_STATE.fullmatch(value) for _, value in attributes):
        return None
    known = [name for name, _ in attributes if name in _COLUMNS]
    groups = tuple(known.index(name) + 1 if name in known else 0 for name in _COLUMNS)
    return _Form(_pattern(attributes, _VALUE), _pattern(attributes, _ANY_VALUE), groups)


def _pattern(attributes: tuple[tuple[str, str], ...], read: str) -> re.Pattern[str]:
    """A case with these attributes, of which those that are read have a value like `read`."""
    values = (
        (name, value if name in STATES else f"({read})" if name in _COLUMNS else _VALUE) for name, value in attributes
    )
    written = "".join(f'{_BLANK}++{re.escape(name)}="{value}"' for name, value in values)
    return re.compile(f"<testcase{written}{_BLANK}*+((?:/>|>{_SPACE}*+</testcase>){_SPACE}*+)")
