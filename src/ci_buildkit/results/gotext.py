"""The text that `go test` and `go test -v` print, for logs: the frames around tests, and the line that ends a package.

The text names a package only when it ends, so tests belong to the next `ok` or `FAIL` line. Without `-v` passing tests
are not printed, and so cannot be counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.reader import Source, by_line
from ci_buildkit.results import gotest
from ci_buildkit.results.go_run import GoRun
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "gotext"
_BEGIN = re.compile(r"^=== (RUN|PAUSE|CONT|NAME) {1,3}(\S*)$")
_END = re.compile(r"^( *)--- (PASS|FAIL|SKIP|BENCH): (\S+)(?: \((\d+(?:\.\d+)?)s\))?$")
# A test that printed without a newline has its frame on the same line.
_GLUED = re.compile(r"^(.+?)--- (PASS|FAIL|SKIP): ((?:Test|Example|Fuzz)\S*) \((\d+\.\d\d)s\)$")
_BENCHMARK = re.compile(r"^(Benchmark\S*?)(?:-\d+)?( *\t *\d+\t.* ns/op\b.*)?$")
_PACKAGE_OK = re.compile(r"^ok  \t(\S+)(?:\t.*)?$")
_PACKAGE_FAILED = re.compile(r"^FAIL\t(\S+)(?: \[(build failed|setup failed)\]|\t\d+(?:\.\d+)?s)?$")
_PACKAGE_EMPTY = re.compile(r"^(?:\?   )?\t(\S+)\t(?:\[no test files\]|\tcoverage: .*)$")
_BUILD_HEADER = re.compile(r"^# \[?([^\s\[\]]+)\]?(?: \[\S+\])?$")
_NOT_OUTPUT = re.compile(r"^(?:PASS|FAIL|exit status \d+|coverage: .*)$")
_ACTIONS = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip", "BENCH": "bench"}
_PENDING = ""
_PANIC = ("panic: ", "fatal error: ")


class GoText:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._run = GoRun(source.name, FORMAT, source.mapper)
        self._test = ""
        self._build = ""
        self._open = False
        self._talking = False
        self._measuring = False

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a frame of `go test`."""
        return self._frame(line) or self._package(line) or self._benchmark(line) or self._other(line)

    def _frame(self, line: str) -> bool:
        begin = _BEGIN.match(line) if line.startswith("=== ") else None
        if begin:
            self._build = ""
            self._open = True
            self._talking = False
            self._test = begin[2]
            if begin[1] == "RUN" and begin[2]:
                self._run.run(_PENDING, begin[2])
            return True
        end = _END.match(line) if "--- " in line else None
        if end:
            self._end_test(end[3], end[2], end[4])
            return True
        glued = _GLUED.match(line) if "--- " in line else None
        if glued:
            self._run.output(_PENDING, glued[3], f"{glued[1]}\n")
            self._end_test(glued[3], glued[2], glued[4])
            return True
        return False

    def _end_test(self, test: str, word: str, seconds: str | None) -> None:
        self._build = ""
        self._open = True
        self._run.end_test(_PENDING, test, _ACTIONS[word], float(seconds or 0))
        self._test = test

    def _package(self, line: str) -> bool:
        if not line.startswith(("ok  \t", "FAIL\t", "?   \t", "\t")):
            return False
        failed = _PACKAGE_FAILED.match(line)
        if failed:
            self._end_package(failed[1], "fail", failed[2] or "")
            return True
        passed = _PACKAGE_OK.match(line)
        if passed:
            self._end_package(passed[1], "pass", "")
            return True
        return _PACKAGE_EMPTY.match(line) is not None and not self._open

    def _end_package(self, package: str, action: str, reason: str) -> None:
        if reason:
            # A package that could not be built ran no test: what is pending belongs to another.
            self._run.end_package(package, "fail", reason=reason)
        else:
            self._run.adopt(_PENDING, package)
            self._run.end_package(package, action)
            self._open = False
        self._test = self._build = ""
        self._talking = self._measuring = False

    def _benchmark(self, line: str) -> bool:
        """A benchmark has no frames: its name comes when it begins, and again with what was measured."""
        if line.startswith("pkg: "):
            self._measuring = self._open = True
            return False
        found = _BENCHMARK.match(line) if self._measuring and line.startswith("Benchmark") else None
        if not found:
            return False
        self._test = found[1]
        if found[2]:
            self._run.end_test(_PENDING, found[1], "bench", 0.0)
            self._test = ""
        return True

    def _other(self, line: str) -> bool:
        header = _BUILD_HEADER.match(line) if line.startswith("# ") and not self._test else None
        if header:
            self._build = header[1]
        elif line.startswith(_PANIC) or line in {"PASS", "FAIL"}:
            self._build = ""
            self._talking = True
        if self._build:
            self._run.build_output(self._build, line + "\n")
        elif line in {"PASS", "FAIL"}:
            self._test = ""
            self._run.package(_PENDING).ended = _ACTIONS[line]
        elif self._test and not _NOT_OUTPUT.match(line):
            self._run.output(_PENDING, self._test, line + "\n")
        elif self._open or self._talking or line.startswith("-test.shuffle "):
            self._run.output(_PENDING, "", line + "\n")
        return False

    def finish(self, known: frozenset[str] = frozenset()) -> Iterator[Item]:
        """The cases of every package but those in `known`, which another reader has."""
        for package in known:
            self._run.packages.pop(package, None)
        pending = self._run.packages.get(_PENDING)
        if pending is not None and not pending.tests:
            del self._run.packages[_PENDING]  # a panic of something else than a test
        yield from self._run.cases()


def sniff(head: Head) -> bool:
    """Whether one of the first lines is a frame of `go test`, or ends a package."""
    return any(_is_frame(without_progress_prefix(line.rstrip("\r"))) for line in head.text.split("\n"))


def _is_frame(line: str) -> bool:
    begin = _BEGIN.match(line)
    end = _END.match(line)
    package = _PACKAGE_OK.match(line) or _PACKAGE_FAILED.match(line)
    return bool((begin and begin[1] == "RUN") or (end and end[4]) or package)


class GoLog:
    """Both ways in which `go test` prints to a log; what the events tell of a package is not read from the text again."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._events, self._frames = gotest.GoTest(source), GoText(source)

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event or a frame."""
        return self._events.feed(line) or self._frames.feed(line)

    def finish(self) -> Iterator[Item]:
        """The cases of every package."""
        yield from self._events.finish()
        yield from self._frames.finish(self._events.packages)


READER = Reader(FORMAT, "`go test -v`", sniff, by_line(GoText))
