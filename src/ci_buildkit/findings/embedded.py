"""Whole reports between the lines of a log: a linter that writes JSON or Checkstyle's XML to the terminal.

A report stands on one line, or is laid out from a bracket alone on a line to its closing one.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ci_buildkit.problem import Problem
    from ci_buildkit.reader import Source

_HEAD = 64 * 1024
# How the reports that are known begin. A log of a million JSON events must not be parsed to find that it is none.
_BEGINS = re.compile(
    r'\[\{"(?:filePath|cell|code|filename|file|column|line)"'
    r'|\{"(?:\$schema|version|runs|diagnostics|source|severity|comments|warnings|sources|buildError|results|metadata)":'
    r"|<\?xml |<checkstyle\b"
)
_ENDS = {"[": "]", "{": "}"}


class Embedded:
    """Tries `readers` on what begins like a report; a `LogReader`."""

    def __init__(self, readers: Sequence[Reader], source: Source) -> None:
        """Nothing read yet."""
        self._readers = readers
        self._source = source
        self._found = Findings(source)
        self._problems: list[Problem] = []
        self._rows: list[str] = []
        self._size = 0
        self._end = ""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was a report or the end of one."""
        begins = _BEGINS.match(line) is not None
        if begins and (line[0] != "<" or line.endswith(("</checkstyle>", "/>"))) and self._read(line):
            return True
        end = _ENDS.get(line) or ("</checkstyle>" if begins and line.startswith("<") else "")
        # What is laid out indents its brackets: one at the start of a line after one that was never closed is a new one.
        if end and not self._end.startswith("<"):
            self._end, self._rows, self._size = end, [], 0
        return self._more(line) if self._end else False

    def _more(self, line: str) -> bool:
        """One more line of a report that is laid out, which other readers may see: it may be none."""
        self._rows.append(line)
        self._size += len(line) + 1
        ends = line == self._end if len(self._end) == 1 else line.endswith(self._end)
        if not ends and self._size <= self._source.limits.line:
            return False
        # Of one that is larger than the limit the start is read, and told as cut off.
        return self._read(self._laid_out())

    def _laid_out(self) -> str:
        rows, self._rows, self._end = self._rows, [], ""
        return "\n".join(rows)

    def _read(self, text: str) -> bool:
        """Reads a report; says whether one of the readers knows it."""
        data = text.encode("utf-8", "replace")
        head = Head(data[:_HEAD], text[:_HEAD])
        reader = next((reader for reader in self._readers if reader.sniff(head)), None)
        if reader is None:
            return False
        for item in reader.read(io.BytesIO(data), self._source):
            if isinstance(item, Finding):
                self._found.add(item)
            else:
                self._problems.append(item)
        return True

    def finish(self) -> Iterator[Item]:
        """What was found, and the start of a report that the log's end cut off."""
        if self._rows:
            self._read(self._laid_out())
        yield from self._found
        yield from self._problems
