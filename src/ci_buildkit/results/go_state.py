"""What is known of the tests and packages of a Go run while its events come in, and what that makes of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ci_buildkit.text import MAX_DETAILS, Excerpt, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Outcome

CRASHES = ("panic: ", "fatal error: ", "WARNING: DATA RACE", "runtime: goroutine stack exceeds", "unexpected fault address",
           "SIGQUIT: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ")  # fmt: skip
"""How the line begins with which the Go runtime starts to tell of a crash or a race."""

PASSED = frozenset({"pass", "skip", "bench"})
"""The endings of a package that has not failed."""

_MAX_DEPTH = 20
_SHORT = 8 * 1024
_LOGGED = MAX_DETAILS // 8
_CRASH = MAX_DETAILS * 3 // 8


class Said(msgspec.Struct, gc=False):
    """What a test or a package printed, at most MAX_DETAILS characters.

    Its start and its end are kept, and where that leaves something out, some of the lines from the middle that look
    like those of t.Error; a crash is kept from its first line on, however much was printed before.
    """

    size: int = 0
    short: list[str] = []
    _calm: Excerpt | None = None
    _logged: Excerpt | None = None
    _crash: Excerpt | None = None

    def add(self, text: str) -> None:
        """Appends `text`, which is one line of the stream."""
        # Most tests print little and pass: then nothing more is done about it.
        if self.size <= _SHORT and text:
            self.size += len(text)
            self.short.append(text)
            return
        self._look()
        self.size += len(text)
        self._keep(text)

    def _look(self) -> None:
        lines, self.short = self.short, []
        for line in lines:
            self._keep(line)

    def _keep(self, text: str) -> None:
        if self._crash is None and text.startswith(CRASHES):
            self._crash = Excerpt(_CRASH)
        if self._crash is not None:
            self._crash.add(text)
            return
        if self._calm is None:
            self._calm = Excerpt(MAX_DETAILS - _LOGGED)
        self._calm.add(text)
        if self.size > MAX_DETAILS // 3 and text.startswith("    "):
            if self._logged is None:
                self._logged = Excerpt(_LOGGED)
            self._logged.add(text)

    @property
    def crash(self) -> str:
        """What was kept from the first line of a crash on; "" without one."""
        self._look()
        return self._crash.text() if self._crash else ""

    def text(self) -> str:
        """What was kept, in the order in which it was printed but for the lines from the middle."""
        self._look()
        calm = self._calm.text() if self._calm else ""
        if self._calm and self._calm.dropped and self._logged:
            calm = f"{calm}\n… logged meanwhile:\n{self._logged.text()}"
        if not self._crash:
            return calm
        return excerpt(calm, MAX_DETAILS - _CRASH) + self._crash.text()


class Test(msgspec.Struct, gc=False):
    """One test and all its runs so far. `lost` says why a run has no ending."""

    __test__ = False

    attempts: int = 1
    outcome: Outcome | None = None
    seconds: float = 0.0
    broke: bool = False
    lost: str = ""
    output: Said | None = None
    errors: Excerpt | None = None

    def again(self) -> None:
        """Begins another run; a run that was still going on was lost."""
        if self.outcome is None:
            self.broke = True
        self.attempts += 1
        self.outcome = None
        if not self.broke:
            self.output = self.errors = None

    def end(self, outcome: Outcome, seconds: float) -> None:
        """Ends the current run. A skipped run does not make up for one that failed."""
        self.seconds += seconds
        if outcome == "failed":
            self.broke = True
        elif outcome == "passed" and not self.broke:
            self.output = None  # only failures are told at length
        self.outcome = "failed" if outcome == "skipped" and self.broke else outcome

    def lose(self, outcome: Outcome, reason: str) -> None:
        """Settles a run that will not end any more."""
        self.outcome, self.lost = outcome, reason
        self.broke = self.broke or outcome in {"failed", "error"}

    def join(self, later: Test) -> None:
        """Adds the runs of the same test in `later`."""
        broke, output, errors = self.broke or later.broke, later.output or self.output, later.errors or self.errors
        if self.broke and not later.broke:
            output, errors = self.output, self.errors
        self.attempts += later.attempts
        self.seconds += later.seconds
        self.broke, self.output, self.errors = broke, output, errors
        self.lost = later.lost or self.lost
        self.outcome = "failed" if later.outcome == "skipped" and broke else later.outcome


class Package:
    """One package: its tests in the order they began, and what was printed outside of them.

    `broke` says whether a test failed in its last run, as far as the stream tells runs apart. `suspect` is the test that
    had just failed when the package itself began to tell of a crash, and `shuffle` the line from which the order of the
    tests can be had again.
    """

    __slots__ = (
        "broke",
        "builds",
        "crashing",
        "ended",
        "last_failed",
        "output",
        "reason",
        "shuffle",
        "suspect",
        "tests",
    )

    def __init__(self) -> None:
        """A package of which nothing is known yet."""
        self.tests: dict[str, Test] = {}
        self.output = Said()
        self.builds: list[str] = []
        self.broke = False
        self.crashing = False
        self.reason = ""
        self.shuffle = ""
        self.last_failed = ""
        self.suspect = ""
        self.ended: str | None = None

    def printed(self, text: str) -> None:
        """Something was printed outside of the tests."""
        if not self.crashing and text.startswith(CRASHES):
            self.crashing = True
            self.suspect = self.last_failed
        elif text.startswith("-test.shuffle "):
            self.shuffle = text
        self.output.add(text)

    def begin(self) -> None:
        """The package runs (once more): what is still going on was lost."""
        if self.ended is None and self.tests:
            self.settle()
        self.ended = None
        self.broke = False

    def join(self, later: Package) -> None:
        """Adds what `later` knows of the same package."""
        self.broke = later.broke
        self.last_failed = later.suspect or later.last_failed
        for line in later.output.text().splitlines(keepends=True):
            self.printed(line)
        for key, test in later.tests.items():
            known = self.tests.get(key)
            if known is None:
                self.tests[key] = test
            else:
                known.join(test)

    def end(self, action: str) -> None:
        """The package ends: what is still going on will not end any more."""
        self.ended = action
        self.settle()

    def settle(self) -> None:
        """Gives every test an outcome."""
        for key, test in self.tests.items():
            if test.outcome is None:
                test.lose(*_without_end(self, key, test))
                self.broke = self.broke or test.outcome in {"failed", "error"}


def parents(test_name: str) -> Iterator[str]:
    """The tests above a subtest, the nearest first. A name may hold slashes of its own, so some do not exist."""
    for _ in range(_MAX_DEPTH):
        test_name, slash, _rest = test_name.rpartition("/")
        if not slash:
            return
        yield test_name


def failed_below(of: Package) -> dict[str, list[str]]:
    """The failed subtests of a settled package, by each of the tests above them."""
    below: dict[str, list[str]] = {}
    for key, test in of.tests.items():
        if test.outcome != "passed" and test.outcome != "skipped" and "/" in key:  # noqa: PLR1714 - most pass
            for parent in parents(key):
                below.setdefault(parent, []).append(key)
    return below


def _without_end(of: Package, test_name: str, test: Test) -> tuple[Outcome, str]:
    """What a test is that never ended, and the reason where that is a failure."""
    if of.ended in PASSED:
        return "passed", ""  # benchmarks have no ending, and neither have frames that output without newline ate
    root = of.tests.get(test_name.partition("/")[0])
    if "/" in test_name and root is not None and root.outcome == "passed":
        return "passed", ""
    if test_name.startswith("Benchmark") and test.output is not None and " ns/op" in test.output.text():
        return "passed", ""
    if of.ended == "fail":
        return "failed", "did not finish before its package ended"
    return "error", "did not finish: the output ends before this test did"
