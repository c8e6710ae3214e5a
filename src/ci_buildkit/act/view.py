"""What is shown while act runs: a line for each step that ends, and on a terminal what runs now."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from msgspec import Struct

from ci_buildkit.act.log import Event, JobLog, StepLog
from ci_buildkit.report.text import duration, inert, log_line, one_line, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

SHOWN = 20  # lines of a step that failed
MARKS = {"success": ("✓", "green"), "failure": ("✗", "red"), "skipped": ("-", "dim"), "not-run": ("!", "red")}
ASCII_MARKS = {"success": "+", "failure": "x", "skipped": "-", "not-run": "!"}
FRAMES_PER_SECOND = 8
SPINNER = "|/-\\"


class View(Protocol):
    """Whoever watches."""

    def note(self, level: str, text: str) -> None:
        """Something to know, of the levels notice, warning and error."""

    def phase(self, text: str) -> None:
        """What happens before act runs."""

    def event(self, event: Event, name: str) -> None:
        """Something happened to the job of that name."""

    def close(self) -> None:
        """Nothing more comes."""


def title(job: JobLog, step: StepLog) -> str:
    """The step's name behind those of the composite actions that it is in, each by its first line."""
    names = [
        job.steps[step.path[:depth]].name if step.path[:depth] in job.steps else "?"
        for depth in range(1, len(step.path))
    ]
    return " / ".join(one_line(name.strip().split("\n")[0], 80) for name in [*names, step.name])


def told(step: StepLog) -> bool:
    """Whether the end of a step is worth a line: not act's own, unless it fails."""
    return not step.is_own or step.conclusion == "failure"


def tail(job: JobLog, step: StepLog) -> list[str]:
    """The last lines of a step that failed; none of one whose failure was that of a step in it."""
    inner = any(path[: len(step.path)] == step.path and len(path) > len(step.path) for path in job.steps)
    lines = [] if step.conclusion != "failure" or inner else list(step.tail)[-SHOWN:]
    return [log_line(line) for line in lines]


class PlainView:
    """One line for each event, for pipes and files; with `verbose` also what steps print."""

    def __init__(self, *, verbose: bool = False, stream: TextIO | None = None) -> None:
        """Writes to `stream`, or stderr."""
        self._verbose = verbose
        self._stream = stream or sys.stderr

    def _say(self, text: str) -> None:
        say(self._stream, inert(text))

    def note(self, level: str, text: str) -> None:
        """A line that begins with the level."""
        self._say(f"{level}: {one_line(text, 2000)}")

    def phase(self, text: str) -> None:
        """A line."""
        self._say(one_line(text, 500))

    def event(self, event: Event, name: str) -> None:
        """A line for the end of a step, and the last lines of one that failed."""
        name = one_line(name, 200)
        step = event.step
        if event.kind == "line" and self._verbose:
            self._say(f"[{name}] {log_line(event.text)}")
        elif event.kind == "ended" and step and told(step):
            self._say(f"{step.conclusion:8} {name}: {title(event.job, step)} ({duration(step.seconds)})")
            for line in [] if self._verbose else tail(event.job, step):
                self._say(f"  {line}")

    def close(self) -> None:
        """Nothing to restore."""


class _Running(Struct):
    """What a job does now, since when, and the last line of it."""

    name: str
    step: str
    since: float
    line: str = ""


class LiveView:
    """The same lines on a terminal, and below them the jobs that run with what they do now."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Draws on stderr, which should be a terminal."""
        from rich.console import Console
        from rich.live import Live

        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._phase = ""
        self._ascii = "utf" not in (sys.stderr.encoding or "").lower()
        self._console: Console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._live: Live = Live(
            console=self._console, get_renderable=self._table, refresh_per_second=FRAMES_PER_SECOND, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def _print(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(text, style=style), soft_wrap=True)

    def note(self, level: str, text: str) -> None:
        """Printed above what runs."""
        self._print(f"{level}: {one_line(text, 2000)}", {"warning": "yellow", "error": "red"}.get(level, ""))

    def phase(self, text: str) -> None:
        """Shown until a job begins."""
        self._phase = one_line(text, 300)

    def event(self, event: Event, name: str) -> None:
        """A line for the end of a step; what runs is drawn with the next frame."""
        job, step = event.job, event.step
        self._phase = ""
        if event.kind == "job" or step is None:
            self._running.pop(job.act_name, None)
        elif event.kind == "began":
            self._running[job.act_name] = _Running(one_line(name, 100), title(job, step), self._clock())
        elif event.kind == "line" and (running := self._running.get(job.act_name)):
            running.line = log_line(event.text, 300)
        elif event.kind == "ended" and told(step):
            self._ended(job, step, one_line(name, 200))

    def _ended(self, job: JobLog, step: StepLog, name: str) -> None:
        conclusion = step.conclusion or "failure"
        mark, style = MARKS[conclusion]
        mark = ASCII_MARKS[conclusion] if self._ascii else mark
        self._print(f"{mark} {name}: {title(job, step)} ({duration(step.seconds)})", style)
        for line in tail(job, step):
            self._print(f"  {line}")

    def close(self) -> None:
        """Give the terminal back."""
        self._running.clear()
        self._phase = ""
        self._live.stop()

    def _table(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        now = self._clock()
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        table.add_column(no_wrap=True, justify="right")
        spinner = SPINNER[int(now * FRAMES_PER_SECOND) % len(SPINNER)]
        for one in list(self._running.values())[: max(1, self._console.size.height - 2)]:
            doing = f"{one.step}  {one.line}" if one.line else one.step
            since = duration(round(now - one.since, 1))
            table.add_row(Text(spinner, style="cyan"), Text(one.name, style="bold"), Text(doing), Text(since))
        if self._phase:
            table.add_row(Text(spinner, style="cyan"), Text(self._phase), Text(""), Text(""))
        return table
