"""Why the tests of one Go package failed, or the package itself: its output made into messages and places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.results import go_failure
from ci_buildkit.results.go_crash import NOTHING, Failure
from ci_buildkit.results.go_source import declared
from ci_buildkit.results.go_state import PASSED, Package, Test, failed_below, parents
from ci_buildkit.results.model import Case, Evidence
from ci_buildkit.text import Excerpt, block, clean, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ci_buildkit.paths import PathMapper

_INCOMPLETE = "the output ends before this package did: it crashed, was stopped or the file is cut off"
_UNBUILT = re.compile(r"^FAIL\t\S+ \[(build failed|setup failed)\]$", re.MULTILINE)
_SAYS_NOTHING = (
    "FAIL\t",
    "exit status",
    "coverage:",
    "-test.shuffle ",
    "goos: ",
    "goarch: ",
    "pkg: ",
    "cpu: ",
    "=====",
)


class Story:
    """One package whose events were all taken, so that every test has an outcome."""

    def __init__(
        self, file: str, form: str, package: str, of: Package, mapper: PathMapper, builds: Mapping[str, Excerpt]
    ) -> None:
        """`builds` holds what the compiler printed, by the import path of the build."""
        self._file = file
        self._form = form
        self._package = package
        self._of = of
        self._mapper = mapper
        self._builds = builds
        self._below: dict[str, list[str]] | None = None
        self._crash: Failure | None = None
        self._other: Failure | None = None
        self._crash_told = False

    def of_test(self, key: str, test: Test) -> Evidence:
        """What is told of a test that failed, was skipped or ran more than once."""
        output = test.output.text() if test.output else ""
        failure, details = NOTHING, ""
        if test.outcome == "skipped":
            failure = go_failure.of_skip(output, self._package, self._mapper) if output else NOTHING
        elif test.broke or test.outcome != "passed":
            failure = self._failure(key, test, output)
            if failure.path is None:
                path, line = declared(self._package, key, self._mapper)
                failure = Failure(failure.message, path, line)
            details = block("\n".join(go_failure.unframed(clean(output))))
            if self._of.shuffle:
                details = f"{details}\n{name(self._of.shuffle)}".strip("\n")
        return Evidence(
            message=failure.message,
            path=failure.path,
            line=failure.line,
            attempts=test.attempts,
            flaky=test.outcome == "passed" and test.broke,
            details=details,
        )

    def _failure(self, key: str, test: Test, output: str) -> Failure:
        if test.lost:
            return self._lost(key, test, output)
        errors = test.errors.text() if test.errors else ""
        failure = go_failure.of_test(output, errors, self._package, self._mapper)
        if not failure.told:
            failure = self._inherited(key)
        if failure.told:
            return failure
        said = go_failure.last_line(go_failure.unframed(clean(output)))
        return Failure(
            name(f"failed without a message; it printed last: {said}" if said else "failed without a message")
        )

    def _lost(self, key: str, test: Test, output: str) -> Failure:
        """A test that never ended: it crashed, another one did, or the program left without a word."""
        own = go_failure.of_crash(output, self._package, self._mapper)
        if not own.told:
            own = self._inherited(key, lost=True)
        return own if own.told else go_failure.of_lost(test.lost, output, self._package, self._mapper)

    def _inherited(self, key: str, *, lost: bool = False) -> Failure:
        """A parent fails by its subtests; a test that crashed can have the crash printed for another or for none."""
        if self._below is None:
            self._below = failed_below(self._of)
        below = self._below.get(key)
        if below:
            more = f" and {len(below) - 1} more" if len(below) > 1 else ""
            return Failure(name(f"subtest failed: {below[0][len(key) + 1 :]}{more}"))
        for parent in parents(key):
            failure = self._crash_of(parent)
            if failure.told:
                return failure
        if lost or self._suspected(key):
            self._crash_told = self._crash_told or self._package_crash().told
            if self._package_crash().told:
                return self._package_crash()
        return self._elsewhere() if lost else NOTHING

    def _suspected(self, key: str) -> bool:
        suspect = self._of.suspect
        return suspect == key or f"{suspect}/".startswith(f"{key}/") or key.startswith(f"{suspect}/")

    def _elsewhere(self) -> Failure:
        """The crash of another test took this one with it; the place is the other's."""
        if self._other is None:
            failures = (self._crash_of(other) for other in self._of.tests)
            self._other = next((failure for failure in failures if failure.told), NOTHING)
        return Failure(name(f"did not finish: {self._other.message}")) if self._other.told else NOTHING

    def _crash_of(self, key: str) -> Failure:
        test = self._of.tests.get(key)
        told = test.output.crash if test and test.output else ""
        return go_failure.of_crash(told, self._package, self._mapper) if told else NOTHING

    def _package_crash(self) -> Failure:
        if self._crash is None:
            told = self._of.output.crash
            self._crash = go_failure.of_crash(told, self._package, self._mapper) if told else NOTHING
        return self._crash

    def of_package(self) -> Case | None:
        """The case for what broke outside of the tests, asked for after `of_test`; None where nothing did.

        A package that failed because of its tests is none, unless it also crashed in a way that no test tells of.
        """
        of = self._of
        if of.ended in PASSED or (of.ended is None and not self._package and not of.tests):
            return None
        output = of.output.text()
        if of.ended is None:
            return self._error("[incomplete]", Failure(_INCOMPLETE), output)
        crashed = self._package_crash()
        unbuilt = _UNBUILT.search(output)
        kind = of.reason or (unbuilt[1] if unbuilt else "")
        if of.builds or kind:
            return self._unbuilt(kind or "build failed", output)
        if crashed.told and not self._crash_told:
            return self._error(_title(crashed.message), crashed, output)
        if of.broke:
            return None
        lines = [line.strip() for line in go_failure.unframed(clean(output))]
        said = go_failure.last_line([line for line in lines if not line.startswith(_SAYS_NOTHING)])
        message = f"failed outside of its tests: {said}" if said else "failed outside of its tests"
        return self._error("[failed]", Failure(name(message)), output)

    def of_build(self, build: str) -> Case:
        """The case for a build that failed."""
        output = self._build_text([build])
        return self._error("[build failed]", go_failure.of_build(output, self._mapper), output)

    def _unbuilt(self, kind: str, output: str) -> Case:
        said = self._build_text(self._of.builds or self._own_builds())
        failure = go_failure.of_build(said, self._mapper)
        return self._error(f"[{kind}]", failure if failure.told else Failure(kind), said or output)

    def _own_builds(self) -> Iterable[str]:
        """The builds of this package, else, for one that it imports, all that printed something."""
        names = {self._package, f"{self._package}.test"}
        return [build for build in self._builds if build.partition(" ")[0] in names] or self._builds

    def _build_text(self, builds: Iterable[str]) -> str:
        return "".join(clean(self._builds[build].text()) for build in builds if build in self._builds)

    def _error(self, title: str, failure: Failure, output: str) -> Case:
        suite = name(self._package)
        evidence = Evidence(message=failure.message, path=failure.path, line=failure.line, details=block(clean(output)))
        return Case(self._file, self._form, suite, suite, title, "error", evidence=evidence)


def _title(message: str) -> str:
    if message.startswith("data race"):
        return "[race]"
    return "[timeout]" if "test timed out" in message else "[panic]"
