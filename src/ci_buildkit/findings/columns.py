"""Columns as tools count them, in characters: `Finding` counts Unicode code points, tools also bytes, UTF-16 units or cells.

Only the source line tells one from the other. Where it is not at hand a column stays as the tool wrote it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ci_buildkit.tree import leads_out, source_lines

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper

Convert = Callable[[str, int], int]
"""From a line's text and a tool's 1-based column to the 1-based character."""
_FILES = 32
"""Files whose lines are remembered; reports go from file to file."""
_TAB = 8


def of_utf8(text: str, column: int) -> int:
    """The character that follows the `column` - 1 first bytes of the line in UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    return _after(data[: column - 1].decode("utf-8", "ignore"), column - 1 - len(data))


def of_utf16(text: str, column: int) -> int:
    """The character that follows the `column` - 1 first UTF-16 code units of the line."""
    data = text.encode("utf-16-le", "surrogatepass")
    return _after(data[: 2 * column - 2].decode("utf-16-le", "ignore"), column - 1 - len(data) // 2)


def _after(start: str, beyond: int) -> int:
    return len(start) + 1 + max(beyond, 0)


def of_cells(text: str, column: int) -> int:
    """The character at `column` where a tab goes on to the next multiple of eight."""
    cell = 0
    for index, character in enumerate(text):
        if cell >= column - 1:
            return index + 1
        cell += _TAB - cell % _TAB if character == "\t" else 1
    return _after(text, column - 1 - cell)


class Sources:
    """Lines of the repository's files by the paths that tools write; remembers a few files."""

    def __init__(self, mapper: PathMapper) -> None:
        """`mapper` knows where a tool's paths are in the repository."""
        self._mapper = mapper
        self._files: OrderedDict[str, list[str]] = OrderedDict()

    def line(self, path: str, line: int | None) -> str:
        """Line `line` (1-based) of the file; "" where there is none."""
        if line is None:
            return ""
        lines = self._files.get(path)
        if lines is None:
            lines = self._files[path] = self._read(path)
            if len(self._files) > _FILES:
                self._files.popitem(last=False)
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def column(self, convert: Convert, path: str, line: int | None, column: int | None) -> int | None:
        """`column` in characters; unchanged where the line is not known."""
        if column is None or column == 1:
            return column
        text = self.line(path, line)
        return convert(text, column) if text else column

    def _read(self, path: str) -> list[str]:
        mapped = self._mapper.map(path)
        if not mapped.known or leads_out(mapped.path):
            return []
        return source_lines(self._mapper.root / mapped.path)
