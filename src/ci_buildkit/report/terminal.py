"""What people see while a pipeline runs: a live table on a terminal, plain lines elsewhere, and the last words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from ci_buildkit.report import facts
from ci_buildkit.report.logfile import tail
from ci_buildkit.report.text import duration, log_line, one_line, place, say, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ci_buildkit.pipeline.view import Level, Snapshot
    from ci_buildkit.record import ImageRecord, RunRecord, StageRecord
    from ci_buildkit.results.model import Case, TestReport

TAIL_LINES = 20
MAX_ITEMS = 20
BROKEN = {"failed", "error"}


def finished_text(stage: StageRecord) -> str:
    """How a stage ended, on one line: `lint passed in 3.2 s, 9 of 12 steps cached`."""
    words = f"{one_line(stage.name, 100)} {stage.outcome}"
    if stage.outcome != "skipped" or stage.steps:
        words += f" in {duration(stage.seconds)}"
    if stage.steps:
        words += f", {facts.cache_share(stage)} steps cached"
    notes = facts.stage_notes(stage)
    return words + (f" ({'; '.join(notes)})" if notes else "")


class PlainView:
    """One line for each event, for pipes, files and other people's CI. Implements `pipeline.view.View`."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Writes to `stream` (the caller's stderr); times are seconds since now."""
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._steps: dict[str, str] = {}

    def _event(self, text: str) -> None:
        say(self._stream, f"{self._clock() - self._began:.1f} {text}")

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
            self._event(f"[{one_line(stage, 100)}] step {snapshot.done + 1}/{max(snapshot.total, snapshot.done + 1)} {step}")

    def log(self, stage: str, step: str, line: str) -> None:  # noqa: ARG002 - the protocol's signature
        """The log line behind its stage's name."""
        say(self._stream, f"[{one_line(stage, 100)}] {log_line(line)}")

    def finished(self, stage: StageRecord, log: Path) -> None:  # noqa: ARG002
        """A line with the outcome; the log has been printed already."""
        self._event(finished_text(stage))

    def message(self, level: Level, text: str) -> None:
        """A line that begins with the level."""
        self._event(f"{level}: {one_line(text, 2000)}")

    def close(self) -> None:
        """Nothing to restore."""


def end_text(record: RunRecord, tests: TestReport, report_dir: Path) -> str:
    """The last lines of a run, plain text without colours: what broke and where, what was made, where the report is."""
    sections = [
        [_outcome_line(record, tests)],
        _limited([_case_line(case) for case in facts.broken_cases(record, tests)], "failed tests"),
        _limited(
            [f"  {place(one.path, one.line, one.column)}: {_rule(one.tool, one.rule)}{one_line(one.message, 300)}" for one in record.findings],
            "findings",
        ),
        _limited([f"  {one_line(one.path, 200)}: {one_line(one.reason, 1000)}" for one in record.problems], "problems"),
        _limited([_image_line(image) for image in record.images], "images"),
        _limited([f"  {one_line(one.archive or one.path, 200)} ({one_line(one.platform, 60)}, {size(one.size)})" for one in record.binaries], "binaries"),
        [f"Report: {one_line(str(report_dir), 1000)}/report.html"],
    ]  # fmt: skip
    return "\n".join(line for section in sections for line in section) + "\n"


def _outcome_line(record: RunRecord, tests: TestReport) -> str:
    why = ", ".join(facts.reasons(record, tests))
    words = facts.OUTCOME_WORDS[record.outcome] + (f": {why}" if why else "")
    return f"{words}, version {one_line(record.version.value, 100)}, in {duration(record.seconds)}"


def _limited(lines: list[str], heading: str) -> list[str]:
    if not lines:
        return []
    more = [f"  … and {len(lines) - MAX_ITEMS:,} more in the report"] if len(lines) > MAX_ITEMS else []
    return [f"{heading.capitalize()}:", *lines[:MAX_ITEMS], *more]


def _case_line(case: Case) -> str:
    parts = [place(case.path, case.line), facts.case_title(case, 200), facts.case_message(case, 300)]
    return "  " + ": ".join(part for part in parts if part)


def _rule(tool: str, rule: str) -> str:
    named = one_line(rule or tool, 100)
    return f"{named}: " if named else ""


def _image_line(image: ImageRecord) -> str:
    name = one_line(image.name, 300)
    refs: Iterable[str] = [f"{name}:{one_line(tag, 128)}" for tag in image.tags[:5]] or [name]
    digest = f" {one_line(image.digest, 80)}" if image.digest else ""
    return f"  {' '.join(refs)}{digest} ({'pushed' if image.pushed else 'not pushed'})"


def failure_tail(stage: StageRecord, log: Path) -> list[str]:
    """The last log lines of a broken stage, none for any other."""
    return tail(log, TAIL_LINES) if stage.outcome in BROKEN else []
