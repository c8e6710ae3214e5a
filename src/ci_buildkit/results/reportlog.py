"""pytest-reportlog: one line a report (`pytest --report-log=FILE`; fields are those of `_report_to_json` in _pytest).

A test is up to three reports (setup, call, teardown), and again for each rerun of pytest-rerunfailures. As in pytest's
own JUnit XML, what broke in setup or teardown is an error, and a module that cannot be collected is one too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ci_buildkit.fields import mapping, sequence, string
from ci_buildkit.problem import Problem
from ci_buildkit.results import longrepr
from ci_buildkit.results.events import Events
from ci_buildkit.results.maker import CaseMaker, duration, with_suites
from ci_buildkit.results.reader import Item, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source
    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "reportlog"
_FAILED, _INTERNAL, _NO_TESTS = 1, 3, 5
# How pytest-rerunfailures and pytest-retry call a run that failed and is not the last, and whether a set-up follows.
_RERUNS = {"rerun": True, "retried": False}
_UNFINISHED = "did not finish: the log ends before this test did"


class Report(msgspec.Struct, gc=False):
    """One line."""

    kind: str = msgspec.field(name="$report_type")
    nodeid: str = ""
    outcome: str = ""
    when: str | None = None
    duration: float = 0.0
    longrepr: Any = None
    sections: Any = None
    location: tuple[str, int | None, str] | None = None
    wasxfail: str | None = None
    context: Any = msgspec.field(name="_subtest.context", default=None)
    exitstatus: int | None = None


_EVENTS = Events(Report)


class _Test:
    """One test and all its runs so far."""

    __slots__ = ("again", "attempts", "broken", "called", "seconds", "sections", "skipped", "tried", "where")

    def __init__(self, where: Report) -> None:
        self.where = where
        self.attempts = 1
        self.seconds = 0.0
        self.broken: list[Report] = []
        self.tried: Report | None = None
        self.skipped: Report | None = None
        self.called: Report | None = None
        self.sections: Any = None
        self.again = False

    def add(self, report: Report) -> None:
        """Takes the report of a phase."""
        self.seconds += duration(report.duration)
        if report.sections:
            self.sections = report.sections
        if report.when == "setup":
            self.again = False
        if report.outcome == "passed":
            if report.when == "call":
                self.called = report
        elif report.outcome in _RERUNS:
            self.attempts += 1
            self.tried = self.tried or report
            self.again = _RERUNS[report.outcome]
        elif report.outcome == "skipped":
            self.skipped = report
        else:
            self.broken.append(report)


class ReportLog:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._maker = CaseMaker(source, FORMAT)
        self._open: dict[str, _Test] = {}
        self._cases: list[Case] = []
        self._cut: list[int] = []
        self._number = 0
        self._started = 0
        self._statuses: list[int] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was a report."""
        report = _EVENTS.event(line)
        if report is not None:
            return self.take(report)
        self._number += 1
        if line.strip():
            self._cut.append(self._number)
        return False

    def take(self, report: Report) -> bool:
        """Takes what has the shape of a report; says whether it is one."""
        self._number += 1
        if report.kind == "TestReport":
            test = self._open.get(report.nodeid)
            if test is None:
                test = self._open[report.nodeid] = _Test(report)
            test.add(report)
            if report.when == "teardown" and not test.again:
                del self._open[report.nodeid]
                self._cases.append(self._case(report, test))
        elif report.kind == "CollectReport":
            if report.outcome != "passed":
                self._cases.append(self._collected(report))
        elif report.kind == "SubTestReport":
            self._cases.append(self._subtest(report))
        elif report.kind == "SessionStart":
            self._started += 1
        elif report.kind == "SessionFinish":
            self._statuses.append(report.exitstatus or 0)
        return True

    def _case(self, last: Report, test: _Test) -> Case:
        class_name, name = address(last.nodeid)
        path, line = _location(last)
        if test.called and not (test.broken or test.skipped or test.tried or test.called.wasxfail is not None):
            # The common case, kept short.
            return self._maker.passed("", class_name, name, test.seconds, path, line)
        told = test.broken or [one for one in (test.skipped, test.called, test.tried) if one][:1]
        if test.broken:
            outside = any(report.when != "call" for report in test.broken)
            return self._told(class_name, name, "error" if outside else "failed", test, told, last)
        if test.skipped:
            return self._told(class_name, name, "skipped", test, told, last)
        if test.called and not test.again:
            return self._told(class_name, name, "passed", test, [test.tried or test.called], last)
        return self._maker.case(
            "", class_name, name, "error", test.seconds, message=_UNFINISHED, path=path, line=line,
            attempts=test.attempts, output=_captured(test.sections),
        )  # fmt: skip

    def _told(
        self, class_name: str, name: str, outcome: Outcome, test: _Test, told: list[Report], last: Report
    ) -> Case:
        """The case of a test of which `told` are the reports that say why."""
        first = longrepr.read(told[0].longrepr, self._source.mapper)
        path, line = _location(last)
        message = first.message
        if told[0].wasxfail is not None:
            message = f"expected to fail: {told[0].wasxfail}" if outcome == "skipped" else f"passed, but was expected to fail: {told[0].wasxfail}"  # fmt: skip
        rest = (longrepr.read(report.longrepr, self._source.mapper).details for report in told[1:])
        return self._maker.case(
            "", class_name, name, outcome, test.seconds, message=message, details="\n\n".join([first.details, *rest]),
            output=_captured(test.sections) if outcome in {"failed", "error"} else "", path=path, line=line,
            place=first.place, attempts=test.attempts, flaky=outcome == "passed" and test.attempts > 1,
        )  # fmt: skip

    def _collected(self, report: Report) -> Case:
        """The case that stands for a module that was skipped or broke as a whole."""
        told = longrepr.read(report.longrepr, self._source.mapper)
        class_name, name = address(report.nodeid)
        title = ".".join(part for part in (class_name, name) if part)
        return self._maker.case(
            "", "", title or "collection", "skipped" if report.outcome == "skipped" else "error",
            message=told.message, details=told.details, path=report.nodeid.split("::")[0], place=told.place,
        )  # fmt: skip

    def _subtest(self, report: Report) -> Case:
        """A subtest is a case of its own, as in pytest's own counts."""
        test = _Test(report)
        test.add(report)
        class_name, name = address(report.nodeid)
        context = mapping(report.context)
        values = ", ".join(f"{key}={value}" for key, value in mapping(context.get("kwargs")).items())
        told = [part for part in (f"[{string(context.get('msg'))}]", f"({values})") if part not in {"[]", "()"}]
        name = " ".join([name, *told]) if told else f"{name} [subtest]"
        if report.outcome == "passed":
            path, line = _location(report)
            return self._maker.passed("", class_name, name, test.seconds, path, line)
        outcome: Outcome = "skipped" if report.outcome == "skipped" else "failed"
        return self._told(class_name, name, outcome, test, [report], report)

    def finish(self) -> Iterator[Item]:
        """Every case, those that did not finish, and a problem where the log is cut off or says more than its cases."""
        for test in self._open.values():
            test.called = None  # its teardown is missing
            self._cases.append(self._case(test.where, test))
        yield from with_suites(self._cases)
        if self._cut:
            more = f" and {len(self._cut) - 1} more" if len(self._cut) > 1 else ""
            yield Problem(self._source.name, "unreadable", f"line {self._cut[0]}{more} of the report log is cut off or no report")  # fmt: skip
        reason = self._contradiction()
        if reason:
            yield Problem(self._source.name, "inconsistent", reason)

    def _contradiction(self) -> str:
        """What the session's end says against the cases; "" where nothing."""
        if not self._statuses or len(self._statuses) < self._started:
            return "pytest's session did not finish, so results are missing"
        status = max(self._statuses)
        if status == _FAILED and not self._maker.broken:
            return "pytest's session failed, but no test did"
        if status == _INTERNAL or (status > _FAILED and status != _NO_TESTS and not self._maker.broken):
            return f"pytest's session ended with the status {status}, so results are missing"
        return ""


def address(nodeid: str) -> tuple[str, str]:
    """(class, name) as pytest's JUnit XML writes them: `a/test_b.py::TestC::test_d[1]` is `a.test_b.TestC`, `test_d[1]`."""
    path, bracket, parameters = nodeid.partition("[")
    module, *names = path.split("::")
    module = module.removesuffix(".py").replace("/", ".")
    name = names.pop() if names else ""
    return ".".join([module, *names]) if name else "", (name or module) + bracket + parameters


def _location(report: Report) -> tuple[str, int | None]:
    """Where the test is defined: a path and a line, which pytest counts from 0."""
    if report.location is None:
        return report.nodeid.split("::")[0], None
    path, line, _name = report.location
    return path, line + 1 if line is not None and 0 <= line < 2**31 else None


def _captured(sections: object) -> str:
    """What the test printed, each stream under its title."""
    parts = [one for one in sequence(sections) if isinstance(one, list) and len(one) == 2]
    return "\n".join(f"--- {string(title)} ---\n{string(text)}" for title, text in parts)


def sniff(head: Head) -> bool:
    """Whether one of the first lines is a report."""
    return '"$report_type"' in head.text and any(_EVENTS.event(line) for line in head.text.split("\n"))


READER = Reader(FORMAT, "pytest-reportlog", sniff, _EVENTS.reading(ReportLog))
