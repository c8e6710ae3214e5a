"""How a stage and a run ended, as plain text without terminal control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.report import facts
from ci_buildkit.report.logfile import failure
from ci_buildkit.report.text import duration, inert, one_line, place, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ci_buildkit.findings.model import Finding
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


def end_text(record: RunRecord, tests: TestReport, report_dir: Path, *, known: Sequence[Finding] = ()) -> str:
    """The last lines of a run, plain text without colours: what broke and where, what was made, where the report is.

    `known` are findings that do not count because a baseline lists them.
    """
    sections = [
        [_outcome_line(record, tests)],
        _limited([_stage_line(stage) for stage in _unclear(record, tests)], "errors"),
        _limited([_case_line(case) for case in facts.broken_cases(record, tests)], "failed tests"),
        _limited([_finding_line(one) for one in record.findings], "findings"),
        _limited([f"  {one_line(one.path, 200)}: {one_line(one.reason, 1000)}" for one in record.problems], "problems"),
        _limited([_let_pass_line(case) for case in facts.passable_cases(record, tests)], "failures that are let pass"),
        _limited([_flaky_line(case) for case in facts.flaky_cases(tests)], "flaky tests"),
        _limited([_finding_line(one) for one in known], "known findings"),
        _limited([_image_line(image) for image in record.images], "images"),
        _limited([f"  {one_line(one.path, 200)} ({one_line(one.platform, 60)}, {size(one.size)})" for one in record.binaries], "binaries"),
        [f"Report: {one_line(str(report_dir), 1000)}/report.html"],
    ]  # fmt: skip
    return "\n".join(inert(line) for section in sections for line in section) + "\n"


def _outcome_line(record: RunRecord, tests: TestReport) -> str:
    why = ", ".join(facts.reasons(record, tests))
    words = facts.OUTCOME_WORDS[record.outcome] + (f": {why}" if why else "")
    return f"{words}, version {one_line(record.version.value, 100)}, in {duration(record.seconds)}"


def _limited(lines: list[str], heading: str) -> list[str]:
    if not lines:
        return []
    more = [f"  … and {len(lines) - MAX_ITEMS:,} more in the report"] if len(lines) > MAX_ITEMS else []
    return [f"{heading.capitalize()}:", *lines[:MAX_ITEMS], *more]


def _unclear(record: RunRecord, tests: TestReport) -> list[StageRecord]:
    """Stages whose reason stands nowhere else in the ending."""
    failed = facts.unexplained(record, tests_failed=bool(facts.broken_cases(record, tests)))
    return [stage for stage in record.stages if stage.outcome == "error" or stage in failed]


def _stage_line(stage: StageRecord) -> str:
    return f"  {one_line(stage.name, 100)}: {one_line(stage.reason or 'no reason was given', 1000)}"


def _case_line(case: Case) -> str:
    parts = [place(case.path, case.line), facts.case_title(case, 200), facts.case_message(case, 300)]
    return "  " + ": ".join(part for part in parts if part)


def _let_pass_line(case: Case) -> str:
    return f"{_case_line(case)} [{one_line(case.quarantined, 200)}]"


def _flaky_line(case: Case) -> str:
    parts = [place(case.path, case.line), facts.case_title(case, 200)]
    return f"  {': '.join(part for part in parts if part)} (passed at attempt {case.attempts})"


def _finding_line(finding: Finding) -> str:
    where = place(finding.path, finding.line, finding.column)
    rule = one_line(finding.rule or finding.tool, 100)
    return f"  {where}: {one_line(finding.message, 300)}" + (f" ({rule})" if rule else "")


def _image_line(image: ImageRecord) -> str:
    name = one_line(image.name, 300)
    refs: Iterable[str] = [f"{name}:{one_line(tag, 128)}" for tag in image.tags[:5]] or [name]
    digest = f" {one_line(image.digest, 80)}" if image.digest else ""
    return f"  {' '.join(refs)}{digest} ({'pushed' if image.pushed else 'not pushed'})"


def failure_tail(stage: StageRecord, log: Path) -> list[str]:
    """The last log lines of a broken stage's steps, none for any other stage."""
    return failure(log, TAIL_LINES) if stage.outcome in BROKEN else []
