"""Text that any program may have printed made safe to keep: no terminal control, nothing that XML forbids, bounded.

The characters taken out are those that XML 1.0 (section 2.2, "Char" and its note on discouraged characters) does not
want, so that whatever passed `clean` can be written to any report unchanged and is read back the same.
"""

from __future__ import annotations

import re
from collections import deque

MAX_DETAILS = 64 * 1024
"""Characters kept of one failure's text, half from its start and half from its end."""
MAX_OUTPUT = 16 * 1024
"""Characters kept of what one test printed, half from its start and half from its end."""
MAX_NAME = 4096
"""Characters kept of a name, a message or a path."""

# ECMA-48: CSI (also as pytest spells ESC inside its XML), the string sequences with their end, then any other escape.
# A string that never ends keeps its text: hiding the rest would be worse than showing it.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b|#x1B\[)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?"
)
_NONCHARACTERS = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufddf{_NONCHARACTERS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(r"\r+\n?")
_SUSPECT = re.compile(f"#x1B\\[|[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufddf{_NONCHARACTERS}]")


def clean(text: str) -> str:
    """`text` without terminal sequences and control characters; every line end is one newline."""
    # The first tests are only for speed: they are true of most texts, and the pattern takes twenty times as long.
    if "#x1B[" not in text and (text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()):
        return text
    if not _SUSPECT.search(text):
        return text
    text = _LINE_END.sub("\n", _ANSI.sub("", text))
    return _SURROGATE.sub("\ufffd", _FORBIDDEN.sub("", text))


def name(text: str) -> str:
    """`text` cleaned, on one line and no longer than MAX_NAME; a cut shows as an ellipsis."""
    text = clean(text)
    if "\n" in text or "\t" in text:
        text = text.replace("\n", " ").replace("\t", " ")
    return text if len(text) <= MAX_NAME else text[: MAX_NAME - 1] + "…"


def first_line(text: str) -> str:
    """The first line of `text` that is not blank, cleaned, without the space around it; "" where there is none."""
    for line in clean(text).split("\n"):
        if line.strip():
            return name(line.strip())
    return ""


def block(text: str) -> str:
    """`text` without the blank lines before it and the white space after it; its indentation stays."""
    lines = text.rstrip().split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(lines[first:])


def plural(count: int, noun: str) -> str:
    """`1 test`, `2 tests`, `1,024 tests`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def excerpt(text: str, limit: int = MAX_DETAILS) -> str:
    """`text` cleaned and, where it is longer than `limit` characters, its middle replaced by a line that says so."""
    kept = Excerpt(limit)
    kept.add(clean(text))
    return kept.text()


class Excerpt:
    """Collects text in pieces and keeps the first and the last of it, at most `limit` characters in all."""

    __slots__ = ("_half", "_head", "_room", "_tail", "_tail_size", "dropped")

    def __init__(self, limit: int = MAX_DETAILS) -> None:
        """Nothing collected yet."""
        self._half = max(limit // 2, 1)
        self._room = self._half
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self.dropped = 0

    def add(self, text: str) -> None:
        """Appends `text`."""
        room = self._room - len(text)
        if room >= 0:
            self._head.append(text)
            self._room = room
            return
        if self._room:
            self._head.append(text[: self._room])
            text = text[self._room :]
            self._room = 0
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size > self._half:
            self._drop(self._tail_size - self._half)

    def _drop(self, surplus: int) -> None:
        first = self._tail.popleft()
        rest = first[surplus:]
        self.dropped += len(first) - len(rest)
        self._tail_size -= len(first) - len(rest)
        if rest:
            self._tail.appendleft(rest)

    def text(self) -> str:
        """What was kept; a cut shows as a line that says how many characters were left out."""
        head, tail = "".join(self._head), "".join(self._tail)
        return f"{head}\n… {self.dropped} characters left out …\n{tail}" if self.dropped else head + tail
