"""What readers of lint findings yield, and the words that tools grade by.

A format is one module with one `READER` in `findings.read.READERS`, and where a tool prints lines of it to the log, one
`LogReader` in `findings.read.OBJECT_READERS` (JSON) or `TEXT_READERS`. Paths are still as the tool wrote them unless the reader knows better:
`findings.read` maps them.
"""

from __future__ import annotations

from msgspec import Struct

from ci_buildkit import reader
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.problem import Problem


class Note(Struct, frozen=True):
    """A sentence about what was read that makes nothing red."""

    text: str


Item = Finding | Problem
LogItem = Item | Note
Reader = reader.Reader[Item]
LogReader = reader.LogReader[LogItem]

# How tools grade: everything that is not known to be less is an error.
_SEVERITIES: dict[str, Severity] = {
    "warning": "warning",
    "warn": "warning",
    "medium": "warning",
    "minor": "warning",
    "info": "notice",
    "information": "notice",
    "informational": "notice",
    "low": "notice",
    "note": "notice",
    "notice": "notice",
    "style": "notice",
    "hint": "notice",
    "help": "notice",
    "ignore": "notice",
    "none": "notice",
}


def severity(text: str) -> Severity:
    """The severity that a tool's own word means; an unknown word, or none, is an error."""
    return _SEVERITIES.get(text.strip().lower(), "error")
