"""Rust's libtest as JSON lines (`cargo test -- -Z unstable-options --format json`), and nextest's `libtest-json`.

Events are those of library/test/src/formatters/json.rs of rust-lang/rust and of
nextest-runner/src/reporter/structured/libtest.rs: nextest puts `crate::binary$` before a test's name, and `#N` after it
where it took N attempts. Cargo names a test binary only in the text that it prints around the events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.results.events import Events
from ci_buildkit.results.locate import Place
from ci_buildkit.results.maker import CaseMaker, duration, label, with_suites
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source
    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "libtest"
_TYPES = frozenset({"suite", "test", "bench", "report"})
_NAMES = frozenset({"started", "ok", "failed", "ignored", "timeout", "allowed_failure", "discovered", "completed"})
_OUTCOMES: dict[str, Outcome] = {
    "ok": "passed",
    "failed": "failed",
    "ignored": "skipped",
    "allowed_failure": "skipped",
}
_BINARY = re.compile(r"^\s+(?:Running (?:unittests )?(\S+) \(\S+\)|Doc-tests (\S+))$")
_ATTEMPTS = re.compile(r"^(.+)#(\d{1,6})$")
_PANIC = re.compile(r"panicked at (?:'(.{0,4000})', )?(\S[^\n:']{0,1023}):(\d{1,7})(?::\d+)?(?::\n([^\n]*))?")
_CUT = re.compile(r'^\{ ?"type": ?"(?:suite|test|bench)"')
_UNFINISHED = "did not finish: the test binary ended before this test did"


class Event(msgspec.Struct, gc=False):
    """One line."""

    type: str
    event: str = ""
    name: str = ""
    exec_time: float | None = None
    stdout: str | None = None
    message: str | None = None
    reason: str | None = None
    test_count: int | None = None
    passed: int | None = None
    failed: int | None = None
    median: float | None = None
    total_time: float | None = None
    nextest: dict[str, object] | None = None


_EVENTS = Events(Event)


def _is_event(event: Event) -> bool:
    # Only the events of a benchmark and of a doc test's time come without `event`.
    known = event.event in _NAMES or event.median is not None or event.total_time is not None
    return known and event.type in _TYPES


class _Suite:
    """One test binary: what it promised, and what came."""

    __slots__ = ("broken", "ended", "name", "promised", "running")

    def __init__(self, name: str, promised: int) -> None:
        self.name = name
        self.promised = promised
        self.running: dict[str, None] = {}
        self.ended = 0
        self.broken = 0


class LibTest:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._maker = CaseMaker(source, FORMAT)
        self._suites: dict[str, _Suite] = {}
        self._cases: list[Case] = []
        self._problems: list[Problem] = []
        self._binary = ""
        self._cut = 0
        self._seen = False

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event."""
        event = _EVENTS.event(line)
        if event is not None:
            return self.take(event)
        self._text(line)
        return False

    def take(self, event: Event) -> bool:
        """Takes what has the shape of an event; says whether it is one."""
        if not _is_event(event):
            return False
        self._seen = True
        if event.type == "suite":
            self._suite(event)
        elif event.type in {"test", "bench"}:
            self._test(event)
        return True

    def _text(self, line: str) -> None:
        binary = _BINARY.match(line)
        if binary:
            self._binary = binary[1] or f"doc tests of {binary[2]}"
        elif line.startswith("{") and _CUT.match(line):
            self._cut += 1

    def _suite(self, event: Event) -> None:
        of = event.nextest or {}
        key = f"{of.get('crate')}::{of.get('test_binary')}" if of else ""
        open_suite = self._suites.pop(key, None)
        if event.event == "started":
            if open_suite:
                self._aborted(open_suite)
            self._suites[key] = _Suite(key or self._binary, event.test_count or 0)
            self._binary = ""
        elif open_suite:
            self._end_suite(open_suite, event)

    def _test(self, event: Event) -> None:
        binary, dollar, name = event.name.partition("$")
        if not dollar or "::" not in binary:
            binary, name = "", event.name
        suite = self._suites.get(binary) or self._suites.get("")
        if suite is None:
            suite = self._suites[""] = _Suite("", 0)  # the start was cut off
        if event.event == "started":
            suite.running[name] = None
            return
        attempts = _ATTEMPTS.match(name) if binary else None
        if attempts:
            name = attempts[1]
        outcome: Outcome | None = "passed" if event.type == "bench" else _OUTCOMES.get(event.event)
        if outcome is None:
            return
        suite.running.pop(name, None)
        suite.ended += 1
        suite.broken += outcome == "failed"
        self._cases.append(self._case(event, binary or suite.name, name, outcome, int(attempts[2]) if attempts else 1))

    def _case(self, event: Event, suite: str, name: str, outcome: Outcome, attempts: int) -> Case:
        seconds = duration(event.exec_time)
        if outcome == "passed" and attempts == 1:
            return self._maker.passed(suite, "", name, seconds)
        output = clean(event.stdout or "")
        said = event.message or event.reason or ""
        panic = _PANIC.search(output)
        message = said or (panic and (panic[1] or panic[4])) or ""
        return self._maker.case(
            suite, "", name, outcome, seconds, message=message, details=f"{output}\n{said}" if output else said,
            place=self._place(panic), attempts=attempts, flaky=outcome == "passed",
        )  # fmt: skip

    def _place(self, panic: re.Match[str] | None) -> Place | None:
        """Where it panicked, if that is not in the standard library, as with `unwrap` before Rust 1.42."""
        if panic is None or panic[2].startswith(("/rustc/", "library/")):
            return None
        return Place(self._source.mapper(label(panic[2])), max(int(panic[3]), 1))

    def _aborted(self, suite: _Suite) -> None:
        """A suite that never ended: its binary died, or the log is cut off."""
        self._cases += [self._maker.case(suite.name, "", name, "error", message=_UNFINISHED) for name in suite.running]
        there = suite.ended + len(suite.running)
        title = f"the test binary {suite.name!r}" if suite.name else "a test binary"
        missing = f", and {suite.promised - there} of its {suite.promised} tests are missing" if suite.promised > there else ""  # fmt: skip
        self._problems.append(Problem(self._source.name, "inconsistent", f"{title} did not finish{missing}"))

    def _end_suite(self, suite: _Suite, event: Event) -> None:
        self._cases += [self._maker.case(suite.name, "", name, "error", message=_UNFINISHED) for name in suite.running]
        if event.event == "failed" and not suite.broken and not suite.running:
            message = "the test binary failed, but none of its tests did"
            self._cases.append(self._maker.case(suite.name, "", suite.name or "test binary", "error", message=message))
        for key, there in (("failed", suite.broken), ("passed", suite.ended - suite.broken)):
            claimed = getattr(event, key) or 0
            if claimed > there:
                reason = f"a suite says that {claimed} tests {key}, but {there} did"
                self._problems.append(Problem(self._source.name, "inconsistent", reason))

    def finish(self) -> Iterator[Item]:
        """Every case, those that did not finish, and problems where suites did not end or say more than their tests."""
        for suite in self._suites.values():
            self._aborted(suite)
        yield from with_suites(self._cases)
        yield from self._problems
        if self._cut and self._seen:
            yield Problem(self._source.name, "unreadable", f"{self._cut} of the stream's events cut off")


def sniff(head: Head) -> bool:
    """Whether one of the first lines is an event."""
    events = (_EVENTS.event(without_progress_prefix(line)) for line in head.text.split("\n"))
    return '"type"' in head.text and any(event is not None and _is_event(event) for event in events)


READER = Reader(FORMAT, "libtest JSON", sniff, _EVENTS.reading(LibTest))
