"""Views of a running pipeline for people: plain lines here, the live table beside, and the last words of a run."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from ci_buildkit.report.ending import end_text, finished_text
from ci_buildkit.report.live import LiveView
from ci_buildkit.report.text import inert, log_line, one_line, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ci_buildkit.pipeline.view import Level, Snapshot
    from ci_buildkit.record import StageRecord

__all__ = ["LiveView", "PlainView", "end_text"]


class PlainView:
    """One line for each event, for pipes, files and other people's CI. Implements `pipeline.view.View`."""

    def __init__(self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Writes to `stream`, or stderr; times are seconds since now."""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._steps: dict[str, str] = {}

    def _event(self, text: str) -> None:
        say(self._stream, inert(f"{self._clock() - self._began:.1f} {text}"))

    def start(self, stages: Sequence[str]) -> None:
        """Names the stages."""
        self._event(f"stages: {one_line(', '.join(stages), 500)}")

    def phase(self, text: str) -> None:
        """A line that says what happens."""
        self._event(one_line(text, 500))

    def progress(self, stage: str, snapshot: Snapshot) -> None:
        """A line when the stage's current step changed."""
        step = one_line(snapshot.current, 200)
        if step and self._steps.get(stage) != step:
            self._steps[stage] = step
            self._event(
                f"[{one_line(stage, 100)}] step {snapshot.done + 1}/{max(snapshot.total, snapshot.done + 1)} {step}"
            )

    def log(self, stage: str, step: str, line: str) -> None:
        """The log line behind its stage's name. Events of `go test -json` are for programs; the log file has them."""
        if line.startswith('{"') and '"Action":' in line:
            return
        say(self._stream, inert(f"[{one_line(stage, 100)}] {log_line(line)}"))

    def finished(self, stage: StageRecord, log: Path) -> None:
        """A line with the outcome; the log has been printed already."""
        self._event(finished_text(stage))

    def message(self, level: Level, text: str) -> None:
        """A line that begins with the level."""
        self._event(f"{level}: {one_line(text, 2000)}")

    def close(self) -> None:
        """Nothing to restore."""
