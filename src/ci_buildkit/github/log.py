"""The run in the log of a GitHub job: folded groups, failed stages readable at once, and signs of life."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from ci_buildkit.github.runner import command, endgroup, group, stop_commands
from ci_buildkit.report import facts
from ci_buildkit.report.logfile import failure, head_and_tail
from ci_buildkit.report.text import duration, inert, one_line, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ci_buildkit.pipeline.view import Level, Snapshot
    from ci_buildkit.record import StageRecord

HEAD_LINES = 200
TAIL_LINES = 2000
FAILURE_LINES = 40
HEARTBEAT_SECONDS = 30.0
SHOWN_STAGES = 6


class GitHubView:
    """One group for each finished stage with its log, which cannot act as a command. Implements `pipeline.view.View`.

    A broken stage shows the end of its log below its group, unfolded. While stages run, a line every 30 seconds says
    how far they are.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Writes to `stream`, or stderr (the runner reads both); `heartbeat` is in seconds."""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._heartbeat = heartbeat
        self._running: dict[str, tuple[Snapshot, float]] = {}
        # The heart beats in a thread of its own, and must not beat inside a group.
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()

    def start(self, stages: Sequence[str]) -> None:
        """Names the stages."""
        self._line(f"Stages: {one_line(', '.join(stages), 500)}")

    def phase(self, text: str) -> None:
        """A line that says what happens."""
        self._line(one_line(text, 500))

    def progress(self, stage: str, snapshot: Snapshot) -> None:
        """Kept for the next heartbeat."""
        with self._lock:
            self._running[stage] = (snapshot, self._clock())

    def log(self, stage: str, step: str, line: str) -> None:
        """Nothing: the whole log follows when the stage has ended, so that stages do not mix."""

    def finished(self, stage: StageRecord, log: Path) -> None:
        """The stage's group, and for a broken stage the end of its log again, unfolded."""
        with self._lock:
            self._running.pop(stage.name, None)
            say(self._stream, group(_title(stage)))
            with stop_commands(self._stream):
                for line in head_and_tail(log, HEAD_LINES, TAIL_LINES):
                    say(self._stream, line)
            say(self._stream, endgroup())
            if stage.outcome in {"failed", "error"}:
                self._unfolded(stage, log)

    def message(self, level: Level, text: str) -> None:
        """A warning or an error becomes an annotation; a notice is a line, to leave the runner's ten to the findings."""
        if level == "notice":
            self._line(one_line(text, 4000))
            return
        with self._lock:
            say(self._stream, command(level, one_line(text, 4000)))

    def close(self) -> None:
        """Stops the heartbeat."""
        self._over.set()
        self._heart.join(timeout=2)

    def _line(self, text: str) -> None:
        with self._lock:
            say(self._stream, inert(text))

    def _unfolded(self, stage: StageRecord, log: Path) -> None:
        lines = failure(log, FAILURE_LINES)
        if not lines:
            return
        with stop_commands(self._stream):
            say(self._stream, inert(f"{_title(stage)}. The end of its log:"))
            for line in lines:
                say(self._stream, f"  {line}")

    def _beat(self) -> None:
        while not self._over.wait(self._heartbeat):
            with self._lock:
                if self._running:
                    say(self._stream, inert(self._alive()))

    def _alive(self) -> str:
        """`90.1 s: lint 7/12 RUN golangci-lint run (62.0 s); test 3/9 ...`."""
        now = self._clock()
        parts = [
            f"{one_line(name, 60)} {shot.done}/{shot.total} {one_line(shot.current, 80)} ({duration(shot.seconds + now - seen)})"
            for name, (shot, seen) in list(self._running.items())[:SHOWN_STAGES]
        ]
        more = f"; and {len(self._running) - SHOWN_STAGES} more" if len(self._running) > SHOWN_STAGES else ""
        return f"Running for {duration(now - self._began)}: {'; '.join(parts)}{more}"


def _title(stage: StageRecord) -> str:
    """`lint \u00b7 passed in 3.2 s \u00b7 9 of 12 steps cached \u00b7 note`."""
    parts = [one_line(stage.name, 100), f"{stage.outcome} in {duration(stage.seconds)}"]
    if stage.steps:
        parts.append(f"{facts.cache_share(stage)} steps cached")
    return " \u00b7 ".join([*parts, *facts.stage_notes(stage)])
