"""Dart's and Flutter's test events, one a line (`dart test --reporter json`, `flutter test --machine`).

The protocol is dart-lang/test pkgs/test/doc/json_reporter.md: events of several tests may be intertwined, an error may
come after its test was done, and a file that cannot be loaded is a test called `loading FILE`. A retry is told by what
the runner prints (pkgs/test_api/lib/src/backend/invoker.dart): `Retry: NAME`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ci_buildkit.fields import positive
from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.results.events import Events
from ci_buildkit.results.locate import Place
from ci_buildkit.results.maker import MILLISECONDS, CaseMaker, duration, label, path_of, with_suites
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.text import Excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ci_buildkit.paths import PathMapper
    from ci_buildkit.reader import Source
    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "dart"
_TYPES = frozenset({"start", "allSuites", "suite", "debug", "group", "testStart", "print", "error", "testDone", "done"})
_OUTCOMES: dict[str, Outcome] = {"success": "passed", "failure": "failed", "error": "error"}
_AROUND = ("(setUpAll)", "(tearDownAll)")
_FRAME = re.compile(r"^(\S+\.dart)(?: |:)(\d{1,7})(?::\d+)?\s", re.MULTILINE)
_CUT = re.compile(r'^\{"(?:test|testID|suite|group|success|count|protocolVersion)":')


class About(msgspec.Struct, gc=False):
    """What a test, a group or a suite is; `line` is 1-based, `root_line` the line in the test's own file."""

    id: int
    name: str | None = None
    path: str | None = None
    suite_id: int | None = msgspec.field(name="suiteID", default=None)
    group_ids: list[int] | None = msgspec.field(name="groupIDs", default=None)
    line: int | None = None
    url: str | None = None
    root_line: int | None = None
    root_url: str | None = None


class Event(msgspec.Struct, gc=False, rename="camel"):
    """One line."""

    type: str
    time: float
    test: About | None = None
    suite: About | None = None
    group: About | None = None
    test_id: int | None = msgspec.field(name="testID", default=None)
    result: str = ""
    hidden: bool = False
    skipped: bool = False
    error: str = ""
    stack_trace: str = ""
    is_failure: bool = False
    message: str = ""
    message_type: str = ""
    success: bool | None = None


_EVENTS = Events(Event)


class _Test(msgspec.Struct, gc=False):
    """One test, from its start to its end; `started` is in milliseconds."""

    about: About
    started: float
    seconds: float = 0.0
    done: Event | None = None
    errors: list[Event] | None = None
    broke_late: bool = False
    output: Excerpt | None = None
    reason: str = ""
    attempts: int = 1

    def printed(self, event: Event) -> None:
        """Takes what the test or the runner printed."""
        if event.message_type == "skip":
            self.reason = event.message.removeprefix("Skip: ")
        elif event.message == f"Retry: {self.about.name}":
            self.attempts += 1
        else:
            self.output = self.output or Excerpt()
            self.output.add(event.message + "\n")

    def broke(self, event: Event) -> None:
        """Takes an error; one that comes after the end makes the test fail."""
        self.errors = [*(self.errors or ()), event]
        self.broke_late = self.broke_late or self.done is not None


class DartLog:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._maker = CaseMaker(source, FORMAT)
        self._suites: dict[int, str] = {}
        self._groups: dict[int, str] = {}
        self._tests: dict[int, _Test] = {}
        self._running = False
        self._cases: list[Case] = []
        self._problems: list[Problem] = []
        self._cut = 0

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event."""
        event = _EVENTS.event(line)
        if event is not None:
            return self.take(event)
        self._cut += bool(line.startswith("{") and _CUT.match(line))
        return False

    def take(self, event: Event) -> bool:
        """Takes what has the shape of an event; says whether it is one."""
        if event.type not in _TYPES:
            return False
        if event.type == "start" and self._running:
            self._end(None)
        self._running = True
        if event.test is not None:
            self._tests[event.test.id] = _Test(event.test, event.time)
        elif event.test_id is not None:
            self._test(event, event.test_id)
        elif event.suite is not None:
            self._suites[event.suite.id] = event.suite.path or ""
        elif event.group is not None:
            self._groups[event.group.id] = event.group.name or ""
        elif event.type == "done":
            self._end(event)
        return True

    def _test(self, event: Event, number: int) -> None:
        test = self._tests.get(number)
        if test is None:  # its start was cut off
            test = self._tests[number] = _Test(About(number, f"test {number}"), event.time)
        if event.type == "testDone":
            test.done = event
            test.seconds = duration(event.time - test.started, MILLISECONDS)
        elif event.type == "error":
            test.broke(event)
        elif event.type == "print":
            test.printed(event)

    def _end(self, done: Event | None) -> None:
        """A run ends, with its last event or without it."""
        broken = self._maker.broken
        for test in self._tests.values():
            if test.done is None or test.broke_late or not (test.done.hidden and test.done.result == "success"):
                self._cases.append(self._case(test))
        reason = ""
        if done is None:
            reason = "the run did not finish: its last event is missing, and so may be results"
        elif done.success is None:
            reason = "the run was closed before all of its tests had run"
        elif not done.success and self._maker.broken == broken:
            reason = "the run failed, but none of its tests did"
        if reason:
            self._problems.append(Problem(self._source.name, "inconsistent", reason))
        self._running = False
        for known in (self._tests, self._groups, self._suites):
            known.clear()

    def _case(self, test: _Test) -> Case:
        about = test.about
        file = self._suites.get(about.suite_id, "") if about.suite_id is not None else ""
        suite, name = self._names(about.name or "", about.group_ids or ())
        path, line = _definition(about, file)
        shown = self._source.mapper(label(file)) if file else ""
        outcome = _outcome(test, name)
        if outcome == "passed" and test.attempts == 1:
            return self._maker.passed(suite, shown, name, test.seconds, path, line)
        errors = test.errors or []
        error = (errors[-1] if test.broke_late else errors[0]) if errors else None
        message = error.error if error else test.reason
        if outcome == "error" and error is None:
            message = "did not finish: the events end before this test did" if test.done is None else "broke without a message"  # fmt: skip
        return self._maker.case(
            suite, shown, name, outcome, test.seconds, message=message,
            details="\n\n".join(f"{one.error}\n{one.stack_trace}" for one in errors),
            output=test.output.text() if test.output and outcome != "passed" else "", path=path, line=line,
            place=_place(error.stack_trace, self._source.mapper) if error else None,
            attempts=test.attempts, flaky=outcome == "passed",
        )  # fmt: skip

    def _names(self, full: str, groups: Sequence[int]) -> tuple[str, str]:
        """The path of the groups, and the name without them: every name begins with those of the groups around it."""
        names, outer = [], ""
        for number in groups:
            name = self._groups.get(number)
            if name:
                names.append(_inside(name, outer))
                outer = name
        return path_of(names) if names else "", _inside(full, outer)

    def finish(self) -> Iterator[Item]:
        """Every case, those that did not finish, and problems where a run is cut off or says more than its tests."""
        if self._running:
            self._end(None)
        yield from with_suites(self._cases)
        yield from self._problems
        if self._cut and self._cases:
            yield Problem(self._source.name, "unreadable", f"{self._cut} of the stream's events cut off")


def _inside(name: str, outer: str) -> str:
    return name[len(outer) :].lstrip() or name if outer and name.startswith(outer) else name


def _outcome(test: _Test, name: str) -> Outcome:
    if test.done is None:
        return "error"
    outcome = _OUTCOMES.get(test.done.result, "error")
    if test.broke_late and test.errors:
        outcome = "failed" if outcome != "error" and test.errors[-1].is_failure else "error"
    if outcome == "passed" and test.errors and test.attempts == 1:
        outcome = "failed"
    if outcome == "failed" and name.endswith(_AROUND):
        return "error"
    return "skipped" if outcome == "passed" and test.done.skipped else outcome


def _definition(about: About, file: str) -> tuple[str, int | None]:
    """Where `test()` was called, in the test's own file rather than in a library that called it."""
    if about.root_url or about.root_line:
        return file or about.root_url or "", positive(about.root_line)
    url = about.url or ""
    if url.startswith("file:"):
        return url, positive(about.line)
    return file, None if url else positive(about.line)


def _place(stack: str, mapper: PathMapper) -> Place | None:
    """The first call in the repository: `test/a_test.dart 5:9  main.<fn>`. Packages are elsewhere, but for the own one."""
    fallback = None
    for match in _FRAME.finditer(stack):
        written, line = match[1], int(match[2])
        inside = written.startswith("package:")
        mapped = mapper.map(label("lib/" + written.partition("/")[2] if inside else written))
        if line and mapped.known:
            return Place(mapped.path, line)
        if line and fallback is None and not inside and not written.startswith("dart:"):
            fallback = Place(mapped.path, line)
    return fallback


def sniff(head: Head) -> bool:
    """Whether one of the first lines is an event."""
    events = (_EVENTS.event(without_progress_prefix(line)) for line in head.text.split("\n"))
    return '"time":' in head.text and any(event is not None and event.type in _TYPES for event in events)


READER = Reader(FORMAT, "Dart and Flutter JSON", sniff, _EVENTS.reading(DartLog))
