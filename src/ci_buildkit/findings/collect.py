"""From what readers yield to one report, in the order of path, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.findings.model import Finding, FindingReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ci_buildkit.problem import Problem


def report(
    findings: Iterable[Finding],
    problems: Iterable[Problem],
    known: Iterable[Finding] = (),
    notes: Iterable[str] = (),
) -> FindingReport:
    """A report in the order of path, line and column; findings of one place keep their order."""
    return FindingReport(
        tuple(sorted(findings, key=_place)),
        tuple(problems),
        tuple(sorted(known, key=_place)),
        tuple(dict.fromkeys(notes)),
    )


def merge(reports: Iterable[FindingReport]) -> FindingReport:
    """All findings, problems and notes of `reports` in one."""
    every = tuple(reports)
    return report(
        (finding for one in every for finding in one.findings),
        (problem for one in every for problem in one.problems),
        (finding for one in every for finding in one.known),
        (note for one in every for note in one.notes),
    )


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.line or 0, finding.column or 0
