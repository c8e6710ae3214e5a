"""mypy's text: `path:line[:column[:end_line:end_column]]: error: message  [code]`, wrapped by `--pretty` or not.

Notes say more about the error before them and become part of it; one that mypy gives for itself (a revealed type, a
function that was not checked) is a finding. Rules: `mypy/errors.py` (`format_messages`) and `mypy/util.py`
(`soft_wrap`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.place import PATH, PYTHON
from ci_buildkit.findings.reader import Item, severity
from ci_buildkit.findings.values import span
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source

TOOL = "mypy"
_LINE = re.compile(
    rf"{PYTHON}:(?P<line>\d{{1,9}})"
    r"(?::(?P<column>\d{1,9})(?::(?P<end_line>\d{1,9}):(?P<end_column>\d{1,9}))?)?"
    r": (?P<level>error|warning|note): (?P<message>.*)$"
)
# Errors about a whole file have no line; `x.py: error: ` alone is how Python's argparse begins too.
_FILE = re.compile(
    rf"{PATH}: (?P<level>error): (?P<message>(?:Duplicate module named|Source file found twice under different) .*)$"
)
_LEVEL = re.compile(r": (?:error|warning|note): ")
_FILE_NOTE = re.compile(rf"{PATH}: note: (?P<message>.*)$")
_CODE = re.compile(r"[a-z][a-z0-9-]*\]")
_SUMMARY = re.compile(r"^Found \d+ errors? in \d+ files? \(")
_OF_ANOTHER_PLACE = re.compile(r" defined here$")
_OWN_NOTE = re.compile(r"^Revealed (?:type is|local types are) ")
_WRAPPED_LINES = 10
_MOST_NOTES = 20


class Mypy:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._found = Findings(source)
        self._last: Finding | None = None
        self._wrapped: list[str] = []
        self._notes = 0
        # Lines that a program's own log could have written, until mypy's last line says that they are its.
        self._unsure: list[Finding] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is mypy's."""
        # Tried first because most lines of a log have no such word, and the patterns of paths are slow.
        match = (_LINE.match(line) or _FILE.match(line)) if _LEVEL.search(line) else None
        if match:
            return self._begin(match.groupdict())
        if self._last and self._last.line is None and (note := _FILE_NOTE.match(line)):
            return self._join(note["path"], None, note["message"])
        if _SUMMARY.match(line):
            self._close()
            for finding in self._unsure:
                self._found.add(finding)
            self._unsure = []
            return True
        if self._wrap(line):
            return True
        if line and not line.startswith(" "):
            # mypy's lines stand together.
            self._close()
            self._unsure = []
        return False

    def _begin(self, groups: dict[str, str | None]) -> bool:
        path, text = name(groups["path"] or ""), groups["message"] or ""
        line = int(groups.get("line") or 0) or None
        message, code = _coded(text)
        if groups["level"] == "note" and not code and self._join(path, line, text):
            return True
        self._close()
        end_column = int(groups.get("end_column") or 0)
        self._last = Finding(
            path,
            # mypy counts the last character in.
            *span(
                line, int(groups.get("column") or 0), int(groups.get("end_line") or 0), end_column and end_column + 1
            ),
            severity=severity(groups["level"] or ""),
            rule=code or groups["level"] or "",
            message=message.strip(),
            tool=TOOL,
        )
        self._wrapped = [] if code or groups["level"] == "note" else [text]
        return True

    def _join(self, path: str, line: int | None, text: str) -> bool:
        """Makes a note part of the error before it; says whether it is about that."""
        last = self._last
        if last is None or last.severity == "notice" or _OWN_NOTE.match(text):
            return False
        if (path, line) != (last.path, last.line) and not _OF_ANOTHER_PLACE.search(text):
            return False
        self._wrapped = []
        self._notes += 1
        if self._notes <= _MOST_NOTES:
            where = "" if (path, line) == (last.path, last.line) else f" ({path}:{line})"
            self._last = replace(last, message=f"{last.message}\nnote: {text.rstrip()}{where}")
        return True

    def _wrap(self, line: str) -> bool:
        """Takes the rest of a message that was wrapped, once its code has come; says whether this line is of it."""
        if not self._wrapped:
            return False
        if not line or line.startswith(" ") or len(self._wrapped) > _WRAPPED_LINES:
            self._wrapped = []
            return False
        self._wrapped.append(line)
        message, code = _coded(" ".join(part.strip() for part in self._wrapped))
        if code and self._last:
            self._last = replace(self._last, message=message, rule=code)
            self._wrapped = []
        return bool(code)

    def _close(self) -> None:
        last, self._last = self._last, None
        if last is None:
            return
        if self._notes > _MOST_NOTES:
            last = replace(last, message=f"{last.message}\n… {self._notes - _MOST_NOTES} more notes")
        self._wrapped, self._notes = [], 0
        if last.line and not last.column and last.rule in {"error", "warning", "note"}:
            self._unsure.append(last)
        else:
            self._found.add(last)

    def finish(self) -> Iterator[Item]:
        """Every finding once."""
        self._close()
        yield from self._found


def _coded(text: str) -> tuple[str, str]:
    """A message and its code, "" where it has none."""
    message, _, code = text.rpartition("[")
    return (message.rstrip(), code[:-1]) if message[-1:].isspace() and _CODE.fullmatch(code) else (text, "")
