"""What a reader of one format is, what it may read, and what it gives.

A reader yields cases one by one as it meets them and never holds a whole file; the `Collector` folds attempts and
counts. A format is one module with one `Reader` in `results.read.READERS`, and where a tool prints it to the log, one
`LogReader` in `results.read.LOG_READERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ci_buildkit.problem import Problem
from ci_buildkit.results.model import Case
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_buildkit.paths import PathMapper


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. Passing a limit is a problem of kind `limit`; what was read before is kept.

    `cases` counts the cases of a whole report, `depth` nested elements, `token` the bytes of one XML tag.
    """

    cases: int = 2_000_000
    depth: int = 1_000
    token: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file or log: how reports call it, how its paths are mapped, and the limits."""

    name: str
    mapper: PathMapper
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Suite:
    """A reader met a suite; only counted."""

    name: str


Item = Case | Suite | Problem


@dataclass(frozen=True, slots=True)
class Reader:
    """`sniff` tells from a file's start whether it is this format; `read` yields what the file holds.

    `read` never raises for what the file contains, only OSError.
    """

    format: str
    sniff: Callable[[Head], bool]
    read: Callable[[BinaryIO, Source], Iterator[Item]]


class LogReader(Protocol):
    """Finds one format between the lines of a log."""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is this format's alone, so that no other reader needs to see it."""

    def finish(self) -> Iterator[Item]:
        """What was found; called once, after the last line."""
