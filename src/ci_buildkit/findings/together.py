"""All readers of lines as one, for a log and for a file of text: both give the same findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ci_buildkit.findings.reader import Item, LogReader
from ci_buildkit.reader import Source
from ci_buildkit.text import clean

Make = Callable[[Source], LogReader]

# What linters say when they found nothing, so that a file with that alone is known to be a report.
_CLEAN = re.compile(
    r"(?:0 issues[.:]?|All checks passed!|Success: no issues found in \d+ source files?|Found 0 errors.*"
    r"|Your code has been rated at .*)"
)


class Together:
    """A line goes from one reader to the next until one of them takes it; a `LogReader`."""

    def __init__(self, makes: Iterable[Make], source: Source) -> None:
        """Nothing read yet."""
        self._readers = tuple(make(source) for make in makes)
        self.clean = False
        """Whether a linter said that it found nothing."""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether one of the readers took it."""
        if any(reader.feed(line) for reader in self._readers):
            return True
        self.clean = self.clean or _CLEAN.fullmatch(clean(line).strip()) is not None
        return False

    def finish(self) -> Iterator[Item]:
        """What all readers found, one after the other."""
        for reader in self._readers:
            yield from reader.finish()
