"""Values as lint reports write them, in the form that a `Finding` has."""

from __future__ import annotations

from typing import NamedTuple

from ci_buildkit.fields import positive
from ci_buildkit.text import MAX_DETAILS, clean, excerpt, name


class Span(NamedTuple):
    """Where a finding is, as `Finding` has it."""

    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


WHOLE_FILE = Span()


def number(text: str | None) -> int | None:
    """The number that `text` is; None for anything else, and for more than nine digits."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def span(line: object, column: object = None, end_line: object = None, end_column: object = None) -> Span:
    """The place that four numbers tell, whatever they are: 1-based, the end column exclusive.

    Without a line it is the whole file. `end_line` is only there where it is another line, `end_column` only where
    something lies before it: an end before the first character of a line is the end of the line before.
    """
    first, column = positive(line), positive(column)
    if first is None:
        return WHOLE_FILE
    last, end = positive(end_line) or first, positive(end_column)
    if last < first:
        return Span(first, column)
    if last > first and end == 1:
        last, end = last - 1, None
    if end is not None and column is None:
        column = 1
    if last == first:
        return Span(first, column, None, end if end is not None and column is not None and end > column else None)
    return Span(first, column, last, end)


def message(text: str) -> str:
    """A message cleaned, without the white space around it; of a very long one the start and the end."""
    text = clean(text).strip()
    return text if len(text) <= MAX_DETAILS else excerpt(text)


def web(url: object) -> str | None:
    """An address on the web; None for anything else, `javascript:` included."""
    return name(url) if isinstance(url, str) and url.startswith(("https://", "http://")) else None
