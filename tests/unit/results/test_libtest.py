"""libtest's JSON lines of cargo, in files and logs, and as nextest writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "libtest"


def events(tmp_path: Path, *lines: str) -> TestReport:
    (tmp_path / "events.json").write_text("\n".join(lines))
    return read.read_paths([tmp_path / "events.json"], root=tmp_path)


def test_cargo(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "cargo.json"], root=tmp_path)
    assert not report.problems
    assert [(one.outcome, one.name, one.message, one.path, one.line) for one in report.cases] == [
        ("passed", "cart::adds", "", None, None),
        ("skipped", "cart::left_out", "no docker", None, None),
        ("failed", "cart::item", "called `Option::unwrap()` on a `None` value", "src/lib.rs", 17),
        ("failed", "cart::panics", "panic did not contain expected string", "src/lib.rs", 25),
        ("failed", "cart::result", 'Error: "not a number"', None, None),
        ("failed", "cart::total", "assertion `left == right` failed: total is wrong", "src/lib.rs", 14),
        ("failed", "cart::panics_not", "test did not panic as expected at src/lib.rs:28:8", "src/lib.rs", 28),
        ("passed", "green", "", None, None),
    ]
    assert "  left: 10\n right: 12" in report.cases[5].details


def test_a_log_names_the_test_binaries(tmp_path: Path) -> None:
    report = read.read_log((DATA / "log.txt").read_text().splitlines(), name="log", root=tmp_path)
    assert list(dict.fromkeys(one.suite for one in report.cases)) == [
        "src/lib.rs", "tests/dies.rs", "tests/green.rs", "doc tests of shop",
    ]  # fmt: skip
    assert [one.reason for one in report.problems] == ["the test binary 'tests/dies.rs' did not finish"]


@pytest.mark.parametrize("name", ["green.json", "bench.json"])
def test_green(name: str, tmp_path: Path) -> None:
    report = read.read_paths([DATA / name], root=tmp_path)
    assert (report.totals.passed, report.problems) == (1, ())


def test_a_backtrace_is_not_where_it_failed(tmp_path: Path) -> None:
    case = read.read_paths([DATA / "backtrace.json"], root=tmp_path).cases[0]
    assert (case.path, case.line) == ("src/lib.rs", 14)
    assert "stack backtrace:" in case.details


def test_a_binary_that_died(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "dies.json"], root=tmp_path)
    assert [(one.name, one.outcome) for one in report.cases] == [("a_first", "passed"), ("dies", "error")]
    assert [one.reason for one in report.problems] == ["a test binary did not finish"]


def test_nextest_tells_binaries_and_attempts(tmp_path: Path) -> None:
    report = events(
        tmp_path,
        '{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"shop","test_binary":"shop","kind":"lib"}}',
        '{"type":"suite","event":"started","test_count":1,"nextest":{"crate":"shop","test_binary":"api","kind":"test"}}',
        '{"type":"test","event":"started","name":"shop::shop$cart::flaky"}',
        '{"type":"test","event":"started","name":"shop::api$never"}',
        '{"type":"test","event":"ok","name":"shop::shop$cart::flaky#2","exec_time":0.5}',
        '{"type":"test","event":"failed","name":"shop::api$never#3","exec_time":1,"reason":"time limit exceeded"}',
        '{"type":"test","event":"started","name":"shop::shop$cart::left_out"}',
        '{"type":"test","event":"ignored","name":"shop::shop$cart::left_out"}',
        '{"type":"suite","event":"ok","passed":1,"failed":0,"ignored":1,"nextest":{"crate":"shop","test_binary":"shop"}}',
        '{"type":"suite","event":"failed","passed":0,"failed":1,"ignored":0,"nextest":{"crate":"shop","test_binary":"api"}}',
    )
    assert [(one.suite, one.name, one.outcome, one.attempts, one.flaky, one.message) for one in report.cases] == [
        ("shop::shop", "cart::flaky", "passed", 2, True, ""),
        ("shop::api", "never", "failed", 3, False, "time limit exceeded"),
        ("shop::shop", "cart::left_out", "skipped", 1, False, ""),
    ]
    assert not report.problems


def test_a_suite_that_failed_without_a_failed_test_is_an_error(tmp_path: Path) -> None:
    report = events(
        tmp_path,
        '{"type":"suite","event":"started","test_count":1}',
        '{"type":"test","event":"ok","name":"a"}',
        '{"type":"suite","event":"failed","passed":1,"failed":0}',
    )
    assert [(one.name, one.outcome) for one in report.cases] == [("a", "passed"), ("test binary", "error")]


def test_a_suite_that_says_more_than_its_tests(tmp_path: Path) -> None:
    report = events(
        tmp_path,
        '{"type":"suite","event":"started","test_count":3}',
        '{"type":"test","event":"failed","name":"a","stdout":"x"}',
        '{ "type": "test", "event": "o',
        '{"type":"suite","event":"failed","passed":1,"failed":2}',
    )
    assert [one.reason for one in report.problems] == [
        "a suite says that 2 tests failed, but 1 did",
        "a suite says that 1 tests passed, but 0 did",
        "1 of the stream's events cut off",
    ]


def test_tests_that_are_missing_are_counted(tmp_path: Path) -> None:
    report = events(tmp_path, '{"type":"suite","event":"started","test_count":5}', '{"type":"test","event":"ok","name":"a"}')  # fmt: skip
    assert [one.reason for one in report.problems] == ["a test binary did not finish, and 4 of its 5 tests are missing"]
    assert report.totals.passed == 1
