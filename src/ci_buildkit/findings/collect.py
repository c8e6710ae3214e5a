"""From what readers yield to one report, in the order of path, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.findings.model import Finding, FindingReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ci_buildkit.problem import Problem


def report(findings: Iterable[Finding], problems: Iterable[Problem]) -> FindingReport:
    """A report in the order of path, line and column; findings of one place keep their order."""
    return FindingReport(tuple(sorted(findings, key=_place)), tuple(problems))


def merge(reports: Iterable[FindingReport]) -> FindingReport:
    """All findings and problems of `reports` in one."""
    every = tuple(reports)
    return report(
        (finding for one in every for finding in one.findings), (problem for one in every for problem in one.problems)
    )


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.line or 0, finding.column or 0
