"""One run of `go test`, put together from events, whichever way they were printed.

The rules are those of `go doc test2json` and of what `go test` does around it: a package can fail without any of its
tests failing (build, setup, TestMain, a panic outside of a test), and a test that never ended did not pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit.results import go_failure
from ci_buildkit.results.go_failure import Failure
from ci_buildkit.results.go_state import Package, Test, failed_below, parents, settled
from ci_buildkit.results.model import Case, Evidence, Outcome
from ci_buildkit.results.reader import Item, Suite
from ci_buildkit.text import Excerpt, block, clean, name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.paths import PathMapper

_OUTCOMES: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped", "bench": "passed"}
ENDINGS = frozenset(_OUTCOMES)


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

    def run(self, package: str, test: str) -> None:
        """A test begins."""
        tests = self.package(package).tests
        known = tests.get(test)
        if known is None:
            tests[test] = Test()
        else:
            known.again()

    def output(self, package: str, test: str, text: str, *, error: bool = False) -> None:
        """A test ("" for the package itself) printed something, `error` where the stream says it is one."""
        of = self.package(package)
        if not test:
            of.output.add(text)
            return
        known = of.tests.get(test)
        if known is None:
            known = of.tests[test] = Test()
        if known.output is None:
            known.output = Excerpt()
        known.output.add(text)
        if error:
            if known.errors is None:
                known.errors = Excerpt(8192)
            known.errors.add(text)

    def end_test(self, package: str, test: str, action: str, seconds: float) -> None:
        """A test ends with one of ENDINGS."""
        tests = self.package(package).tests
        known = tests.get(test)
        if known is None:
            known = tests[test] = Test()
        elif known.outcome is not None and known.outcome != _OUTCOMES[action]:
            known.again()  # its second run began unannounced
        known.end(_OUTCOMES[action], seconds)
        if action in {"pass", "bench"} and not known.broke:
            known.output = None  # only failures are told at length

    def end_package(self, package: str, action: str, *, failed_build: str = "", reason: str = "") -> None:
        """A package ends with one of ENDINGS; `failed_build` is the import path of the build it waited for."""
        of = self.package(package)
        of.ended = action
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
        into.output.add(of.output.text())
        for key, test in of.tests.items():
            known = into.tests.get(key)
            if known is None:
                into.tests[key] = test
            else:
                known.join(test)

    def build_output(self, build: str, text: str) -> None:
        """The compiler, vet or the loader printed something about this build."""
        output = self._builds.get(build)
        if output is None:
            output = self._builds[build] = Excerpt()
        output.add(text)

    def build_failed(self, build: str) -> None:
        """A build failed; the packages that needed it will say so too, if they are tested."""
        self._failed_builds[build] = None

    def has_build(self, build: str) -> bool:
        """Whether something was printed about this build."""
        return build in self._builds

    def cases(self) -> Iterator[Item]:
        """Every test as one case, package by package, and an `error` case for what broke outside of a test."""
        explained: set[str] = set()
        for package, of in self.packages.items():
            below = failed_below(of)
            cases = [self._case(package, of, test, below) for test in of.tests]
            broken = self._package_error(package, of)
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
                output = self._build_text([build])
                yield self._error(package, "[build failed]", go_failure.of_build(output, self._mapper), output)

    def _case(self, package: str, of: Package, test_name: str, below: dict[str, list[str]]) -> Case:
        test = of.tests[test_name]
        outcome, lost = settled(of, test_name, test)
        flaky = outcome == "passed" and test.broke
        details, failure = "", go_failure.NOTHING
        if flaky or outcome in {"failed", "error"}:
            details, failure = self._failure(package, of, test_name, below)
            if not failure.told:
                failure = Failure(lost or "failed without a message")
        elif outcome == "skipped" and test.output is not None:
            failure = go_failure.of_skip(test.output.text(), package, self._mapper)
        return Case(
            file=self._file,
            format=self._form,
            suite=name(package),
            class_name=name(package),
            name=name(test_name),
            outcome=outcome,
            seconds=test.seconds,
            evidence=Evidence(
                message=failure.message,
                path=failure.path,
                line=failure.line,
                attempts=test.attempts,
                flaky=flaky,
                details=details,
            ),
        )

    def _failure(self, package: str, of: Package, test_name: str, below: dict[str, list[str]]) -> tuple[str, Failure]:
        test = of.tests[test_name]
        output = test.output.text() if test.output else ""
        errors = test.errors.text() if test.errors else ""
        failure = go_failure.of_test(output, errors, package, self._mapper)
        if not failure.told:
            failure = self._inherited(package, of, test_name, below.get(test_name, []))
        return block("\n".join(go_failure.unframed(clean(output)))), failure

    def _inherited(self, package: str, of: Package, test_name: str, below: list[str]) -> Failure:
        """A parent fails by its subtests; a subtest that panicked has the panic printed for its parent."""
        if below:
            more = f" and {len(below) - 1} more" if len(below) > 1 else ""
            return Failure(name(f"subtest failed: {below[0][len(test_name) + 1 :]}{more}"))
        outputs = [test.output for parent in parents(test_name) if (test := of.tests.get(parent)) and test.output]
        for output in (*outputs, of.output):
            failure = go_failure.panic(clean(output.text()).split("\n"), package, self._mapper)
            if failure.told:
                return failure
        return go_failure.NOTHING

    def _package_error(self, package: str, of: Package) -> Case | None:
        broke = any(test.broke or settled(of, key, test)[0] == "failed" for key, test in of.tests.items())
        if of.ended in {"pass", "skip", "bench"} or (of.ended == "fail" and broke):
            return None
        output = of.output.text()
        if of.ended is None:
            if not package and not of.tests:
                return None
            failure = Failure("the output ends before this package did: it crashed, was stopped or the file is cut off")
            return self._error(package, "[incomplete]", failure, output)
        return self._failed_package(package, of, clean(output))

    def _failed_package(self, package: str, of: Package, output: str) -> Case:
        kind = of.reason or next((reason for reason in ("build failed", "setup failed") if f"[{reason}]" in output), "")
        if of.builds or kind:
            said = self._build_text(of.builds or self._builds_of(package))
            failure = go_failure.of_build(said, self._mapper)
            title = f"[{kind or 'build failed'}]"
            return self._error(package, title, failure if failure.told else Failure(kind), said or output)
        failure = go_failure.panic(output.split("\n"), package, self._mapper)
        if failure.told:
            title = "[timeout]" if "test timed out" in failure.message else "[panic]"
            return self._error(package, title, failure, output)
        lines = [line.strip() for line in go_failure.unframed(output) if line.strip()]
        said_last = [line for line in lines if not line.startswith(("FAIL\t", "exit status", "coverage:"))]
        message = f"failed outside of its tests: {said_last[-1]}" if said_last else "failed outside of its tests"
        return self._error(package, "[failed]", Failure(name(message)), output)

    def _builds_of(self, package: str) -> list[str]:
        """The builds of this package, else, for one that it imports, all that printed something."""
        own = [build for build in self._builds if build.partition(" ")[0] == package]
        return own or list(self._builds)

    def _build_text(self, builds: list[str]) -> str:
        return "".join(clean(self._builds[build].text()) for build in builds if build in self._builds)

    def _error(self, package: str, title: str, failure: Failure, output: str) -> Case:
        return Case(
            file=self._file,
            format=self._form,
            suite=name(package),
            class_name=name(package),
            name=title,
            outcome="error",
            evidence=Evidence(
                message=failure.message, path=failure.path, line=failure.line, details=block(clean(output))
            ),
        )
