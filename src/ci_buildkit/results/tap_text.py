"""What TAP says beside its test points, read for people: YAML blocks, and the comments of the many writers without them.

Writers put little YAML there and do it by hand, so a small part of the language is enough: keys, quoted and plain
values, block texts, and one level of nesting.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from ci_buildkit import jsontext
from ci_buildkit.results.locate import Place, locate

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper

_KEY = re.compile(r"^( *)([\w-]+):(?: +(.*))?$")
_BLOCK = re.compile(r"^[|>][+-]?$")
_MESSAGES = ("message", "error", "error.message", "reason")
_STACKS = ("stack", "error.stack", "at", "location")
# Perl's Test::More, bats.
_PLACES = re.compile(r"\bat (\S+) line (\d+)\.?|\bin (?:test )?file (\S+), line (\d+)")
_NOT_TELLING = re.compile(r"^(?:Failed (?:\(TODO\) )?test\b.*|at \S+ line \d+\.|Looks like .*|\(?(?:from function .*)?in (?:test )?file .*|\(from function .*)$")  # fmt: skip
_GOT = re.compile(r"^ *got: (.*)\n *expected: (.*)$", re.MULTILINE)


class Told(NamedTuple):
    """Why a test failed; `kind` is what Node calls it, `place` is mapped."""

    message: str
    details: str
    place: Place | None
    kind: str


def told(block: list[str], notes: str, mapper: PathMapper) -> Told:
    """What a test point's YAML block and the comments after it say."""
    values = yaml(block)
    text = textwrap.dedent("\n".join(block))
    details = "\n".join(part for part in (text, notes) if part)
    message = next((values[key] for key in _MESSAGES if values.get(key)), "") or _difference(values) or notes
    kind = "exit" if "exitCode" in values else values.get("failureType", "")
    return Told(_telling(message), details, _place(values, notes, mapper), kind)


def _difference(values: dict[str, str]) -> str:
    """What was expected and what came, which is all that tape tells."""
    expected, actual = (" ".join(values.get(key, "").split()) for key in ("expected", "actual"))
    return f"expected {expected}, got {actual}" if expected and actual else ""


def yaml(lines: list[str]) -> dict[str, str]:
    """The values of a block, those of a nested mapping as `outer.inner`."""
    values: dict[str, str] = {}
    outer, base = "", None
    position = 0
    while position < len(lines):
        found = _KEY.match(lines[position])
        position += 1
        if not found:
            continue
        indent, key, value = len(found[1]), found[2], found[3] or ""
        base = indent if base is None else base
        if indent <= base:
            outer = "" if value else key
        elif outer:
            key = f"{outer}.{key}"
        if _BLOCK.match(value):
            inside = _deeper(lines, position, indent)
            position += len(inside)
            value = textwrap.dedent("\n".join(inside))
        values.setdefault(key, _plain(value))
    return values


def _deeper(lines: list[str], start: int, indent: int) -> list[str]:
    """The lines from `start` on that are blank or indented by more than `indent`."""
    end = start
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip(" ")) > indent):
        end += 1
    return lines[start:end]


def _plain(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(jsontext.loads(value))
        except jsontext.Broken:
            return value[1:-1]
    return "" if value in {"~", "null"} else value


def _telling(notes: str) -> str:
    """The first line that says more than that a test failed and where."""
    found = _GOT.search(notes)
    if found:
        return f"got {found[1].strip()}, expected {found[2].strip()}"
    lines = [line.strip() for line in notes.split("\n") if line.strip()]
    return next((line for line in lines if not _NOT_TELLING.match(line)), lines[0] if lines else "")


def _place(values: dict[str, str], notes: str, mapper: PathMapper) -> Place | None:
    file, line = values.get("at.fileName") or values.get("at.file"), values.get("at.lineNumber") or values.get("at.line")  # fmt: skip
    texts = [values.get(key, "") for key in _STACKS]
    if file and line:
        texts.insert(1, f"{file}:{line}")
    texts.append(_PLACES.sub(lambda found: f"{found[1] or found[3]}:{found[2] or found[4]}", notes))
    return next((place for text in texts if text and (place := locate(text.replace("file://", ""), mapper))), None)
