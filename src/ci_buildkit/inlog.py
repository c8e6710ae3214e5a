"""Reports that were printed into a log as a whole: JUnit XML by `cat report.xml`, the JSON document of a tool's `--json`.

A document begins on a line of its own and is known by what the readers of files know. It stands on one line, or is laid
out: from a bracket alone on a line to its closing one, from an XML root to its end. Its lines are kept from the other
readers of the log, because a report may quote what they look for, and are given back to them where it never ends.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ci_buildkit import xmlstream
from ci_buildkit.lines import decode
from ci_buildkit.problem import Problem
from ci_buildkit.reader import HEAD, knowing, size
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci_buildkit.reader import LogReader, Reader, Source

T = TypeVar("T")

_CLOSED = {"{": "}", "[": "]"}
# What a line of JSON that is laid out holds: a member, a bracket, an element. Whatever else comes between is not of it.
_ROW = re.compile(r"\s+(?:[\"{}\[\]]|(?:-?\d[\d.eE+-]*|true|false|null),?\s*$)|\s*$")
_ELEMENT = re.compile("<[^?!]")
_ENCODING = re.compile(r"""(?<!\s)\s+encoding=(?:"[^"]*"|'[^']*')""")
_AT_FIRST = 8
"""Lines in which the root of XML comes, and before which hardly any JSON can be known."""
_ATTRIBUTES = r"""[^<>"']*+(?:(?:"[^"]*"|'[^']*')[^<>"']*+)*+"""


class Kept(Protocol[T]):
    """Where the items of documents are collected: a list, or what keeps each only once."""

    def extend(self, items: Iterable[T], /) -> None:
        """Takes items."""

    def __iter__(self) -> Iterator[T]:
        """The items that were kept."""


class Documents(Generic[T]):
    """Collects one document after the other; a `LogReader` that stands before the `others`."""

    def __init__(
        self,
        source: Source,
        readers: Iterable[Reader[T]],
        begins: str,
        *,
        kept: Kept[T | Problem],
        others: Sequence[LogReader[object]] = (),
    ) -> None:
        """`readers` are those of files; `others` get back the lines of what turns out to have no end.

        `begins` is an expression for the start of a line on which a report may begin, or stand as a whole: most logs
        hold a line of JSON for every event, and a million of them must not be parsed to find that none is a report. A
        bracket alone on a line need not be in it.
        """
        self._source = source
        self._readers = readers
        self._begins = re.compile(rf"[\[{{]\s*$|{begins}")
        self._others = others
        self._kept = kept
        self._drop()

    def _drop(self) -> None:
        """Nothing is being collected."""
        self._lines: list[str] = []
        self._size = 0
        self._held = 0
        self._known = False
        # Of XML: the tags that are called like its root, None before that has come, and how many of them are open.
        self._tags: re.Pattern[str] | None = None
        self._depth = 0

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it belongs to a document that is known."""
        if not self._lines:
            return self._take(line) if self._begins.match(line) else False
        if self._foreign(line):
            if not self._begins.match(line):
                return False
            self._give_back()
        return self._take(line)

    def _take(self, line: str) -> bool:
        self._lines.append(line)
        self._size += len(line) + 1
        ended = self._root_ends(line) if self._is_xml else self._bracket_closes(line)
        known = self._known
        self._held += known
        if ended:
            return self._finished()
        if self._size > (self._source.limits.held if known else HEAD):
            self._give_back()
        return known

    @property
    def _is_xml(self) -> bool:
        return self._lines[0].startswith("<")

    def _foreign(self, line: str) -> bool:
        """Whether a line is no part of the document: all lines inside of JSON are indented, and XML begins but once."""
        if self._is_xml:
            return line.startswith("<?xml") if self._known else self._begins.match(line) is not None
        return not _ROW.match(line) and line.rstrip() != _CLOSED[self._lines[0][0]]

    def _root_ends(self, line: str) -> bool:
        """Takes a line of XML; says whether its root ends there, or is one that no reader knows."""
        if self._tags is not None:
            self._depth += _opened(self._tags, line)
            return self._depth <= 0
        if not _is_time(len(self._lines), _AT_FIRST):
            return False
        text = "\n".join(self._lines)
        head = _head(self._data())
        root = xmlstream.root_tag(head.data) if _ELEMENT.search(text) else None
        if root is None:
            return False
        self._tags = re.compile(rf"<(/?)(?:[\w.-]+:)?{re.escape(root)}\b{_ATTRIBUTES}")
        self._depth = _opened(self._tags, text)
        self._known = knowing(self._readers, head) is not None
        return not self._known or self._depth <= 0

    def _bracket_closes(self, line: str) -> bool:
        """Takes a line of JSON; says whether its last bracket stands there."""
        count, end = len(self._lines), line.rstrip()
        if end == _CLOSED[self._lines[0][0]] or (count == 1 and len(end) > 1):
            return True
        if not self._known and count >= _AT_FIRST and _is_time(count):
            self._known = knowing(self._readers, _head(self._data())) is not None
        return False

    def _finished(self) -> bool:
        """Reads what has come to its end; says whether the lines of it that others have not seen are done with."""
        known = self._known
        if self._read():
            self._drop()
            return True
        self._pass_on()
        return known

    def _read(self, *, cut: bool = False) -> bool:
        """Reads what was collected; says whether a reader knows it, now that more of it is there than when it was known."""
        if self._is_xml and not self._known:
            return False
        data = self._data()
        reader = knowing(self._readers, _head(data))
        if reader is None:
            return False
        if not cut:
            self._lines.clear()  # nobody gets them back, and they take more memory than their text
        items = reader.read(io.BytesIO(data), self._source)
        self._kept.extend(self._cut_off(items, reader.label) if cut else items)
        return True

    def _data(self) -> bytes:
        """What was collected in UTF-8, which a log is in whatever its documents declare."""
        first = _ENCODING.sub("", self._lines[0], count=1)
        return "\n".join([first, *self._lines[1:]]).encode("utf-8", "replace")

    def _cut_off(self, items: Iterable[T], label: str) -> Iterator[T | Problem]:
        """What a report holds that has no end, which its reader finds wrong with it, too."""
        limit = self._source.limits.held
        if self._size <= limit:
            yield from items
            return
        for item in items:
            if not (isinstance(item, Problem) and item.kind == "unreadable"):
                yield item
        reason = f"a report in the log ({label}) is larger than {size(limit)}; what stands before that was read"
        yield Problem(self._source.name, "limit", reason)

    def _give_back(self) -> None:
        """Ends a document that has no end: what it holds is kept, and its lines go to the readers that were passed over."""
        self._read(cut=True)
        self._pass_on()

    def _pass_on(self) -> None:
        held = self._lines[len(self._lines) - self._held :]
        self._drop()
        for line in held:
            for other in self._others:
                if other.feed(line):
                    break

    def finish(self) -> Iterator[T | Problem]:
        """What the documents hold, and a problem for each that has no end."""
        if self._lines:
            self._give_back()
        yield from self._kept


def _is_time(lines: int, always: int = 0) -> bool:
    """Whether to look at what was collected: not at every line, but whenever it has doubled."""
    return lines <= always or not lines & (lines - 1)


def _opened(tags: re.Pattern[str], text: str) -> int:
    """How many elements `text` opens and does not close."""
    return sum(-1 if tag[1] else not tag[0].endswith("/") for tag in tags.finditer(text))


def _head(data: bytes) -> Head:
    return Head(data[:HEAD], decode(data[:HEAD]))
