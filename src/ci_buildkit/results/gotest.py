"""`go test -json`: one event a line (`go doc test2json`), with whatever else was printed between them.

Since Go 1.24 build failures are events too (`build-output`, `build-fail`, and `FailedBuild` of the package's end);
before that they are plain text before the package's events, and a setup failure is nothing but a `FAIL` line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ci_buildkit import jsontext
from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_line
from ci_buildkit.results.go_run import ENDINGS, GoRun
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.results.values import MAX_SECONDS
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "gotest"
_ACTIONS = frozenset({"start", "run", "pause", "cont", "output", "bench", "attr", "pass", "fail", "skip",
                      "artifacts", "build-output", "build-fail"})  # fmt: skip
_BUILD_HEADER = re.compile(r"^# \[?([^\s\[\]]+)\]?")
_FAILED_PACKAGE = re.compile(r"^FAIL\t(\S+) \[(build failed|setup failed)\]$")
_CLIPPED = re.compile(r"^\[output clipped, log limit \S+ reached\]$")


def event_of(line: str) -> dict[str, Any] | None:
    """The event that this line is; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        event = jsontext.loads(line)
    except jsontext.Broken:
        return None
    action = event.get("Action")
    known = type(action) is str and action in _ACTIONS and ("Package" in event or "ImportPath" in event)
    return event if known else None


def _string(event: dict[str, Any], key: str) -> str:
    value = event.get(key, "")
    if type(value) is not str:
        raise TypeError(key)
    return value


def _seconds(event: dict[str, Any]) -> float:
    value = event.get("Elapsed")
    return float(value) if isinstance(value, int | float) and 0 < value < MAX_SECONDS else 0.0


class GoTest:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._run = GoRun(source.name, FORMAT, source.mapper)
        self._build = ""
        self._cut: list[int] = []
        self._number = 0
        self._clipped = False
        self.seen = False

    @property
    def packages(self) -> frozenset[str]:
        """The import paths that the events named."""
        return frozenset(self._run.packages)

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event."""
        self._number += 1
        try:
            event = event_of(line)
            if event is None:
                self._text(line)
                return False
            self._build = ""
            self._event(event)
            self.seen = True
        except TypeError:  # a field of the wrong type: no event of Go's
            return False
        return True

    def _event(self, event: dict[str, Any]) -> None:
        action = event["Action"]
        if "Package" not in event:
            self._build_event(action, _string(event, "ImportPath"), _string(event, "Output"))
            return
        package, test = _string(event, "Package"), _string(event, "Test")
        if action == "output":
            error = "OutputType" in event and _string(event, "OutputType").startswith("error")
            self._run.output(package, test, _string(event, "Output"), error=error)
        elif action == "run":
            self._run.run(package, test)
        elif action in ENDINGS:
            if test:
                self._run.end_test(package, test, action, _seconds(event))
            else:
                self._run.end_package(package, action, failed_build=_string(event, "FailedBuild"))
        elif action == "start":
            self._run.package(package)

    def _build_event(self, action: str, build: str, output: str) -> None:
        if action == "build-output":
            self._run.build_output(build, output)
        elif action == "build-fail":
            self._run.build_failed(build)

    def _text(self, line: str) -> None:
        """A line between the events: of the compiler, of `go test` before 1.24, or of nobody in particular."""
        failed = _FAILED_PACKAGE.match(line)
        header = _BUILD_HEADER.match(line)
        if failed:
            self._build = ""
            self._run.end_package(failed[1], "fail", reason=failed[2])
        elif header:
            self._build = header[1]
            self._run.build_output(self._build, line + "\n")
        elif self._build:
            self._run.build_output(self._build, line + "\n")
        elif line.startswith("{") and '"Action"' in line and '"Time"' in line:
            self._cut.append(self._number)
        elif _CLIPPED.match(line):
            self._clipped = True

    def finish(self) -> Iterator[Item]:
        """The cases of every package, and a problem where lines of the stream were cut off."""
        if not self.seen:
            return
        yield from self._run.cases()
        if self._cut:
            more = f" and {len(self._cut) - 1} more" if len(self._cut) > 1 else ""
            yield Problem(self._source.name, "unreadable", f"line {self._cut[0]}{more} of the event stream is cut off")
        if self._clipped:
            reason = "BuildKit clipped the log, so results are missing: lift BUILDKIT_STEP_LOG_MAX_SIZE of the builder"
            yield Problem(self._source.name, "limit", reason)


def sniff(head: Head) -> bool:
    """Whether one of the first lines is an event."""
    return any(event_of(without_progress_prefix(line)) for line in head.text.split("\n"))


READER = Reader(FORMAT, "`go test -json`", sniff, by_line(GoTest))
