"""Ruff's `--output-format json` and `json-lines` (crates/ruff_linter/src/message/json.rs). Columns count characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import WHOLE_FILE, message, span, web
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document, by_line
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "ruff"
TOOL = "ruff"
SYNTAX = "invalid-syntax"
"""The rule of a file that cannot be parsed; older versions write null."""


def parse(document: object, _source: Source) -> Iterator[Item]:
    """The findings of the array."""
    for item in sequence(document):
        if isinstance(item, dict) and item:
            yield _finding(item)


def _finding(item: dict[str, Any]) -> Finding:
    start, end = mapping(item.get("location")), mapping(item.get("end_location"))
    cell, text = item.get("cell"), string(item.get("message"))
    place = span(start.get("row"), start.get("column"), end.get("row"), end.get("column"))
    if isinstance(cell, int):
        # Rows of a notebook count within the cell, not in the file.
        text, place = f"cell {cell}, line {place.line}: {text}", WHOLE_FILE
    return Finding(
        label(item.get("filename")),
        *place,
        severity=severity(string(item.get("severity"))),
        rule=label(item.get("code")) or SYNTAX,
        message=message(text),
        tool=TOOL,
        url=web(item.get("url")),
    )


def _is_finding(item: object) -> bool:
    """What is about a whole file has null for a location."""
    one = mapping(item)
    return "filename" in one and ("row" in mapping(one.get("location")) or "noqa_row" in one)


class RuffLines:
    """Reads `json-lines`, one finding a line; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._found = Findings(source)
        self._cut = 0

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a finding."""
        if not line.startswith(('{"cell":', '{"code":')):
            return False
        try:
            item = jsontext.loads(line)
        except jsontext.Broken:
            self._cut += 1
            return True
        if not _is_finding(item):
            return False
        self._found.add(_finding(item))
        return True

    def finish(self) -> Iterator[Item]:
        """The findings, and a problem where lines were cut off."""
        yield from self._found
        if self._cut:
            yield Problem(self._source.name, "unreadable", f"lines of Ruff's JSON are cut off: {self._cut}")


def sniff(head: Head) -> bool:
    """Whether the first finding is as Ruff writes it. An empty array is a clean report, of whichever linter."""
    document = jsoncut.beginning(head.text)
    if isinstance(document, list):
        return _is_finding(document[0]) if document else head.text.strip() == "[]"
    return _is_finding(document)


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every finding of an array, or of lines."""
    lines = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    stream.seek(0)
    yield from (by_line(RuffLines) if lines else by_document(parse, "Ruff"))(stream, source)


READER = Reader(FORMAT, "Ruff JSON", sniff, read)
