"""Reports of the size of a large repository's, made up in the shape that the real tools give them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from ci_buildkit.findings.model import Finding
from ci_buildkit.record import BuilderRecord, RunRecord, StageRecord, TestsRecord, VersionRecord
from ci_buildkit.results.collect import report
from ci_buildkit.results.model import Case, Evidence, TestReport

_SUITE = 1_000
_FAILURE = 'Traceback\n  File "/src/a.py", line {0}\nAssertionError: boom {0}'
_TIME = "2026-01-02T03:04:05.123456789Z"
_TESTIFY = (
    "    thing_test.go:{0}: \n",
    "        \tError Trace:\t/src/pkg/thing_test.go:{0}\n",
    "        \tError:      \tNot equal: \n",
    "        \t            \texpected: {0}\n",
    "        \t            \tactual  : 2\n",
    "        \tTest:       \tTestThing\n",
)


def junit(path: Path, cases: int, *, placed: bool = False) -> None:
    """A JUnit file of so many cases, one of a hundred failed, in suites of a thousand; `placed` with file and line."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
        for suite in range(cases // _SUITE):
            failed = _SUITE // 100
            file.write(f'<testsuite name="suite{suite}" tests="{_SUITE}" failures="{failed}" errors="0" skipped="0" time="1">\n')  # fmt: skip
            file.writelines(_junit_case(suite, number, placed=placed) for number in range(_SUITE))
            file.write("</testsuite>\n")
        file.write("</testsuites>\n")


def _junit_case(suite: int, number: int, *, placed: bool) -> str:
    case = f'<testcase classname="pkg.mod{suite}.TestClass" name="test_case_{number}_{suite}" time="0.{number:03}"'
    if placed:
        case += f' file="pkg/mod{suite}.py" line="{number + 1}"'
    if number % 100 != 7:
        return f"{case} />\n"
    text = _FAILURE.format(number)
    return f'{case}><failure message="assert {number} == 2" type="AssertionError">{text}</failure></testcase>\n'


def go_plain(path: Path, lines: int) -> None:
    """`go test -json` of about so many lines: 200 quiet tests a package, four of them failed."""
    _go(path, lines, _plain_package)


def go_rich(path: Path, lines: int) -> None:
    """The same with subtests, output of the tests, testify, a panic, a build failure, and text between the events."""
    _go(path, lines, _rich_package)


def _go(path: Path, lines: int, package: Callable[[int], Iterator[str]]) -> None:
    count = number = 0
    with path.open("w", encoding="utf-8") as file:
        while count < lines:
            for line in package(number):
                file.write(line)
                count += 1
            number += 1


def _event(action: str, package: str, test: str = "", **more: object) -> str:
    values: dict[str, object] = {"Time": _TIME, "Action": action, "Package": package}
    if test:
        values["Test"] = test
    return json.dumps({**values, **more}, separators=(",", ":")) + "\n"


def _go_test(package: str, test: str, output: tuple[str, ...], word: str) -> Iterator[str]:
    yield _event("run", package, test)
    for line in (f"=== RUN   {test}\n", *output, f"--- {word.upper()}: {test} (0.01s)\n"):
        yield _event("output", package, test, Output=line)
    yield _event(word, package, test, Elapsed=0.01)


def _plain_package(number: int) -> Iterator[str]:
    package = f"example.com/m/pkg{number}"
    yield _event("start", package)
    for test in range(200):
        failed = test % 50 == 7
        output = (f"    thing_test.go:{test}: got 1, want 2\n",) if failed else ()
        yield from _go_test(package, f"TestThing{test}", output, "fail" if failed else "pass")
    yield from _go_end(package)


def _go_end(package: str) -> Iterator[str]:
    yield _event("output", package, Output="FAIL\n")
    yield _event("output", package, Output=f"FAIL\t{package}\t0.01s\n")
    yield _event("fail", package, Elapsed=0.01)


def _rich_package(number: int) -> Iterator[str]:
    package = f"example.com/m/internal/service{number}"
    if number % 10 == 3:
        yield f"go: downloading example.com/dependency/v{number} v1.2.3\n"
    if number % 50 == 4:
        yield from _broken_build(package)
        return
    yield _event("start", package)
    for test in range(40):
        root = f"TestService{test}"
        yield _event("run", package, root)
        yield _event("output", package, root, Output=f"=== RUN   {root}\n")
        for sub in range(4):
            failed = test % 20 == 7 and sub == 2
            log = tuple(f"    thing_test.go:{30 + step}: step {step} of {root} took 12ms\n" for step in range(3))
            output = tuple(line.format(40 + sub) for line in _TESTIFY) if failed else ()
            yield from _go_test(package, f"{root}/case_{sub}", (*log, *output), "fail" if failed else "pass")
        word = "fail" if test % 20 == 7 else "skip" if test % 20 == 9 else "pass"
        yield _event("output", package, root, Output=f"--- {word.upper()}: {root} (0.05s)\n")
        yield _event(word, package, root, Elapsed=0.05)
    if number % 20 == 6:
        yield from _panic(package)
    yield from _go_end(package)


def _broken_build(package: str) -> Iterator[str]:
    build = f"{package} [{package}.test]"
    for text in (f"# {build}\n", "internal/service/thing.go:3:15: undefined: thing\n"):
        yield json.dumps({"ImportPath": build, "Action": "build-output", "Output": text}) + "\n"
    yield json.dumps({"ImportPath": build, "Action": "build-fail"}) + "\n"
    yield _event("start", package)
    yield _event("output", package, Output=f"FAIL\t{package} [build failed]\n")
    yield _event("fail", package, Elapsed=0, FailedBuild=build)


def _panic(package: str) -> Iterator[str]:
    yield _event("run", package, "TestPanics")
    stack = [f"{package}.TestPanics(0xc000)\n", "\t/src/internal/thing_test.go:90 +0x1\n", "testing.tRunner(0xc000)\n",
             "\t/usr/local/go/src/testing/testing.go:2036 +0xea\n"]  # fmt: skip
    for line in ("panic: boom\n", "\n", "goroutine 18 [running]:\n", *stack * 5):
        yield _event("output", package, "TestPanics", Output=line)


def sarif(path: Path, results: int) -> None:
    """A SARIF log of so many results of fifty rules."""
    rules = [{"id": f"rule{number}", "defaultConfiguration": {"level": "warning"}} for number in range(50)]
    found = [_sarif_result(number) for number in range(results)]
    run = {"tool": {"driver": {"name": "linter", "rules": rules}}, "results": found}
    log = {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]}
    path.write_text(json.dumps(log), encoding="utf-8")


def _sarif_result(number: int) -> dict[str, object]:
    region = {"startLine": number % 900 + 1, "startColumn": number % 80 + 1, "endColumn": number % 80 + 5}
    location = {"physicalLocation": {"artifactLocation": {"uri": f"src/module{number % 700}.py"}, "region": region}}
    return {
        "ruleId": f"rule{number % 50}",
        "ruleIndex": number % 50,
        "message": {"text": f"Name {number} is not used"},
        "locations": [location],
    }


def run_of(cases: int) -> tuple[RunRecord, TestReport]:
    """A run with one test stage of so many cases, one of a hundred failed, and a thousand lint findings."""
    tests = report([_case(number) for number in range(cases)], [], files=1, suites=cases // _SUITE)
    stages = [StageRecord(name=kind, kind=kind, target=kind, platforms=("linux/amd64",), outcome="failed", seconds=30)
              for kind in ("lint", "test")]  # fmt: skip
    failed = tuple(case for case in tests.cases if case.broken)
    record = RunRecord(
        outcome="failed",
        exit_code=1,
        started="2026-01-02T03:04:05Z",
        seconds=61.5,
        version=VersionRecord(value="v1.2.3", revision="0" * 40, dirty=False, source="tag", source_date_epoch=0),
        builder=BuilderRecord(
            name="b", driver="docker-container", buildkit="v0", buildx="v0", platforms=("linux/amd64",), created=True
        ),
        stages=tuple(stages),
        tests=TestsRecord(totals=tests.totals, failed=failed),
        findings=tuple(_finding(number) for number in range(1_000)),
    )
    return record, tests


def _case(number: int) -> Case:
    suite, name = f"pkg.mod{number // _SUITE}.TestClass", f"test_case_{number}"
    if number % 100 != 7:
        return Case("junit.xml", "junit", suite, suite, name, "passed", 0.01)
    evidence = Evidence(
        message=f"assert {number} == 2", path="src/a.py", line=number + 1, details=_FAILURE.format(number)
    )
    return Case("junit.xml", "junit", suite, suite, name, "failed", 0.01, evidence)


def _finding(number: int) -> Finding:
    return Finding(
        path=f"src/module{number % 70}.py", line=number + 1, column=1, end_line=None, end_column=None,
        severity="warning", rule="F401", message=f"name {number} is not used", tool="ruff",
    )  # fmt: skip
