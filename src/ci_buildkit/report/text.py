"""Untrusted text made harmless, and the one way each quantity is written, for every report and view."""

from __future__ import annotations

import math
import re
from typing import TextIO

from ci_buildkit.text import clean, plural

# What `clean` keeps because it is legal in XML, but that moves or reorders what a reader sees: NEL, the line and
# paragraph separators, and the bidirectional controls.
_HIDDEN = re.compile("[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# The runners of GitHub and Azure Pipelines take `##[` and `##vso[` for commands anywhere in a line. GitHub's compares by
# culture, and .NET then passes over characters that show nothing (zero width, variation selectors) wherever they stand.
_OLD_COMMAND = re.compile(r"(#[^ -~]*#)(?=[^ -/:-@\[-^`{-~]*\[)")
_COMMAND = re.compile("[^!-~\u00b7]*:[^!-~]*:")


def plain(text: str) -> str:
    """The text without terminal control: only tabs, line feeds and printable characters are left.

    Lone surrogates (undecodable bytes) become U+FFFD, so that the result can always be encoded.
    """
    # Nothing that is taken out is printable. The test is only for speed: it is true of most texts, and ten times as fast.
    if text.replace("\n", "").replace("\t", "").isprintable() and "#x1B[" not in text:
        return text
    return _HIDDEN.sub("", clean(text))


def inert(text: str) -> str:
    """One line that no CI system's runner takes for a command.

    GitHub's looks for `::` at the start of a line and, for the old form, for `##[` anywhere (runner: ActionCommand.cs).
    """
    line = unmarked(plain(text).replace("\n", " "))
    return f"\u00b7 {line.lstrip()}" if _COMMAND.match(line) else line


def inert_lines(text: str) -> str:
    """The same text, each line of it `inert`."""
    return "\n".join(map(inert, text.split("\n")))


def unmarked(line: str) -> str:
    """The line without `##[`, of which GitHub's page of a log makes groups and colours even where no command runs."""
    return _OLD_COMMAND.sub(r"\1 ", line)


def one_line(text: str, limit: int = 0) -> str:
    """The text as one line of printable characters, runs of space collapsed, cut to `limit` characters (0: all)."""
    # Far more than any limit needs, so that a message of 100 MB costs nothing.
    text = " ".join(plain(text[: limit * 20] if limit else text).split())
    return cut(text, limit) if limit else text


def log_line(text: str, limit: int = 2000) -> str:
    """One line of a log as a terminal would end up showing it: of a progress bar's redraws only the last is kept."""
    parts = [part for part in text.rstrip("\r\n").split("\r") if part.strip()]
    line = plain(parts[-1]) if parts else ""
    return cut(line.replace("\n", " ").expandtabs(4).rstrip(), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is announced by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def excerpt(text: str, lines: int, characters: int) -> str:
    """The first lines of a longer text, without terminal control, saying how many lines were left out."""
    clean = plain(text[: characters * 4]).strip("\n")
    rows = cut(clean, characters).split("\n")
    kept = [row.rstrip() for row in rows[:lines]]
    left_out = text.strip("\n").count("\n") + 1 - len(kept)
    if len(rows) > lines or len(clean) > characters:
        kept.append(f"… {plural(left_out, 'more line')}" if left_out > 0 else "…")
    return "\n".join(kept)


def ends(text: str, characters: int) -> str:
    """The text without terminal control; of a longer one its first and last part, with a line that says what is between."""
    if len(text) <= characters:
        return plain(text).strip("\n")
    half = characters // 2
    left_out = f"… {plural(len(text) - 2 * half, 'character')} left out …"
    return "\n".join([plain(text[:half]).strip("\n"), left_out, plain(text[-half:]).strip("\n")])


def last_lines(text: str, lines: int, characters: int) -> tuple[str, bool]:
    """The end of a log without terminal control, and whether anything before it was left out."""
    rows = text[-characters:].rstrip().split("\n")
    kept = rows[-lines:]
    return "\n".join(log_line(row) for row in kept), len(text) > characters or len(rows) > lines


def duration(seconds: float) -> str:
    """A duration for people: `0 s`, `42 ms`, `3.2 s`, `2 min 05 s`, `1 h 02 min`; `?` for what is no number of seconds."""
    if not math.isfinite(seconds):
        return "?"
    if seconds <= 0.0005:
        return "0 s"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Bytes for people, in the decimal units that docker uses: `512 B`, `1.4 kB`, `12.0 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.95 or unit == "GB":
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError  # the last unit always returns


def place(path: str | None, line: int | None = None, column: int | None = None) -> str:
    """`path:line:column` as far as it is known, on one line; empty without a path."""
    if not path:
        return ""
    return one_line(path, 300) + "".join(f":{number}" for number in _known(line, column))


def _known(line: int | None, column: int | None) -> list[int]:
    if line is None:
        return []
    return [line] if column is None else [line, column]


def say(stream: TextIO, text: str) -> bool:
    """Writes a line and flushes; False where the stream is closed or gone, which must never end a run.

    Characters that the stream's encoding lacks are written as backslash escapes.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except (OSError, ValueError):
        return False
    return True
