"""pylint's text: `path:line:column: C0114: message (symbol)`, and its formats `parseable` and `msvs`.

The second, `path:line: [CODE...] message`, is also how ruff and flake8 imitate pylint. Columns begin at 0 in pylint.
Rules: `pylint/reporters/text.py`, `pylint/constants.py` (`MSG_TYPES`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.place import PATH
from ci_buildkit.findings.reader import Item
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source

TOOL = "pylint"
_TEXT = re.compile(rf"{PATH}:(?P<line>\d{{1,9}}):(?P<column>\d{{1,9}}): (?P<code>[CEFIRW]\d{{4}}): (?P<message>.*)$")
_BRACKETS = re.compile(
    rf"{PATH}(?::(?P<line>\d{{1,9}})|\((?P<line_>\d{{1,9}})\)): "
    r"\[(?P<code>[A-Z]{1,6}\d{2,5}|invalid-syntax)(?:\((?P<symbol>[a-z][a-z0-9-]+)\)(?:, )?(?P<object>[^\]]*))?\] "
    r"(?P<message>.*)$"
)
_MARK = re.compile(r": (?:\[|[CEFIRW]\d{4}: )")
_SYMBOL = re.compile(r"^(?P<message>.*?) ?\((?P<symbol>[a-z][a-z0-9-]+)\)$", re.DOTALL)
_PYTHON = re.compile(r"\.(?:py[iwx]?|ipynb|toml|cfg|ini|pylintrc)$")
_SEVERITIES: dict[str, Severity] = {
    "E": "error",
    "F": "error",
    "W": "warning",
    "C": "notice",
    "R": "notice",
    "I": "notice",
}
# The one message over several lines, and the two of it that say where the copies are.
_DUPLICATE = "R0801"
_COPIES = re.compile(r"^==\S.*:\[\d+:\d+\]$")
_MOST_LINES = 2_000
_KEPT_LINES = 30


class Pylint:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._found = Findings(source)
        self._open: dict[str, str | None] | None = None
        self._lines: list[str] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is pylint's."""
        match = (_TEXT.match(line) or _BRACKETS.match(line)) if _MARK.search(line) else None
        if match and (_PYTHON.search(match["path"]) or _SYMBOL.match(match["message"])):
            self._close()
            self._open = match.groupdict()
            self._lines = [match["message"]]
            if match["code"] != _DUPLICATE:
                self._close()
            return True
        if self._open is None:
            return False
        return self._continue(line)

    def _continue(self, line: str) -> bool:
        """Takes a line of the copied code; says whether it is."""
        in_brackets = self._open is not None and "symbol" in self._open
        if in_brackets and not _COPIES.match(line):
            self._close()
            return False
        self._lines.append(line)
        if _SYMBOL.match(line) or len(self._lines) > _MOST_LINES:
            self._close()
        return True

    def _close(self) -> None:
        if self._open is None:
            return
        groups, self._open = self._open, None
        code, symbol = groups["code"] or "", groups.get("symbol")
        text = "\n".join(self._lines)
        if "symbol" not in groups and (ended := _SYMBOL.match(text)):
            text, symbol = ended["message"], ended["symbol"]
        rows = text.rstrip().split("\n")
        if len(rows) > _KEPT_LINES:
            rows = [*rows[:_KEPT_LINES], f"… {len(rows) - _KEPT_LINES} more lines"]
        column = groups.get("column")
        self._found.add(
            Finding(
                path=name(groups["path"] or ""),
                line=int(groups["line"] or groups.get("line_") or 0) or None,
                column=int(column) + 1 if column else None,
                end_line=None,
                end_column=None,
                severity=_severity(code, symbol),
                rule=symbol or code,
                message="\n".join(rows),
                tool=TOOL if symbol or "column" in groups else _imitator(code),
            )
        )

    def finish(self) -> Iterator[Item]:
        """Every finding once."""
        self._close()
        yield from self._found


def _severity(code: str, symbol: str | None) -> Severity:
    """By the letter of pylint's own codes; what others call their codes says nothing."""
    return _SEVERITIES.get(code[0], "error") if symbol else "error"


def _imitator(code: str) -> str:
    return "ruff" if code == "invalid-syntax" else "flake8"
