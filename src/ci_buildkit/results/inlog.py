"""Reports that were printed into a log as a whole: JUnit XML by `cat report.xml`, a JSON document by `jest --json`.

A document begins on a line of its own and is known by what the readers of files know. Its lines are kept from the other
readers of the log, because a report may quote what they look for, and are given back to them where it never ends.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Literal

from ci_buildkit import xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ci_buildkit.reader import Source
    from ci_buildkit.results.reader import Item, LogReader, Reader

MAX_DOCUMENT = 64 * 1024 * 1024
"""Characters of one document, and so of what is held back of a log."""
_MAX_UNKNOWN = 256
# A JSON line is looked at where it has what only reports have: most logs hold a JSON line for every event.
_TELLING = ('"testResults"', '"examples"', '"stats"', '"results"')
_CLOSED = {"{": "}", "[": "]"}
_ENCODING = re.compile(r"""\s+encoding=(?:"[^"]*"|'[^']*')""")


class Documents:
    """Collects one document after the other; a `LogReader` that stands before the `others`."""

    def __init__(self, source: Source, readers: Sequence[Reader], others: Sequence[LogReader] = ()) -> None:
        """`readers` are those of files; `others` get back the lines of what turns out to have no end."""
        self._source = source
        self._readers = readers
        self._others = others
        self._items: list[Item] = []
        self._drop()

    def _drop(self) -> None:
        """Nothing is being collected."""
        self._lines: list[str] = []
        self._size = 0
        self._held = 0
        self._reader: Reader | None = None
        self._end: re.Pattern[str] | None = None

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it belongs to a document that is known."""
        if self._lines and self._foreign(line):
            if not _begins(line):
                return False
            self._give_back()
        if not self._lines and not _begins(line):
            return False
        self._lines.append(line)
        self._size += len(line) + 1
        if self._reader is None:
            self._recognise()
        known = self._reader is not None
        self._held += known
        ended = self._ends(line)
        if known and ended:
            self._read()
            self._drop()
        elif self._size > MAX_DOCUMENT or (not known and (ended or len(self._lines) > _MAX_UNKNOWN)):
            self._give_back()
        return known

    def _foreign(self, line: str) -> bool:
        """Whether a line is no part of the document: inside of JSON all lines are indented, and XML begins but once."""
        first = self._lines[0][0]
        if first == "<":
            return line.startswith("<?xml")
        return bool(line) and not line[0].isspace() and line[0] != _CLOSED[first]

    def _recognise(self) -> None:
        """Looks for the reader of what is there, whenever that has doubled."""
        count = len(self._lines)
        if count & (count - 1):
            return
        start = "\n".join(self._lines)
        head = Head(start.encode("utf-8", "replace"), start)
        root = xmlstream.root_tag(head.data) if start.startswith("<") else None
        self._reader = next((reader for reader in self._readers if reader.sniff(head)), None)
        if root:
            self._end = re.compile(rf"</(?:[\w.-]+:)?{re.escape(root)}\s*>|^<[^<>]*/>\s*$")

    def _ends(self, line: str) -> bool:
        first = self._lines[0][0]
        if first == "<":
            # An element that closes itself ends the document only where it is the root.
            return self._end is not None and bool(self._end.search(line)) and ("</" in line or len(self._lines) < 3)
        return line.rstrip() == _CLOSED[first] or (len(self._lines) == 1 and len(line.rstrip()) > 1)

    def _read(self) -> None:
        lines = [_ENCODING.sub("", self._lines[0], count=1), *self._lines[1:]]
        data = "\n".join(lines).encode("utf-8", "replace")
        if self._reader is not None:
            self._items += self._reader.read(io.BytesIO(data), self._source)

    def _give_back(self) -> None:
        """Ends a document that has no end: what it holds is kept, and its lines go to the readers that were passed over."""
        if self._reader is not None:
            before = len(self._items)
            self._read()
            if not any(isinstance(item, Problem) for item in self._items[before:]):
                kind: Literal["limit", "unreadable"] = "limit" if self._size > MAX_DOCUMENT else "unreadable"
                self._items.append(Problem(self._source.name, kind, f"a report in the log ({self._reader.label}) has no end"))  # fmt: skip
        held = self._lines[len(self._lines) - self._held :] if self._held else []
        self._drop()
        for line in held:
            for other in self._others:
                if other.feed(line):
                    break

    def finish(self) -> Iterator[Item]:
        """What the documents hold, and a problem for each that has no end."""
        if self._lines:
            self._give_back()
        yield from self._items


def _begins(line: str) -> bool:
    """Whether a document may begin with this line."""
    if line.startswith("<"):
        return line[1:2] == "?" or line[1:2].isalpha() or line.startswith("<!--")
    if line.startswith(("{", "[")):
        return len(line.rstrip()) == 1 or any(key in line for key in _TELLING)
    return False
