"""All readers of lines as one, for a log and for a file of text: both give the same findings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ci_buildkit.findings.reader import LogItem, LogReader

# What linters say when they found nothing, so that a file with that alone is known to be a report.
_CLEAN = re.compile(
    r"(?:0 issues[.:]?|All checks passed!|Success: no issues found in \d+ source files?|Found 0 errors.*"
    r"|Your code has been rated at .*)"
)


def _taken(readers: Sequence[LogReader], line: str) -> bool:
    for reader in readers:  # noqa: SIM110 - any() takes twice the time
        if reader.feed(line):
            return True
    return False


class Together:
    """A line goes from one reader to the next until one of them takes it; a `LogReader`."""

    def __init__(self, readers: Sequence[LogReader]) -> None:
        """Nothing read yet."""
        self._readers = readers

    def feed(self, line: str) -> bool:
        """Takes a line; says whether one of the readers took it."""
        return _taken(self._readers, line)

    def finish(self) -> Iterator[LogItem]:
        """What all readers found, one after the other."""
        for reader in self._readers:
            yield from reader.finish()


class Objects(Together):
    """The readers of JSON objects, one a line."""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether one of the readers took it."""
        return line.startswith("{") and _taken(self._readers, line)


class Texts(Together):
    """The readers of what people read: every line is cleaned for them, once."""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether one of the readers took it."""
        return _taken(self._readers, clean(line))


class NothingFound:
    """Knows the lines by which linters say that they found nothing; a `LogReader`."""

    said = False

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is such a line."""
        found = _CLEAN.fullmatch(line.strip()) is not None
        self.said = self.said or found
        return found

    def finish(self) -> Iterator[LogItem]:
        """Nothing."""
        yield from ()
