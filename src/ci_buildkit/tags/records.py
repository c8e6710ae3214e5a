"""The lines of an input and the fields of a line: comma-separated records as csv-parse reads them.

The rules are those of csv-parse 7 (lib/api/index.js) with the options that docker/metadata-action sets: empty lines are
left out, records may differ in length, and in whole inputs a quote inside a field is a plain character.
"""

from __future__ import annotations

from collections.abc import Iterable

from ci_buildkit.errors import ConfigurationError

BLANK = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What JavaScript's `trim` takes away: not the same as Python's `strip`."""


def lines(inputs: Iterable[str], *, fields_follow: bool = True) -> list[str]:
    """The lines of inputs that each hold one or several.

    A line that begins with `#` is a comment, and a line in quotes may go over several rows. `fields_follow` says that
    `fields` will read the lines: then the quotes of single fields are left to it.
    """
    found = []
    for text in inputs:
        for record, written in _Reader(text.strip(BLANK), whole=True).records():
            line = written if fields_follow and len(record) > 1 else ",".join(record)
            found.append(line.strip(BLANK))
    return [line for line in found if line]


def fields(line: str) -> list[str]:
    """The fields of one line, without white space around; [] for an empty one.

    Raises:
        ConfigurationError: a quote stands in the middle of a field, or is not closed.
    """
    records = _Reader(line, whole=False).records()
    return [field.strip(BLANK) for field in records[0][0]] if records else []


def halves(field: str) -> tuple[str, str] | None:
    """`KEY=VALUE` as the key in lower case and what stands between the first and the second `=`; None without one."""
    parts = [part.strip(BLANK) for part in field.split("=")]
    return (parts[0].lower(), parts[1]) if len(parts) > 1 else None


class _Reader:
    """Reads the records of one text. `whole` is an input of several lines: with comments, and lenient with quotes."""

    def __init__(self, text: str, *, whole: bool) -> None:
        self._text = text
        self._whole = whole
        self._newline = ""
        self._records: list[tuple[list[str], str]] = []
        self._record: list[str] = []
        self._begin = 0
        self._field = ""
        self._was_quoted = False

    def records(self) -> list[tuple[list[str], str]]:
        """The fields of each record, and how it was written."""
        position = 0
        while position < len(self._text):
            position = self._step(position)
        self._end_record(position)
        return self._records

    def _step(self, position: int) -> int:
        """Take one character, or one part in quotes; gives the position after it."""
        character = self._text[position]
        if character == '"' and (not self._field or not self._whole):
            if self._field:
                raise _bad(self._text, f"a quote stands in the middle of the field {self._field!r}")
            return self._quotes(position + 1)
        if newline := self._newline_at(position):
            self._end_record(position)
            self._begin = position + len(newline)
            return self._begin
        if self._whole and character == "#" and not (self._record or self._field):
            return self._line_end(position)
        if character == ",":
            self._end_field()
        else:
            self._field += character
        return position + 1

    def _quotes(self, position: int) -> int:
        """Take what stands in quotes, from after the first one; gives the position after the closing one."""
        while (end := self._text.find('"', position)) >= 0:
            self._field += self._text[position:end]
            after = self._text[end + 1 : end + 2]
            if after == '"':
                self._field += '"'
                position = end + 2
            elif after in {"", ","} or (self._whole and after == "#") or self._newline_at(end + 1):
                self._was_quoted = True
                return end + 1
            elif not self._whole:
                raise _bad(self._text, f"{after!r} follows a closing quote")
            else:
                self._field = f'"{self._field}"'
                self._was_quoted = True
                return end + 1
        raise _bad(self._text, "a quote is not closed")

    def _newline_at(self, position: int) -> str:
        """The line break that stands here; the first one of a text decides which kind counts."""
        for newline in (self._newline,) if self._newline else ("\r\n", "\n", "\r"):
            if self._text.startswith(newline, position):
                self._newline = newline
                return newline
        return ""

    def _line_end(self, position: int) -> int:
        while position < len(self._text) and not self._newline_at(position):
            position += 1
        return position

    def _end_field(self) -> None:
        self._record.append(self._field)
        self._field = ""
        self._was_quoted = False

    def _end_record(self, position: int) -> None:
        """Keep the record that ends here; an empty line is none."""
        if self._was_quoted or self._record or self._field:
            self._end_field()
            self._records.append((self._record, self._text[self._begin : position]))
            self._record = []


def _bad(text: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot read {text!r}: {reason}", hint='a field that holds a comma or a quote is written "a,b" or "a""b"'
    )
