"""Annotations of a run as workflow commands, the most important ones first and never more than the runner shows.

The runner keeps 10 annotations per level for one step, those of a composite action's inner steps together, and cuts
messages at 4096 characters (`_maxCountPerIssueType`, `_maxIssueMessageLength` in its ExecutionContext.cs).
"""

from __future__ import annotations

from itertools import chain, zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit.github.runner import command
from ci_buildkit.report import facts
from ci_buildkit.report.text import cut, one_line, plain
from ci_buildkit.text import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ci_buildkit.findings.model import Finding, Severity
    from ci_buildkit.problem import Problem
    from ci_buildkit.record import RunRecord, StageRecord
    from ci_buildkit.results.model import Case, TestReport

MAX_PER_LEVEL = 10
# What the step prints besides: action.yml's last step ends with an error, and a run may warn of its own (a report folder
# in the build context, say).
RESERVED: Mapping[Severity, int] = MappingProxyType({"error": 1, "warning": 1, "notice": 0})
MAX_MESSAGE = 4096
MAX_TITLE = 255
DETAILS = 1500


class Annotation(Struct, frozen=True):
    """One annotation. Lines and columns are 1-based; `path` is relative to the repository."""

    level: Severity
    title: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    def command(self) -> str:
        """The workflow command."""
        located = self.path is not None
        properties: dict[str, str | int | None] = {
            "title": one_line(self.title, MAX_TITLE) or None,
            "file": one_line(self.path or "", 1000) or None,
            "line": self.line if located else None,
            "endLine": self.end_line if located else None,
            "col": self.column if located else None,
            "endColumn": self.end_column if located else None,
        }
        # An empty message would be dropped by the runner.
        message = cut(plain(self.message[: MAX_MESSAGE * 4]).strip(), MAX_MESSAGE) or one_line(self.title, 200)
        return command(self.level, message or "(no message)", properties)


def commands(record: RunRecord, tests: TestReport, *, known: Sequence[Finding] = (), url: str = "") -> list[str]:
    """The workflow commands to print, one a line: as many as the runner shows, and a notice that says how many more.

    `known` are findings that do not count because a baseline lists them, `url` is the page that has the rest.
    """
    found = collect(record, tests, known)
    kept: list[Annotation] = []
    for level in facts.SEVERITIES:
        of_level = [one for one in found if one.level == level]
        kept.extend(of_level[: MAX_PER_LEVEL - RESERVED[level]])
    left_out = len(found) - len(kept)
    if left_out:
        notices = [one for one in kept if one.level == "notice"]
        if len(notices) == MAX_PER_LEVEL:
            kept.remove(notices[-1])
            left_out += 1
        kept.append(Annotation("notice", "More in the report", _more(left_out, url)))
    return [one.command() for one in kept]


def _more(count: int, url: str) -> str:
    where = f"the summary and the report's artifact have all: {url}" if url else "report.html has all"
    return f"and {count:,} more: GitHub shows {MAX_PER_LEVEL} of a level; {where}"


def collect(record: RunRecord, tests: TestReport, known: Sequence[Finding] = ()) -> list[Annotation]:
    """All annotations, the most important first.

    Broken stages, problems, then failed tests and findings by turns so that neither hides the other; then what does not
    count: failures that are let pass, flaky tests, known findings.
    """
    broken = facts.broken_cases(record, tests)
    cases: Iterable[Annotation] = [_of_case(case) for case in broken]
    findings = [_of_finding(finding) for finding in record.findings]
    by_turns = chain.from_iterable(zip_longest(cases, findings))
    return [
        *[_of_stage(stage, "did not finish") for stage in record.stages if stage.outcome == "error"],
        *[_of_stage(stage, "failed") for stage in facts.unexplained(record, tests_failed=bool(broken))],
        *[_of_problem(problem) for problem in record.problems],
        *[one for one in by_turns if one is not None],
        *[_of_let_pass(case) for case in facts.passable_cases(record, tests)],
        *[_of_flaky(case) for case in facts.flaky_cases(tests)],
        *[_of_known(finding) for finding in known],
    ]


def _of_stage(stage: StageRecord, what: str) -> Annotation:
    return Annotation("error", f"{stage.name} {what}", stage.reason or "see its log in the report")


def _of_problem(problem: Problem) -> Annotation:
    level: Severity = "warning" if problem.kind in {"cleanup", "quarantine"} else "error"
    return Annotation(level, f"{problem.kind}: {problem.path}", problem.reason)


def _of_case(case: Case) -> Annotation:
    message = plain(case.message[:MAX_MESSAGE]).strip()
    details = block(plain(case.details[: DETAILS * 2]))
    text = message if details.strip() in {"", message} else f"{message}\n\n{cut(details, DETAILS)}".strip()
    return Annotation("error", facts.case_title(case, 120), text, case.path, case.line)


def _of_let_pass(case: Case) -> Annotation:
    told = _of_case(case)
    return replace(told, level="warning", message=f"{case.quarantined}\n\n{told.message}".strip())


def _of_flaky(case: Case) -> Annotation:
    return Annotation(
        "notice", facts.case_title(case, 120), f"flaky: passed at attempt {case.attempts}", case.path, case.line
    )


def _of_finding(finding: Finding) -> Annotation:
    title = ": ".join(part for part in (finding.tool, finding.rule) if part)
    return Annotation(
        finding.severity, title, finding.message, finding.path or None,
        finding.line, finding.column, finding.end_line, finding.end_column,
    )  # fmt: skip


def _of_known(finding: Finding) -> Annotation:
    told = _of_finding(finding)
    return replace(told, level="notice", message=f"known: {told.message}")
