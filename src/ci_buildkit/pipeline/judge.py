"""From what a stage did to its outcome. Pure: every rule that keeps a run from being green by mistake is here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct, field

from ci_buildkit.config.levels import Level
from ci_buildkit.engine import trouble
from ci_buildkit.engine.progress import FAILED, Progress, Step
from ci_buildkit.errors import BuildFailed, EngineError, FailuresFound, OutputError
from ci_buildkit.findings.model import FindingReport
from ci_buildkit.problem import Problem
from ci_buildkit.record import StageOutcome
from ci_buildkit.results.model import TestReport, Totals
from ci_buildkit.results.policy import let_pass
from ci_buildkit.text import plural

EXIT_CODE = re.compile(rf"{FAILED}: exit code: (\d+)")
MAX_NAME = 200  # characters of a step's name in a reason
# From here on a shell's exit codes say that a command was ended or never began (124 is timeout's, 128 + N a signal's;
# Python's are negative then), which no failed test and no finding explains.
KILLED = 124
CANCELED = "context canceled"
Source = Literal["export", "recovered", "log"] | None
_SEVERE: Mapping[Level, frozenset[str]] = {
    "failures": frozenset(),
    "errors": frozenset({"error"}),
    "warnings": frozenset({"error", "warning"}),
    "nothing": frozenset(),
}


class Verdict(Struct, frozen=True):
    """An outcome, its reason (None when passed) and the exit code that it asks for."""

    outcome: StageOutcome
    reason: str | None = None
    exit_code: int = 0


class Seen(Struct, frozen=True):
    """What a lint stage left: findings and where they come from, and what its exit-code file recorded."""

    report: FindingReport = field(default_factory=FindingReport)
    source: Source = None
    exit_code: int | None = None


class Ended(Struct, frozen=True):
    """A command that failed: what is said of it, and whether it was ended rather than ended by itself.

    `cut_off` is a RUN that did not come to its end because of it, "" without any.
    """

    reason: str
    killed: bool
    cut_off: str = ""

    @property
    def whole(self) -> str:
        """All that is said of it."""
        return f"{self.reason}, so that {self.cut_off} never ended" if self.cut_off else self.reason


PASSED = Verdict("passed")
CANCELLED = Verdict("cancelled", "interrupted", 130)


def build(returncode: int, progress: Progress, text: str) -> Verdict:
    """The verdict on a build that only has to succeed."""
    if returncode == 0:
        return PASSED
    step = progress.failed
    said = _said(step, text)
    # A failing RUN is the project's own even where its output speaks of a refused connection.
    own = step is not None and FAILED in step.error
    ended = next((line for line in reversed(text.splitlines()) if line.startswith("ERROR: ")), "")
    if own and FAILED not in ended and trouble.is_engine(ended):
        # The connection to a machine broke, and what ran on the others was killed with it.
        return Verdict("error", ended.removeprefix("ERROR: "), EngineError.exit_code)
    if not own and trouble.is_engine(said):
        return Verdict("error", said, EngineError.exit_code)
    return Verdict("error", said, BuildFailed.exit_code)


def lint(
    returncode: int, progress: Progress, text: str, stages: Sequence[str], seen: Seen, level: Level = "failures"
) -> Verdict:
    """The verdict on a lint target, which fails by its own RUN; anything that breaks before it is a failed build."""
    if returncode and not own_step(progress.failed, stages):
        return build(returncode, progress, text)
    report = seen.report
    ended = _ended(returncode, progress, text, stages, seen.exit_code, "the linter")
    # Where the linter's own exit code decides, what its log or a file that it left may hide does not.
    own = not (ended and report.known) if level == "failures" else level == "nothing" and not ended
    if report.problems and (seen.source == "export" or not own):
        return _unreadable(report.problems[0])
    severe = _SEVERE[level]
    if level == "failures" and seen.source == "export" and seen.exit_code is None:
        severe = _SEVERE["errors"]  # an export needs a RUN that did not fail, so the report alone can say it
    counting = sum(finding.severity in severe for finding in report.findings)
    if counting:
        number = len(report.findings)
        part = f", {counting:,} of which {'counts' if counting == 1 else 'count'}" if counting < number else ""
        return Verdict("failed", plural(number, "finding") + part, FailuresFound.exit_code)
    return _lint_ended(ended, seen, level) if ended else PASSED


def _lint_ended(ended: Ended, seen: Seen, level: Level) -> Verdict:
    """The verdict on a linter that failed, though no finding is so severe that it counts by itself."""
    number, known = len(seen.report.findings), len(seen.report.known)
    if not number + known:
        place = "log" if seen.source in {None, "log"} else "files"
        return Verdict("failed", f"{ended.reason}; no finding could be read from its {place}", FailuresFound.exit_code)
    if ended.killed:
        reason = f"{ended.reason}, which {plural(number + known, 'finding')} cannot explain"
        return Verdict("failed", reason, FailuresFound.exit_code)
    if number and level in {"failures", "warnings"}:
        return Verdict("failed", plural(number, "finding"), FailuresFound.exit_code)
    if ended.cut_off:
        return Verdict("failed", ended.whole, FailuresFound.exit_code)
    parts = [f"{plural(number, 'finding')}, which --fail-on lint={level} lets pass"] if number else []
    parts += [f"{plural(known, 'known finding')}, which the baseline lets pass"] if known else []
    return Verdict("passed", "; ".join(parts))


def tests(
    returncode: int, progress: Progress, text: str, stages: Sequence[str], report: TestReport, exit_code: int | None
) -> Verdict:
    """The verdict on a test target. `exit_code` is what its exit-code file recorded, None without one.

    The report is one that `results.policy` has judged.
    """
    if returncode and not own_step(progress.failed, stages):
        return build(returncode, progress, text)
    if report.problems:
        return _unreadable(report.problems[0])
    totals = report.totals
    passed = let_pass(report)
    if report.broken:
        counting = totals.failed + totals.errors - report.quarantined
        reason = f"{counting:,} of {plural(totals.tests, 'test')} failed" + (f"; {passed}" if passed else "")
        return Verdict("failed", reason, FailuresFound.exit_code)
    ended = _ended(returncode, progress, text, stages, exit_code, "the tests")
    if ended and (ended.killed or ended.cut_off or not passed):
        found = passed or ("its reports show no failure" if totals.tests else "no test report was found")
        return Verdict("failed", f"{found}, but {ended.whole}", FailuresFound.exit_code)
    if not totals.tests:
        return Verdict("failed", "no test results were found, neither files nor in the log", OutputError.exit_code)
    return Verdict("passed", passed or None)


def incomplete(found: Verdict, left_out: Sequence[Problem], returncode: int) -> Verdict:
    """The verdict on a test target of whose reports some were left out: nobody knows what they say.

    A RUN that failed is not less red for that, and stays its own project's.
    """
    return _unreadable(left_out[0]) if left_out and not (returncode and found.exit_code) else found


def only_tests_failed(
    returncode: int, progress: Progress, stages: Sequence[str], report: TestReport, exit_code: int | None
) -> bool:
    """Whether failed tests are all that is wrong with a test stage, so that running it again may help."""
    if returncode and not own_step(progress.failed, stages):
        return False
    ended = _ended(returncode, progress, "", stages, exit_code, "the tests")
    return report.broken and not report.problems and not (ended and ended.killed)


def _unreadable(worst: Problem) -> Verdict:
    return Verdict("failed", f"{worst.path}: {worst.reason}", OutputError.exit_code)


def _ended(
    returncode: int, progress: Progress, text: str, stages: Sequence[str], exit_code: int | None, who: str
) -> Ended | None:
    """How a failed RUN ended, or what it recorded of a command that failed; None where neither failed."""
    if returncode:
        code = EXIT_CODE.search(progress.failed.error) if progress.failed else None
        killed = code is not None and int(code[1]) >= KILLED
        return Ended(_said(progress.failed, text), killed, _cut_off(progress, stages))
    if exit_code:
        return Ended(f"{who} ended with exit code {exit_code}", exit_code < 0 or exit_code >= KILLED)
    return None


def own_step(step: Step | None, stages: Sequence[str]) -> bool:
    """Whether a step is a RUN of one of these stages, and failed by its command's exit code."""
    return step is not None and FAILED in step.error and runs_in(step, stages)


def running(progress: Progress) -> list[Step]:
    """The steps that began and have not ended."""
    return [step for step in progress.steps.values() if step.started and not (step.completed or step.error)]


def overtime(timeout: str, step: Step | None, stages: Sequence[str], found: Verdict, totals: Totals) -> Verdict:
    """The verdict on a stage that was ended because it took longer than `timeout`.

    `step` is what it was at, `found` the verdict that it would have got without that, `totals` are those of the tests that
    it had run. A RUN of `stages`, which test or lint, has failed; what else takes too long is the build's fault, or, where
    no RUN does, the registry's or the builder's.
    """
    said = f"took longer than {timeout} (--stage-timeout)"
    if step is None:
        return Verdict(found.outcome, f"{said}; {found.reason}", found.exit_code)
    if totals.tests:
        said += f"; until then {plural(totals.tests, 'test')} ran, {totals.failed + totals.errors:,} of which failed"
    said += f"; it was at {_name(step)}"
    if stages and runs_in(step, stages):
        return Verdict("failed", said, FailuresFound.exit_code)
    return Verdict("error", said, (BuildFailed if step.is_run else EngineError).exit_code)


def runs_in(step: Step, stages: Sequence[str]) -> bool:
    """Whether a step is a RUN of one of these stages; where a file has only one stage, its steps do not name it."""
    return step.is_run and step.stage in {*stages, ""}


def replayed(progress: Progress, stages: Sequence[str]) -> bool:
    """Whether every RUN of these stages came from the cache, so that what they show is an earlier run's."""
    runs = [step for step in progress.steps.values() if runs_in(step, stages)]
    return bool(runs) and all(step.cached for step in runs)


def partly_replayed(progress: Progress, stages: Sequence[str]) -> bool:
    """Whether a RUN of these stages came from the cache, so that what it printed is not in the log."""
    return any(step.cached for step in progress.steps.values() if runs_in(step, stages))


def _cut_off(progress: Progress, stages: Sequence[str]) -> str:
    """The name of a RUN of these stages that the failure of another kept from its end, "" without any.

    BuildKit names every step at the start, and cancels those that run beside one that fails.
    """
    for step in progress.steps.values():
        unfinished = CANCELED in step.error or not (step.error or step.cached or step.completed)
        if runs_in(step, stages) and step is not progress.failed and unfinished:
            return _name(step)
    return ""


def _name(step: Step) -> str:
    return " ".join(step.name.split())[:MAX_NAME]


def _said(step: Step | None, text: str) -> str:
    if step is not None and step.error:
        if ended := EXIT_CODE.search(step.error):  # the command is in the name already
            return f"{_name(step)} ended with exit code {ended[1]}"
        return f"{_name(step)}: {step.error}"
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["the build ended without a message"])[-1].removeprefix("ERROR: ")
