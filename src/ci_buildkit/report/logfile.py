"""Parts of a stage's log file, in bounded time and memory however large the file is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit.report.text import log_line, size, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE_BYTES = 16_384
TAIL_BYTES = 1 << 20
# buildx, util/progress/progressui/printer.go
_STEP_ERROR = re.compile(r"#\d+ ERROR: ")


def tail(path: Path, lines: int, max_bytes: int = TAIL_BYTES) -> list[str]:
    """The last lines of the file, safe to print; none where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return _last(stream, 0, lines, max_bytes)[0]
    except OSError:
        return []


def failure(path: Path, lines: int) -> list[str]:
    """The last lines that a broken stage's steps printed, safe to print; none where the log cannot be read.

    Without what buildx repeats below them, the failed step's place in the Dockerfile, and without events of
    `go test -json`, which are for programs.
    """
    last = tail(path, lines * 10)
    if any(_STEP_ERROR.match(line) for line in last):
        while last and not last[-1].startswith("#"):
            last.pop()
    return [line for line in last if '{"' not in line or '"Action":' not in line][-lines:]


def read_tail(path: Path, max_bytes: int = 256_000) -> str:
    """The end of the file as text, undecodable bytes as U+FFFD, for `html.render`; empty where it cannot be read."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, 2)
            stream.seek(max(0, end - max_bytes))
            return stream.read(max_bytes).decode("utf-8", "replace")
    except OSError:
        return ""


def head_and_tail(path: Path, head: int, last: int) -> Iterator[str]:
    """The first and the last lines of the file, safe to print, with a line that says how much is between them."""
    try:
        with path.open("rb") as stream:
            for _ in range(head):
                line = stream.readline(LINE_BYTES)
                if not line:
                    return
                yield _text(line)
            start = stream.tell()
            lines, skipped = _last(stream, start, last, TAIL_BYTES)
    except OSError as error:
        yield f"(the log cannot be read: {error.strerror or error})"
        return
    if skipped:
        yield f"… {size(skipped)} left out here; the whole log is logs/{path.name} in the report …"
    yield from lines


def _last(stream: BinaryIO, start: int, lines: int, max_bytes: int) -> tuple[list[str], int]:
    """The last lines after `start`, and the number of bytes between `start` and them."""
    end = stream.seek(0, 2)
    begin = max(start, end - max_bytes)
    stream.seek(begin)
    data = stream.read(end - begin)
    rows = data.split(b"\n")
    if rows and not rows[-1]:
        rows.pop()
    if begin > start and len(rows) > 1:
        rows = rows[1:]  # most likely the rest of a line
    kept = rows[-lines:] if lines else []
    used = sum(len(row) + 1 for row in kept)
    return [_text(row) for row in kept], max(0, end - start - used)


def _text(line: bytes) -> str:
    return unmarked(log_line(line[:LINE_BYTES].decode("utf-8", "replace")))
