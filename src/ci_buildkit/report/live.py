"""The live table of a run on a terminal: one line for each stage, finished ones stay."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

from msgspec import Struct

from ci_buildkit.pipeline.view import Snapshot
from ci_buildkit.report.ending import failure_tail, finished_text
from ci_buildkit.report.text import duration, log_line, one_line
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.live import Live

    from ci_buildkit.pipeline.view import Level
    from ci_buildkit.record import StageRecord

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "error": ("!", "red"),
    "skipped": ("-", "dim"),
    "cancelled": ("■", "yellow"),
}
ASCII_MARKS = {"passed": "+", "failed": "x", "error": "!", "skipped": "-", "cancelled": "o"}
LEVEL_STYLES = {"notice": "", "warning": "yellow", "error": "red"}
FRAMES_PER_SECOND = 8
WAITING = Snapshot("waiting", 0, 0, 0, 0.0)


class _Row(Struct):
    """One stage: its last snapshot and when that came, and its record once it has ended."""

    name: str
    snapshot: Snapshot
    seen: float
    ended: StageRecord | None = None


class _Quiet:
    """The stream, but a terminal that went away raises nothing, neither here nor in the thread that redraws."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


class LiveView:
    """A table that redraws itself, on a terminal. Implements `pipeline.view.View`.

    All text goes through `Text` objects, so nothing a build prints is read as markup, and without control characters.
    """

    def __init__(self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Draws on `stream`, or stderr, which should be a terminal."""
        from rich.console import Console
        from rich.live import Live

        stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._rows: dict[str, _Row] = {}
        self._phase = ""
        self._closing = False
        self._ascii = "utf" not in (stream.encoding or "").lower()
        self._console: Console = Console(
            file=cast("TextIO", _Quiet(stream)), markup=False, highlight=False, emoji=False, soft_wrap=False
        )
        self._live: Live = Live(
            console=self._console, get_renderable=self._table, refresh_per_second=FRAMES_PER_SECOND,
            redirect_stdout=False, redirect_stderr=False, vertical_overflow="crop",
        )  # fmt: skip
        self._live.start()

    def _print(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(text, style=style), soft_wrap=True)

    def start(self, stages: Sequence[str]) -> None:
        """Gives each stage its line and ends the phase before."""
        now = self._clock()
        self._phase = ""
        self._rows = {name: _Row(name, WAITING, now) for name in stages}

    def phase(self, text: str) -> None:
        """Shown under the table until the next one."""
        self._phase = one_line(text, 300)

    def progress(self, stage: str, snapshot: Snapshot) -> None:
        """Updates the stage's line; drawn with the next frame."""
        row = self._rows.setdefault(stage, _Row(stage, snapshot, self._clock()))
        row.snapshot, row.seen = snapshot, self._clock()

    def log(self, stage: str, step: str, line: str) -> None:
        """Nothing: the table shows steps, and a stage that fails prints the end of its log."""

    def finished(self, stage: StageRecord, log: Path) -> None:
        """The stage's line becomes its outcome; a broken stage prints the last lines of its log above the table."""
        row = self._rows.setdefault(stage.name, _Row(stage.name, WAITING, self._clock()))
        row.ended = stage
        lines = failure_tail(stage, log)
        if lines:
            self._print(f"{finished_text(stage)}; the end of its log:", "bold red")
            self._print("\n".join(f"  {log_line(line)}" for line in lines))

    def message(self, level: Level, text: str) -> None:
        """Printed above the table."""
        self._print(f"{level}: {one_line(text, 2000)}", LEVEL_STYLES[level])

    def close(self) -> None:
        """Draws the table a last time, whole, and gives the terminal back."""
        self._closing = True
        self._phase = ""
        self._live.vertical_overflow = "visible"
        self._live.stop()

    def _table(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        now = self._clock()
        rows, hidden = self._visible()
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        for _ in range(3):
            table.add_column(no_wrap=True, justify="right")
        for row in rows:
            table.add_row(*self._cells(row, now))
        below = [self._phase] if self._phase else []
        if hidden:
            below.insert(0, f"{hidden} more stages")
        for text in below:
            table.add_row(Text(""), Text(""), Text(text, style="dim", no_wrap=True, overflow="ellipsis"))
        return table

    def _visible(self) -> tuple[list[_Row], int]:
        """The rows that fit: where not all do, running stages go before finished ones."""
        rows = list(self._rows.values())
        room = max(1, self._console.size.height - 3)
        if self._closing or len(rows) <= room:
            return rows, 0
        kept = sorted(rows, key=lambda row: row.ended is not None)[:room]
        return [row for row in rows if row in kept], len(rows) - len(kept)

    def _cells(self, row: _Row, now: float) -> list[RenderableType]:
        from rich.text import Text

        name = Text(one_line(row.name, 100), style="bold")
        if row.ended:
            return [self._mark(row.ended), name, *self._ended_cells(row.ended)]
        shot = row.snapshot
        waiting = shot is WAITING
        seconds = shot.seconds + (0.0 if waiting else now - row.seen)
        return [
            Text(" " if waiting else self._spinner(now), style="cyan"),
            name,
            Text(one_line(shot.current, 300), style="dim" if waiting else ""),
            Text(f"{shot.done}/{shot.total}" if shot.total else ""),
            Text(f"{shot.cached} cached" if shot.cached else "", style="dim"),
            Text("" if waiting else duration(round(seconds, 1)) if seconds >= 0.1 else "0.0 s"),
        ]

    def _ended_cells(self, stage: StageRecord) -> list[RenderableType]:
        from rich.text import Text

        words = stage.outcome + (f": {one_line(stage.reason, 300)}" if stage.reason else "")
        style = MARKS[stage.outcome][1]
        return [
            Text(words, style=style),
            Text(plural(stage.steps, "step") if stage.steps else ""),
            Text(f"{stage.cached_steps} cached" if stage.cached_steps else "", style="dim"),
            Text(duration(stage.seconds)),
        ]

    def _mark(self, stage: StageRecord) -> RenderableType:
        from rich.text import Text

        sign, style = MARKS[stage.outcome]
        return Text(ASCII_MARKS[stage.outcome] if self._ascii else sign, style=style)

    def _spinner(self, now: float) -> str:
        frames = "|/-\\" if self._ascii else SPINNER
        return frames[int((now - self._began) * FRAMES_PER_SECOND) % len(frames)]
