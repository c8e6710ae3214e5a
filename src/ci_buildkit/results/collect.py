"""From what readers yield to one report: attempts folded into cases, everything counted from the cases themselves."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits
from ci_buildkit.results.model import Case, TestReport, Totals, changed
from ci_buildkit.results.reader import Item, Suite
from ci_buildkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Collector:
    """Takes items file by file. The rules are those of the `results` contract:

    a case is counted once; the same suite, class and name once more in one file after a failure is another attempt;
    a case that failed and then passed is passed and flaky.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """An empty report."""
        self._limits = limits or Limits()
        self._cases: list[Case] = []
        self._problems: list[Problem] = []
        self._files = 0
        self._suites = 0

    def problem(self, problem: Problem) -> None:
        """Adds a problem that belongs to no reader."""
        self._problems.append(problem)

    def file(self, name: str, items: Iterable[Item]) -> None:
        """Adds all items of one file. A file that gave only problems is not counted as one that was read."""
        broken: dict[tuple[str, str, str], int] = {}
        cases, suites, problems = len(self._cases), self._suites, len(self._problems)
        for item in items:
            if isinstance(item, Case):
                if len(self._cases) >= self._limits.cases:
                    reason = f"more than {self._limits.cases} test cases; the rest was not read"
                    self._problems.append(Problem(name, "limit", reason))
                    break
                self._case(item, broken)
            elif isinstance(item, Suite):
                self._suites += 1
            else:
                self._problems.append(item)
        if len(self._cases) > cases or self._suites > suites or len(self._problems) == problems:
            self._files += 1

    def _case(self, case: Case, broken: dict[tuple[str, str, str], int]) -> None:
        key = (case.suite, case.class_name, case.name)
        earlier = broken.pop(key, None) if broken else None
        if earlier is not None:
            case = another_attempt(self._cases[earlier], case)
            self._cases[earlier] = case
        else:
            earlier = len(self._cases)
            self._cases.append(case)
        if case.broken:
            broken[key] = earlier

    def report(self) -> TestReport:
        """Everything that was added."""
        return report(self._cases, self._problems, files=self._files, suites=self._suites)


def another_attempt(first: Case, then: Case) -> Case:
    """One case out of two attempts, of which the first broke. A skipped attempt does not make up for a failure."""
    attempts, seconds = first.attempts + then.attempts, first.seconds + then.seconds
    if then.outcome == "passed":
        # What a flaky case is worth telling is how it failed.
        return changed(first, outcome="passed", flaky=True, attempts=attempts, seconds=seconds)
    last = first if then.outcome == "skipped" else then
    path, line = (last.path, last.line) if last.path else (first.path, first.line)
    details = last.details
    if first.message != last.message and first.details not in details:
        # pytest writes a failure and the teardown that broke after it as two cases: both are worth reading.
        details = excerpt(f"{first.details}\n\n{details}")
    return changed(last, attempts=attempts, seconds=seconds, path=path, line=line, details=details)


def count(cases: Iterable[Case], *, files: int, suites: int) -> Totals:
    """Totals of `cases`; `files` and `suites` cannot be told from cases and are taken as they are."""
    outcomes = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    flaky = tests = 0
    seconds: list[float] = []
    for case in cases:
        tests += 1
        outcomes[case.outcome] += 1
        flaky += case.flaky
        seconds.append(case.seconds)
    return Totals(
        files=files,
        suites=suites,
        tests=tests,
        passed=outcomes["passed"],
        failed=outcomes["failed"],
        errors=outcomes["error"],
        skipped=outcomes["skipped"],
        flaky=flaky,
        seconds=round(fsum(seconds), 6),
    )


def report(cases: Sequence[Case], problems: Sequence[Problem], *, files: int, suites: int) -> TestReport:
    """A report whose totals are counted from its cases."""
    return TestReport(tuple(cases), tuple(problems), count(cases, files=files, suites=suites))


def merge(reports: Iterable[TestReport]) -> TestReport:
    """All cases and problems of `reports` in one; nothing is folded across reports, totals are counted again."""
    cases: list[Case] = []
    problems: list[Problem] = []
    files = suites = 0
    for one in reports:
        cases += one.cases
        problems += one.problems
        files += one.totals.files
        suites += one.totals.suites
    return report(cases, problems, files=files, suites=suites)
