"""What every report says about a run, in one place so that the summary, the page and the terminal agree."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit.report.text import duration, one_line
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ci_buildkit.findings.model import Finding, Severity
    from ci_buildkit.record import CriticalPathRecord, RunRecord, StageRecord
    from ci_buildkit.results.model import Case, TestReport, Totals

OUTCOME_WORDS = {"passed": "Passed", "failed": "Failed", "error": "Error", "cancelled": "Cancelled"}
SOURCES = {"export": "from its export", "recovered": "taken out of the step", "log": "read from its log"}
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")
SLOW_SECONDS = 1.0


def broken_cases(record: RunRecord, tests: TestReport) -> tuple[Case, ...]:
    """Failed and broken test cases, with their details where the test report is at hand."""
    return tuple(case for case in tests.cases or record.tests.failed if case.broken)


def totals_of(record: RunRecord, tests: TestReport) -> Totals:
    """The totals of the test report, or those of the record where there is no report."""
    return tests.totals if tests.totals.tests else record.tests.totals


class Failures(Struct, frozen=True):
    """How many cases failed and broke, without those that are `let_pass`; the three have no case in common."""

    failed: int
    errors: int
    let_pass: int

    @property
    def counting(self) -> int:
        """How many make the run red."""
        return self.failed + self.errors


def failures(record: RunRecord, tests: TestReport) -> Failures:
    """The failures of a run."""
    totals = totals_of(record, tests)
    passable = Counter(case.outcome for case in passable_cases(record, tests))
    return Failures(totals.failed - passable["failed"], totals.errors - passable["error"], passable.total())


def flaky_cases(tests: TestReport) -> tuple[Case, ...]:
    """Cases that passed, but not at the first attempt."""
    return tuple(case for case in tests.cases if case.flaky)


def passable_cases(record: RunRecord, tests: TestReport) -> tuple[Case, ...]:
    """Failed and broken cases that do not make the run red: quarantined ones, and what `--fail-on` lets pass."""
    return tuple(case for case in tests.cases or record.tests.failed if case.quarantined)


def slowest_cases(tests: TestReport, count: int = 5) -> tuple[Case, ...]:
    """The slowest cases of at least a second, the slowest first."""
    slow = (case for case in tests.cases if case.seconds >= SLOW_SECONDS)
    return tuple(sorted(slow, key=lambda case: -case.seconds)[:count])


def case_title(case: Case, limit: int = 300) -> str:
    """`class: name` on one line (the suite where there is no class)."""
    owner = one_line(case.class_name or case.suite, limit)
    name = one_line(case.name, limit)
    return f"{owner}: {name}" if owner and name else owner or name or "(unnamed test)"


def case_id(case: Case) -> str:
    """The anchor of a case in report.html, the same wherever the case is read from: `case-` and ten hexadecimal digits."""
    words = "\0".join((case.file, case.suite, case.class_name, case.name))
    return f"case-{hashlib.blake2b(words.encode('utf-8', 'replace'), digest_size=5).hexdigest()}"


def case_message(case: Case, limit: int = 300) -> str:
    """The failure in one line: the message, else the first line of the details."""
    return one_line(case.message, limit) or one_line(case.details.lstrip().partition("\n")[0], limit)


def all_findings(record: RunRecord, known: Iterable[Finding] = ()) -> list[tuple[Finding, bool]]:
    """Findings that count, and those that a baseline lists (True), in the order of path, line and column."""
    marked = [*((one, False) for one in record.findings), *((one, True) for one in known)]
    return sorted(marked, key=lambda pair: (pair[0].path, pair[0].line or 0, pair[0].column or 0))


def by_file(findings: Iterable[tuple[Finding, bool]]) -> dict[str, list[tuple[Finding, bool]]]:
    """Findings under their path, in the order given."""
    grouped: dict[str, list[tuple[Finding, bool]]] = {}
    for pair in findings:
        grouped.setdefault(pair[0].path, []).append(pair)
    return grouped


def reasons(record: RunRecord, tests: TestReport) -> list[str]:
    """Why the run is red, in a few words each; for a green run what it did."""
    totals = totals_of(record, tests)
    parts = _red(record, totals, failures(record, tests))
    if record.outcome != "passed":
        return parts or [one_line(stage.reason, 200) for stage in record.stages if stage.reason][:1]
    return [*([plural(totals.tests, "test")] if totals.tests else []), *parts, *_made(record)]


def _red(record: RunRecord, totals: Totals, broken: Failures) -> list[str]:
    return [
        *([f"{broken.counting:,} of {plural(totals.tests, 'test')} failed"] if broken.counting else []),
        *([plural(len(record.findings), "lint finding")] if record.findings else []),
        *_unexplained(record, tests_failed=broken.counting > 0),
        *([plural(len(record.problems), "problem")] if record.problems else []),
        *([f"{plural(broken.let_pass, 'failure')} let pass"] if broken.let_pass else []),
        *([plural(totals.flaky, "flaky test")] if totals.flaky else []),
        *([plural(record.known_findings, "known finding")] if record.known_findings else []),
    ]


def unexplained(record: RunRecord, *, tests_failed: bool) -> list[StageRecord]:
    """Failed stages whose failure neither the tests nor the findings show."""
    shown = {"test": tests_failed, "lint": bool(record.findings)}
    return [one for one in record.stages if one.outcome == "failed" and not shown.get(one.kind, False)]


def _unexplained(record: RunRecord, *, tests_failed: bool) -> list[str]:
    failed = [one.name for one in unexplained(record, tests_failed=tests_failed)]
    broken = [one.name for one in record.stages if one.outcome == "error"]
    return [
        *([f"{_listed(failed)} failed"] if failed else []),
        *([f"error in {_listed(broken)}"] if broken else []),
    ]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return one_line(", ".join(names[:3]) + more, 200)


def _made(record: RunRecord) -> list[str]:
    images = len(record.images)
    verb = "pushed" if any(image.pushed for image in record.images) else "built"
    binaries = len(record.binaries)
    return [
        *([f"{binaries} {'binary' if binaries == 1 else 'binaries'}"] if binaries else []),
        *([f"{plural(images, 'image')} {verb}"] if images else []),
    ]


def stage_notes(stage: StageRecord) -> list[str]:
    """What is worth saying about a stage beside its outcome, each on one line."""
    notes = [one_line(stage.reason, 300)] if stage.reason else []
    if stage.results_from:
        notes.append(f"results {SOURCES[stage.results_from]}")
    if stage.findings_from:
        notes.append(f"findings {SOURCES[stage.findings_from]}")
    if stage.replayed:
        notes.append("the test step came from the cache and did not run now")
    if stage.attempts > 1:
        notes.append(f"{stage.attempts} attempts")
    notes.extend(
        f"{one_line(one.platform, 60)} emulated: {duration(one.seconds)} in {plural(one.steps, 'step')}"
        for one in stage.emulated
    )
    return notes


def critical_path(path: CriticalPathRecord) -> str:
    """What the critical path says of a run in one sentence."""
    waited = f" and {duration(path.waited_seconds)} of waiting" if path.waited_seconds >= SLOW_SECONDS else ""
    return (
        f"{duration(path.seconds)} in {plural(len(path.steps), 'step')} one after the other{waited}; "
        f"{path.parallelism:.1f} steps at once on average; with unlimited cores {duration(path.ideal_seconds)} in all"
    )


def cache_share(stage: StageRecord) -> str:
    """`9 of 12` steps from the cache; a hyphen where the stage has no steps."""
    return f"{stage.cached_steps} of {stage.steps}" if stage.steps else "-"
