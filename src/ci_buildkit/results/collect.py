"""From what readers yield to one report: attempts folded into cases, everything counted from the cases themselves."""

from __future__ import annotations

from collections import Counter
from math import fsum
from operator import attrgetter
from typing import TYPE_CHECKING

from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits
from ci_buildkit.results.model import NO_EVIDENCE, Case, Evidence, TestReport, Totals, changed
from ci_buildkit.results.reader import Item, Suite
from ci_buildkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_Keyed = dict[str, dict[tuple[str, str], int]]
"""A number for each of some cases: by name first, which few share, then by suite and class."""
_NAME = attrgetter("name")
_LEAST = 256
"""Characters that any output counts for: the case that has one is larger than one without by as much."""
_LEFT_OUT = "… left out: of what passed tests print, {limit:,} characters are kept in all …"


class _Names:
    """What the cases of one file are called that broke.

    `titles` are all their names. `broken` says where those of the suite that is being read are, `numbers` what is to be
    put behind the names of further cases that are called like one that broke in a suite before.
    """

    def __init__(self) -> None:
        """Nothing broke yet."""
        self.titles: set[str] = set()
        self.broken: _Keyed = {}
        self.numbers: _Keyed = {}

    def begin(self) -> None:
        """Another suite begins."""
        for title, keys in self.broken.items():
            for key in keys:
                self._count(title, key)
        self.broken.clear()

    def broke(self, title: str, key: tuple[str, str], place: int) -> None:
        """A case broke; nothing more is an attempt of one without a name."""
        self.titles.add(title)
        if title:
            self.broken.setdefault(title, {})[key] = place
        else:
            self._count(title, key)

    def _count(self, title: str, key: tuple[str, str]) -> None:
        numbers = self.numbers.setdefault(title, {})
        numbers[key] = numbers.get(key, 1) + 1


class Collector:
    """Takes items file by file. The rules are those of the `results` contract:

    a case is counted once; the same suite, class and name once more in one file after a failure is another attempt;
    a case that failed and then passed is passed and flaky. A suite that begins once more under its name is another one
    (Playwright writes one for each browser, jest-junit one for each `describe` of that title), so its cases are no
    attempts of those before, and get a number where those broke. Neither are cases without a name.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """An empty report."""
        self._limits = limits or Limits()
        self._cases: list[Case] = []
        self._problems: list[Problem] = []
        self._files = 0
        self._suites = 0
        self._room = self._limits.output
        self._left_out = Evidence(output=_LEFT_OUT.format(limit=self._limits.output))

    def problem(self, problem: Problem) -> None:
        """Adds a problem that belongs to no reader."""
        self._problems.append(problem)

    def file(self, name: str, items: Iterable[Item]) -> None:
        """Adds all items of one file. A file that gave only problems is not counted as one that was read."""
        names = _Names()
        cases, suites, problems = len(self._cases), self._suites, len(self._problems)
        for item in items:
            if isinstance(item, Suite):
                self._suites += 1
                names.begin()
            elif isinstance(item, Problem):
                self._problems.append(item)
            elif not self._add((item,) if isinstance(item, Case) else item, names):
                reason = f"more than {self._limits.cases} test cases; the rest was not read"
                self._problems.append(Problem(name, "limit", reason))
                break
        if len(self._cases) > cases or self._suites > suites or len(self._problems) == problems:
            self._files += 1

    def _add(self, cases: Sequence[Case], names: _Names) -> bool:
        """Adds cases of one file up to the limit; says whether that was all of them."""
        added = cases[: self._limits.cases - len(self._cases)]
        if not isinstance(added, tuple) and names.titles.isdisjoint(map(_NAME, added)):
            self._cases += added
        else:
            for case in added:
                self._case(case, names)
        return len(added) == len(cases)

    def _case(self, case: Case, names: _Names) -> None:
        """Adds a case, to its earlier attempt where there is one."""
        key = (case.suite, case.class_name)
        title = case.name
        number = names.numbers[title].get(key) if title in names.numbers else None
        if number is not None:
            case = changed(case, name=f"{title} ({number})")
        earlier = names.broken[title].pop(key, None) if title in names.broken else None
        if earlier is not None:
            case = another_attempt(self._cases[earlier], case)
            self._cases[earlier] = case
        else:
            earlier = len(self._cases)
            self._cases.append(self._bounded(case))
        if case.broken:
            names.broke(title, key, earlier)

    def _bounded(self, case: Case) -> Case:
        """`case` with its output, or where the limit of output was reached, with a word about that instead."""
        if not case.output or case.broken or case.flaky:
            return case
        self._room -= max(len(case.output), _LEAST)
        if self._room >= 0:
            return case
        self._room = 0
        if case.evidence == Evidence(output=case.output):
            return changed(case, evidence=self._left_out)
        return changed(case, output=self._left_out.output)

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


def count(cases: Sequence[Case], *, files: int, suites: int) -> Totals:
    """Totals of `cases`; `files` and `suites` cannot be told from cases and are taken as they are."""
    outcomes = Counter(map(attrgetter("outcome"), cases))
    evidences = map(attrgetter("evidence"), cases)
    flaky = sum(one.flaky for one in evidences if one is not NO_EVIDENCE and isinstance(one, Evidence))
    return Totals(
        files=files,
        suites=suites,
        tests=len(cases),
        passed=outcomes["passed"],
        failed=outcomes["failed"],
        errors=outcomes["error"],
        skipped=outcomes["skipped"],
        flaky=flaky,
        seconds=round(fsum(map(attrgetter("seconds"), cases)), 6),
    )


def report(cases: Sequence[Case], problems: Sequence[Problem], *, files: int, suites: int) -> TestReport:
    """A report whose totals are counted from its cases, which are not copied: there may be a million."""
    return TestReport(cases or (), tuple(problems), count(cases, files=files, suites=suites))


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
