"""What a reader of one format of lint findings is, and what it may read.

A format is one module with one `Reader` in `findings.read.READERS`, and where a tool prints it to the log, one
`LogReader` in `findings.read.LOG_READERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.problem import Problem
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_buildkit.paths import PathMapper


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. Passing a limit is a problem of kind `limit`; what was read before is kept.

    `findings` counts those of a whole report, `document` the bytes of one JSON document.
    """

    findings: int = 500_000
    document: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file or log: how reports call it, how its paths are mapped, and the limits."""

    name: str
    mapper: PathMapper
    limits: Limits = Limits()


Item = Finding | Problem


@dataclass(frozen=True, slots=True)
class Reader:
    """`sniff` tells from a file's start whether it is this format; `read` yields what the file holds.

    Paths are still as the tool wrote them unless the reader knows better: `findings.read` maps them. `read` never
    raises for what the file contains, only OSError.
    """

    format: str
    sniff: Callable[[Head], bool]
    read: Callable[[BinaryIO, Source], Iterator[Item]]


class LogReader(Protocol):
    """Finds one format between the lines of a log."""

    def feed(self, line: str) -> None:
        """Takes a line."""

    def finish(self) -> Iterator[Item]:
        """What was found; called once, after the last line."""


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
    "ignore": "notice",
    "none": "notice",
}


def severity(text: str) -> Severity:
    """The severity that a tool's own word means; an unknown word, or none, is an error."""
    return _SEVERITIES.get(text.strip().lower(), "error")
