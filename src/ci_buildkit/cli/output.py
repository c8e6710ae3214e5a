"""How commands print: JSON for programs, aligned lines for people. Nothing printed is a command to a CI runner."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from ci_buildkit import jsontext
from ci_buildkit.report.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDEST = 48
_SHOWS_NOTHING = re.compile("[^ -~\n]")
_OLD_COMMAND = re.compile(r"(#[^ -~]*)#")


def print_json(document: object) -> None:
    """Writes `document` to stdout as JSON, indented."""
    data = inert_json(jsontext.dumps(document, indent=True))
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def inert_json(data: bytes) -> bytes:
    """The same JSON without what a terminal takes for control, and a runner for a command anywhere in a line, `##[`."""
    if data.isascii() and b"##" not in data and b"\x7f" not in data:
        return data
    text = _SHOWS_NOTHING.sub(_escaped, data.decode())
    return _OLD_COMMAND.sub(r"\1\\u0023", text).encode()


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON escapes it, unless it can be printed."""
    if found[0].isprintable():
        return found[0]
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def aligned(rows: Sequence[Sequence[str]], colours: Mapping[str, str]) -> list[str]:
    """One line for each row, its columns aligned; `colours` are SGR codes by the word in the first column."""
    if not rows:
        return []
    clean = [[inert(cell) for cell in row] for row in rows]
    widths = [min(max(len(row[column]) for row in clean), _WIDEST) for column in range(len(clean[0]))]
    lines = []
    for row in clean:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        code = colours.get(row[0])
        if code:
            cells[0] = f"\x1b[{code}m{cells[0]}\x1b[0m"
        lines.append("  ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip())
    return lines
