"""Two attempts of the same tests as one report: what failed and then passed is flaky."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from ci_buildkit.results.collect import another_attempt, report
from ci_buildkit.results.model import Case, TestReport, changed

Key = tuple[str, ...]


def fold(first: TestReport, then: TestReport, elsewhere: Callable[[str], str] = str) -> TestReport:
    """One report of an attempt and the next; the last one decides.

    A case that failed and then passed is passed and flaky, one that failed in the last attempt has failed. What the
    next attempt has no result of keeps its first one, in the file that `elsewhere` says the first attempt's is now.
    Cases are the same by file, suite, class and name, and where a report's file has another name each time (TRX files
    are named by the time) by the rest, if that names one case only.
    """
    waiting = _by(first.cases, _strict)
    left: list[tuple[int, Case]] = []
    folded: list[Case] = []
    for case in then.cases:
        if earlier := waiting.get(_strict(case)):
            folded.append(_again(earlier.popleft(), case))
        else:
            left.append((len(folded), case))
            folded.append(case)
    unmatched = [case for queue in waiting.values() for case in queue]
    loose, new = _by(unmatched, _loose), _by((case for _, case in left), _loose)
    for place, case in left:
        same = loose.get(_loose(case), ())
        if len(same) == len(new[_loose(case)]) == 1:
            folded[place] = _again(loose.pop(_loose(case)).popleft(), case)
    kept = [changed(case, file=elsewhere(case.file)) for queue in loose.values() for case in queue]
    problems = tuple(dict.fromkeys((*first.problems, *then.problems)))
    files = max(first.totals.files, then.totals.files)
    return report([*folded, *kept], problems, files=files, suites=max(first.totals.suites, then.totals.suites))


def _strict(case: Case) -> Key:
    return case.file, case.suite, case.class_name, case.name


def _loose(case: Case) -> Key:
    return case.suite, case.class_name, case.name


def _by(cases: Iterable[Case], key: Callable[[Case], Key]) -> dict[Key, deque[Case]]:
    found: dict[Key, deque[Case]] = defaultdict(deque)
    for case in cases:
        found[key(case)].append(case)
    return found


def _again(first: Case, then: Case) -> Case:
    """One case out of two attempts."""
    attempts, seconds = first.attempts + then.attempts, first.seconds + then.seconds
    if first.outcome in {"failed", "error"}:
        return changed(another_attempt(first, then), file=then.file)
    if then.outcome == "skipped" or (first.flaky and then.outcome == "passed"):
        return changed(first, file=then.file, attempts=attempts, seconds=seconds)
    return changed(then, attempts=attempts, seconds=seconds)
