"""Reviewdog's diagnostic format: `rdjson`, one document, and `rdjsonl`, one diagnostic a line (proto/rdf/reviewdog.proto).

Columns count bytes of UTF-8, and the end is exclusive. Ruff counts characters in spite of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import label, mapping, positive, sequence, string
from ci_buildkit.findings.columns import Sources, of_utf8
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import Span, message, span, web
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document, by_line
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "rdjson"
TOOL = "rdjson"
# The enumeration's numbers, which protobuf's JSON may hold instead of its words.
_NUMBERS: dict[int, Severity] = {1: "error", 2: "warning", 3: "notice"}
_KEYS = frozenset(
    {"message", "location", "severity", "source", "code", "suggestions"}
    # As protobuf's JSON calls them, and as the definition does.
    | {"originalOutput", "original_output", "relatedLocations", "related_locations"}
)
_CHARACTERS = frozenset({"ruff"})
"""Tools whose columns are characters."""


def parse(document: object, source: Source) -> Iterator[Item]:
    """The diagnostics; severity and tool of the whole report hold where one has none of its own."""
    sources = Sources(source.mapper)
    whole = mapping(document)
    for item in sequence(whole.get("diagnostics")):
        yield from _finding(mapping(item), whole, sources)


def _finding(item: dict[str, Any], whole: dict[str, Any], sources: Sources) -> Iterator[Finding]:
    """One finding; none where there is neither a message nor a place."""
    where, code = mapping(item.get("location")), mapping(item.get("code"))
    if not item.get("message") and not where:
        return
    tool = label(mapping(item.get("source")).get("name")) or label(mapping(whole.get("source")).get("name")) or TOOL
    path = label(where.get("path"))
    yield Finding(
        path,
        *_span(path, mapping(where.get("range")), None if tool in _CHARACTERS else sources),
        severity=_severity(item.get("severity")) or _severity(whole.get("severity")) or "error",
        rule=label(code.get("value")) or tool,
        message=message(string(item.get("message"))),
        tool=tool,
        url=web(code.get("url")),
    )


def _span(path: str, where: dict[str, Any], sources: Sources | None) -> Span:
    """Characters, where `sources` has the line and columns are bytes."""
    start, end = mapping(where.get("start")), mapping(where.get("end"))
    line, column = positive(start.get("line")), positive(start.get("column"))
    end_line, end_column = positive(end.get("line")) or line, positive(end.get("column"))
    if sources is not None:
        column = sources.column(of_utf8, path, line, column)
        end_column = sources.column(of_utf8, path, end_line, end_column)
    return span(line, column, end_line, end_column)


def _severity(value: object) -> Severity | None:
    """None where it is not said: the default is the report's, and that of the report an error."""
    if isinstance(value, int):
        return _NUMBERS.get(value)
    word = string(value)
    return severity(word) if word and word != "UNKNOWN_SEVERITY" else None


class RdjsonLines:
    """Reads `rdjsonl`; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._sources = Sources(source.mapper)
        self._found = Findings(source)
        self._seen = False
        self._cut = 0

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a diagnostic."""
        if not line.startswith("{") or not (self._seen or '"message"' in line):
            return False
        try:
            item = jsontext.loads(line)
        except jsontext.Broken:
            self._cut += self._seen and line.startswith('{"')
            return False
        if not _is_diagnostic(item):
            return False
        self._seen = True
        for finding in _finding(item, {}, self._sources):
            self._found.add(finding)
        return True

    def finish(self) -> Iterator[Item]:
        """The findings, and a problem where lines between them were cut off."""
        yield from self._found
        if self._cut:
            yield Problem(self._source.name, "unreadable", f"lines of the rdjsonl report are cut off: {self._cut}")


def _is_diagnostic(item: object) -> bool:
    """Whether it has a message, a path and no key but a diagnostic's: a program's log of requests may have both, too."""
    one = mapping(item)
    where = mapping(one.get("location"))
    told = isinstance(one.get("message"), str) and isinstance(where.get("path"), str)
    return told and one.keys() <= _KEYS and where.keys() <= {"path", "range"}


def sniff(head: Head) -> bool:
    """Whether it has diagnostics, or its first line is one."""
    document = jsoncut.beginning(head.text)
    if _is_diagnostic(document):
        return True
    whole = mapping(document)
    diagnostics = whole.get("diagnostics")
    if not isinstance(diagnostics, list):
        return False
    if not diagnostics:
        return "source" in whole or whole.keys() <= {"diagnostics", "severity"}
    return "path" in mapping(mapping(diagnostics[0]).get("location"))


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every diagnostic of a document, or of lines."""
    data = stream.read(64 * 1024)
    stream.seek(0)
    lines = _is_diagnostic(jsoncut.beginning(data.decode("utf-8", "replace")))
    yield from (by_line(RdjsonLines) if lines else by_document(parse, "rdjson"))(stream, source)


READER = Reader(FORMAT, "rdjson", sniff, read)
