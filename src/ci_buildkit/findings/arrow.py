"""Findings whose place stands on a line of its own after an arrow, as rustc, clippy and ruff's usual text print them.

```
warning: unneeded `return` statement        F401 [*] `os` imported but unused
 --> src/util.rs:3:5                         --> app/store.py:1:8
  = note: `#[warn(clippy::needless_return)]` on by default
```

Lines after the place add the lint's name and its page; an empty line ends the finding.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.reader import Item
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source

_RUST = re.compile(r"^(?P<level>error|warning)(?:\[(?P<rule>E\d{4}|[a-z][\w:]*)\])?: (?P<message>.+)$")
_HEAD = re.compile(r"error|warning|invalid-syntax|[A-Z]{1,6}\d")
_SUMMARY = re.compile(r"generated \d+ warnings?\b|^(?:could not compile|aborting due to|build failed)\b")
_RUFF = re.compile(r"^(?P<rule>[A-Z]{1,6}\d{2,5}|invalid-syntax)(?::| \[\*\])? (?P<message>\S.*)$")
_PLACE = re.compile(r"^ *--> (?P<path>\S.*?):(?:cell (?P<cell>\d+):)?(?P<line>\d{1,9}):(?P<column>\d{1,9})$")
_LINT = re.compile(r"^ *= note: .*?`(?:#\[(?:warn|deny|forbid)\(|-[DWF] )(?P<rule>[a-z][\w:-]*)\)?")
_PAGE = re.compile(r"^ *= help: for further information visit (?P<url>https://\S+)$")
_NOTE = re.compile(r"^ *= (?:note|help): (?P<text>.+)$")
_MOST_ROWS = 3
"""Lines that a message may go on for before its place comes."""
_MOST_LINES = 20
"""Notes that are kept of those after it."""


class Arrows:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._found = Findings(source)
        self._head: re.Match[str] | None = None
        self._rows: list[str] = []
        self._last: Finding | None = None
        self._notes: list[str] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it belongs to a finding."""
        line = line.rstrip()
        if self._head is not None and (place := _PLACE.match(line)):
            self._open(self._head, place)
            return True
        head = (_RUST.match(line) or _RUFF.match(line)) if _HEAD.match(line) else None
        if head is not None:
            self._close()
            self._head, self._rows = (None if _SUMMARY.search(head["message"]) else head), []
            return False
        if self._head is not None:
            self._message(line)
            return False
        return self._detail(line)

    def _message(self, line: str) -> None:
        """A message may go on for some lines before its place comes."""
        self._rows.append(line)
        if not line or len(self._rows) > _MOST_ROWS:
            self._head = None

    def _open(self, head: re.Match[str], place: re.Match[str]) -> None:
        rust = "level" in head.re.groupindex
        grade: Severity = "warning" if rust and head["level"] == "warning" else "error"
        cell = f"cell {place['cell']}: " if place["cell"] else ""
        self._last = Finding(
            path=name(place["path"]),
            line=int(place["line"]) or None,
            column=int(place["column"]) or None,
            end_line=None,
            end_column=None,
            severity=grade,
            rule=head["rule"] or grade,
            message=cell + "\n".join([head["message"], *self._rows]),
            tool="rustc" if rust else "ruff",
        )
        self._head = None

    def _detail(self, line: str) -> bool:
        if self._last is None:
            return False
        if not line:
            self._close()
            return False
        if lint := _LINT.match(line):
            rule = lint["rule"].replace("-", "_")
            tool = "clippy" if rule.startswith("clippy::") else self._last.tool
            self._last = replace(self._last, rule=rule, tool=tool)
        elif page := _PAGE.match(line):
            rule = f"clippy::{page['url'].rpartition('#')[2]}"
            self._last = replace(self._last, rule=rule, tool="clippy", url=name(page["url"]))
        elif (note := _NOTE.match(line)) and len(self._notes) < _MOST_LINES:
            self._notes.append(f"note: {note['text']}")
        return line.lstrip().startswith(("|", "=", "-->", ":::"))

    def _close(self) -> None:
        last, notes = self._last, self._notes
        self._head, self._last, self._notes = None, None, []
        if last is not None:
            self._found.add(replace(last, message="\n".join([last.message, *notes])) if notes else last)

    def finish(self) -> Iterator[Item]:
        """Every finding once."""
        self._close()
        yield from self._found
