"""One run of `go test`, put together from events, whichever way they were printed.

The rules are those of `go doc test2json` and of what `go test` does around it: a package can fail without any of its
tests failing (build, setup, TestMain, a panic outside of a test), and a test that never ended did not pass. What a test
printed is kept for failures (`Evidence.details`); that of tests that passed is not kept at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.results.go_state import Package, Said, Test
from ci_buildkit.results.go_story import Story
from ci_buildkit.results.model import NO_EVIDENCE, Case, Outcome
from ci_buildkit.results.reader import Item, Suite
from ci_buildkit.text import Excerpt, name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.paths import PathMapper

_OUTCOMES: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped", "bench": "passed"}
ENDINGS = frozenset(_OUTCOMES)
FRAMES = (
    "=== RUN  ",
    "=== PAUSE ",
    "=== CONT  ",
    "=== NAME  ",
    "--- PASS: ",
    "--- FAIL: ",
    "--- SKIP: ",
    "--- BENCH: ",
)
"""How the lines begin that the testing package prints around a test; the events say the same."""


class GoRun:
    """Takes events in order; `cases` gives the result once all were taken."""

    def __init__(self, file: str, form: str, mapper: PathMapper) -> None:
        """`file` and `form` become the cases' `file` and `format`."""
        self._file = file
        self._form = form
        self._mapper = mapper
        self.packages: dict[str, Package] = {}
        self._builds: dict[str, Excerpt] = {}
        self._failed_builds: dict[str, None] = {}

    def package(self, name: str) -> Package:
        """The package of that import path."""
        found = self.packages.get(name)
        if found is None:
            found = self.packages[name] = Package()
        return found

    def start(self, package: str) -> None:
        """A package begins, perhaps not for the first time."""
        self.package(package).begin()

    def run(self, package: str, test: str) -> None:
        """A test begins."""
        of = self.packages.get(package) or self.package(package)
        of.ended = None
        known = of.tests.get(test)
        if known is None:
            of.tests[test] = Test()
        else:
            known.again()

    def output(self, package: str, test: str, text: str, *, error: bool = False) -> None:
        """A test ("" for the package itself) printed something, `error` where the stream says it is one."""
        of = self.packages.get(package) or self.package(package)
        if not test:
            of.printed(text)
            return
        if text.startswith(FRAMES):
            return
        known = of.tests.get(test)
        if known is None:
            known = of.tests[test] = Test()
        elif known.outcome == "passed":
            of.printed(text)  # something that it left running
            return
        if known.output is None:
            known.output = Said()
        known.output.add(text)
        if error:
            if known.errors is None:
                known.errors = Excerpt(8192)
            known.errors.add(text)

    def end_test(self, package: str, test: str, action: str, seconds: float) -> None:
        """A test ends with one of ENDINGS."""
        of = self.packages.get(package) or self.package(package)
        outcome = _OUTCOMES[action]
        known = of.tests.get(test)
        if known is None:
            known = of.tests[test] = Test()
        elif known.outcome is not None and known.outcome != outcome:
            known.again()  # its second run began unannounced
        known.end(outcome, seconds)
        if outcome == "failed":
            of.last_failed, of.broke = test, True
        else:
            of.last_failed = ""

    def end_package(self, package: str, action: str, *, failed_build: str = "", reason: str = "") -> None:
        """A package ends with one of ENDINGS; `failed_build` is the import path of the build it waited for."""
        of = self.package(package)
        of.end(action)
        of.reason = reason or of.reason
        if failed_build:
            of.builds.append(failed_build)

    def adopt(self, pending: str, package: str) -> None:
        """Gives the tests of the package `pending` to `package`, as further runs where it had them already."""
        of = self.packages.pop(pending, None)
        if of is None:
            return
        into = self.packages.setdefault(package, of)
        if into is of:
            of.ended = None
            return
        into.begin()
        into.join(of)

    def build_output(self, build: str, text: str) -> None:
        """The compiler, vet or the loader printed something about this build."""
        output = self._builds.get(build)
        if output is None:
            output = self._builds[build] = Excerpt()
        output.add(text)

    def build_failed(self, build: str) -> None:
        """A build failed; the packages that needed it will say so too, if they are tested."""
        self._failed_builds[build] = None

    def cases(self) -> Iterator[Item]:
        """Every test as one case, package by package, and an `error` case for what broke outside of a test."""
        explained: set[str] = set()
        for package, of in self.packages.items():
            of.settle()
            story = Story(self._file, self._form, package, of, self._mapper, self._builds)
            cases = list(self._cases(story, package, of))
            broken = story.of_package()
            explained.update(of.builds)
            if broken:
                cases.append(broken)
            if cases:
                yield Suite(package)
                yield from cases
        for build in self._failed_builds:
            if build not in explained:
                package = build.partition(" ")[0]
                yield Suite(package)
                yield Story(self._file, self._form, package, Package(), self._mapper, self._builds).of_build(build)

    def _cases(self, story: Story, package: str, of: Package) -> Iterator[Case]:
        suite = name(package)
        for key, test in of.tests.items():
            outcome = test.outcome or "error"
            quiet = outcome == "passed" and not test.broke and test.attempts == 1
            evidence = NO_EVIDENCE if quiet else story.of_test(key, test)
            yield Case(self._file, self._form, suite, suite, name(key), outcome, test.seconds, evidence)
