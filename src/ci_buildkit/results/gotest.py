"""`go test -json`: one event a line (`go doc test2json`), with whatever else was printed between them.

Since Go 1.24 build failures are events too (`build-output`, `build-fail`, and `FailedBuild` of the package's end);
before that they are plain text before the package's events, and a setup failure is nothing but a `FAIL` line. Events of
`go tool test2json` without `-p` name no package.

Where a file holds nothing else, a block of its lines is taken at a time, which is several times faster than line by line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from ci_buildkit import jsontext
from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source
from ci_buildkit.results.events import Events
from ci_buildkit.results.go_run import ENDINGS, FRAMES, GoRun
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.results.values import MAX_SECONDS
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORMAT = "gotest"
_BUILD_HEADER = re.compile(r"^# \[?([^\s\[\]]+)\]?")
_FAILED_PACKAGE = re.compile(r"^FAIL\t(\S+) \[(build failed|setup failed)\]$")
_CLIPPED = re.compile(r"^\[output clipped, log limit \S+ reached\]$")
_EVENT_START = re.compile(r'\{"(?:Time|Action|ImportPath)":"')


class Event(msgspec.Struct, gc=False, rename="pascal"):
    """A line of `go test -json`; what is not used of it is left out. `elapsed` is in seconds."""

    action: Literal["start", "run", "pause", "cont", "output", "bench", "attr", "artifacts", "pass", "fail", "skip",
                    "build-output", "build-fail"]  # fmt: skip
    package: str = ""
    test: str = ""
    output: str = ""
    output_type: str = ""
    elapsed: float = 0.0
    import_path: str = ""
    failed_build: str = ""


_EVENTS = Events(Event)


class GoTest:
    """Reads lines one by one, or many at once; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._run = GoRun(source.name, FORMAT, source.mapper)
        self._build = ""
        self._cut: list[int] = []
        self._number = 0
        self._clipped = False
        self._nameless = False
        self.seen = False

    @property
    def packages(self) -> frozenset[str]:
        """The import paths that the events named."""
        return frozenset(self._run.packages)

    def take_lines(self, events: Sequence[Event], lines: int) -> None:
        """Takes the events of so many whole lines of a file."""
        self._number += lines
        self._take(events)

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event."""
        self._number += 1
        event = _EVENTS.event(line)
        if event is not None:
            return self._take((event,))
        begun = _EVENT_START.search(line, 1) if "{" in line else None
        glued = _EVENTS.event(line[begun.start() :]) if begun else None
        if begun and glued:  # something was printed without a newline before the event
            self._text(line[: begun.start()])
            return self._take((glued,))
        self._text(line)
        return False

    def _take(self, events: Iterable[Event]) -> bool:
        """Takes events; says whether any is one of Go's."""
        run, seen = self._run, False
        for event in events:
            action, package, test = event.action, event.package, event.test
            if not (package or event.import_path or self._is_nameless(test)):
                continue
            seen = True
            if action == "output":
                text = event.output
                if not (test and text.startswith(FRAMES)):
                    run.output(package, test, text, error=event.output_type.startswith("error"))
            elif action == "run":
                run.run(package, test)
            elif test and action in ENDINGS:
                seconds = event.elapsed
                run.end_test(package, test, action, seconds if 0 < seconds < MAX_SECONDS else 0.0)
            else:
                self._rare(event)
        if seen:
            self.seen = True
            self._build = ""
        return seen

    def _is_nameless(self, test: str) -> bool:
        """Whether an event without a package is one of Go's: the first that is names a test."""
        self._nameless = self._nameless or bool(test)
        return self._nameless

    def _rare(self, event: Event) -> None:
        if event.action in ENDINGS:
            self._run.end_package(event.package, event.action, failed_build=event.failed_build)
        elif event.action == "start":
            self._run.start(event.package)
        elif event.action == "build-output":
            self._run.build_output(event.import_path, event.output)
        elif event.action == "build-fail":
            self._run.build_failed(event.import_path)

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
        elif _EVENT_START.match(line) and not _is_json(line):
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
    events = (_EVENTS.event(without_progress_prefix(line)) for line in head.text.split("\n"))
    return any(event is not None and (event.package or event.import_path or event.test) for event in events)


def _is_json(line: str) -> bool:
    try:
        jsontext.loads(line)
    except jsontext.Broken:
        return False
    return True


READER = Reader(FORMAT, "`go test -json`", sniff, _EVENTS.reading_lines(GoTest, GoTest.take_lines))
