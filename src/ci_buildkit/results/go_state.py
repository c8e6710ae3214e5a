"""What is known of the tests and packages of a Go run while its events come in, and what that makes of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.text import Excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Outcome

_MAX_DEPTH = 20


class Test:
    """One test and all its runs so far."""

    __test__ = False
    __slots__ = ("attempts", "broke", "errors", "outcome", "output", "seconds")

    def __init__(self) -> None:
        """A test that runs for the first time."""
        self.attempts = 1
        self.outcome: Outcome | None = None
        self.seconds = 0.0
        self.broke = False
        self.output: Excerpt | None = None
        self.errors: Excerpt | None = None

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
        self.seconds += max(seconds, 0.0)
        if outcome == "failed":
            self.broke = True
        self.outcome = "failed" if outcome == "skipped" and self.broke else outcome

    def join(self, later: Test) -> None:
        """Adds the runs of the same test in `later`."""
        broke, output, errors = self.broke or later.broke, later.output or self.output, later.errors or self.errors
        if self.broke and not later.broke:
            output, errors = self.output, self.errors
        self.attempts += later.attempts
        self.seconds += later.seconds
        self.broke, self.output, self.errors = broke, output, errors
        self.outcome = "failed" if later.outcome == "skipped" and broke else later.outcome


class Package:
    """One package: its tests in the order they began, and what was printed outside of them."""

    __slots__ = ("builds", "ended", "output", "reason", "tests")

    def __init__(self) -> None:
        """A package of which nothing is known yet."""
        self.tests: dict[str, Test] = {}
        self.output = Excerpt()
        self.builds: list[str] = []
        self.reason = ""
        self.ended: str | None = None


def parents(test_name: str) -> Iterator[str]:
    """The tests above a subtest, the nearest first. A name may hold slashes of its own, so some do not exist."""
    for _ in range(_MAX_DEPTH):
        test_name, slash, _rest = test_name.rpartition("/")
        if not slash:
            return
        yield test_name


def failed_below(of: Package) -> dict[str, list[str]]:
    """The failed subtests, by each of the tests above them."""
    below: dict[str, list[str]] = {}
    for key, test in of.tests.items():
        if "/" in key and settled(of, key, test)[0] in {"failed", "error"}:
            for parent in parents(key):
                below.setdefault(parent, []).append(key)
    return below


def settled(of: Package, test_name: str, test: Test) -> tuple[Outcome, str]:
    """The outcome of a test, and the reason where it never ended."""
    if test.outcome is not None:
        return test.outcome, ""
    if of.ended in {"pass", "skip", "bench"}:
        return "passed", ""  # benchmarks have no ending, and neither have frames that output without newline ate
    root = of.tests.get(test_name.partition("/")[0])
    if "/" in test_name and root is not None and root.outcome == "passed":
        return "passed", ""
    if test_name.startswith("Benchmark") and test.output is not None and " ns/op" in test.output.text():
        return "passed", ""
    if of.ended == "fail":
        return "failed", "did not finish before its package ended"
    return "error", "did not finish: the output ends before this test did"
