"""Jest's and Vitest's JSON: real reports, and documents that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "jest"


def found(name: str, root: Path) -> TestReport:
    return read.read_paths([DATA / name], root=root)


def document(tmp_path: Path, **top: Any) -> TestReport:
    top = {"numTotalTestSuites": 1, "numTotalTests": 0, "numFailedTests": 0, "testResults": []} | top
    (tmp_path / "report.json").write_text(json.dumps(top))
    return read.read_paths([tmp_path / "report.json"], root=tmp_path)


def test_jest(tmp_path: Path) -> None:
    report = found("jest.json", tmp_path)
    assert not report.problems
    assert [(one.outcome, one.suite, one.class_name.split("/")[-1], one.name) for one in report.cases[:10]] == [
        ("passed", "Cart", "cart.test.js", "adds one item"),
        ("failed", "Cart", "cart.test.js", "computes the total"),
        ("failed", "Cart", "cart.test.js", "throws for a bad item"),
        ("skipped", "Cart", "cart.test.js", "is planned"),
        ("skipped", "Cart", "cart.test.js", "is left out"),
        ("passed", "Cart / with discount", "cart.test.js", "prints"),
        ("failed", "Database", "cart.test.js", "reads"),
        ("passed", "After", "cart.test.js", "reads"),
        ("error", "", "cart.test.js", "/app/shop/jest/cart.test.js"),
        ("passed", "", "flaky.test.js", "passes at the second try"),
    ]
    total = report.cases[1]
    assert total.message == "Error: expect(received).toBe(expected) // Object.is equality"
    assert "Expected: 12\nReceived: 10\n" in total.details
    assert (total.path, total.line, round(total.seconds, 3)) == ("/app/shop/jest/cart.test.js", 4, 0.002)


def test_what_broke_outside_of_tests_is_an_error(tmp_path: Path) -> None:
    errors = [one for one in found("jest.json", tmp_path).cases if one.outcome == "error"]
    assert [(one.class_name.split("/")[-1], one.message) for one in errors] == [
        ("cart.test.js", "still open"),
        ("broken.test.js", "Cannot find module './missing' from 'broken.test.js'"),
        ("syntax.test.js", "Jest encountered an unexpected token"),
        ("empty.test.js", "Your test suite must contain at least one test."),
    ]
    assert (errors[0].path, errors[0].line) == ("/app/shop/jest/cart.test.js", 17)


def test_retries(tmp_path: Path) -> None:
    flaky, never = found("location.json", tmp_path).cases
    assert (flaky.outcome, flaky.flaky, flaky.attempts, flaky.line) == ("passed", True, 2, 3)
    assert (never.outcome, never.flaky, never.attempts, never.line) == ("failed", False, 3, 4)


def test_vitest(tmp_path: Path) -> None:
    report = found("vitest.json", tmp_path)
    assert (report.totals.passed, report.totals.failed, report.totals.errors, report.totals.skipped) == (3, 2, 1, 3)
    flaky = next(one for one in report.cases if one.flaky)
    assert (flaky.name, flaky.message, flaky.attempts) == ("passes at the second try", "Error: not yet", 2)
    assert not report.problems


def test_tests_of_one_name_in_two_files_are_two(tmp_path: Path) -> None:
    report = found("same-name.json", tmp_path)
    assert [(one.name, one.outcome, one.flaky) for one in report.cases] == [("works", "failed", False), ("works", "passed", False)]  # fmt: skip


@pytest.mark.parametrize(
    ("top", "reason"),
    [
        ({"numFailedTests": 2}, "numFailedTests is 2, but 0 tests failed"),
        ({"numTotalTests": 3}, "numTotalTests is 3, but there are 0 tests"),
        ({"wasInterrupted": True}, "the run was interrupted, so results are missing"),
        ({"success": False}, "says that the run failed, but no test did"),
    ],
)
def test_totals_that_contradict_the_tests(top: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert [(one.kind, one.reason) for one in document(tmp_path, **top).problems] == [("inconsistent", reason)]


def test_a_name_twice_in_one_file_does_not_make_up_for_the_first(tmp_path: Path) -> None:
    results: list[dict[str, Any]] = [
        {"title": "works", "status": status, "failureMessages": []} for status in ("failed", "passed", "odd")
    ]
    report = document(tmp_path, numTotalTests=3, testResults=[{"name": "/a.test.js", "assertionResults": results}])
    assert [(one.name, one.outcome) for one in report.cases] == [
        ("works", "failed"),
        ("works (2)", "passed"),
        ("works (3)", "error"),
    ]
    assert report.cases[2].message == "ended with the unknown status 'odd'"


def test_a_file_that_failed_silently_is_an_error(tmp_path: Path) -> None:
    results = [{"title": "works", "status": "passed"}]
    report = document(
        tmp_path, numTotalTests=1, testResults=[{"name": "/a.js", "status": "failed", "assertionResults": results}]
    )
    assert report.cases[1].outcome == "error"
    assert report.cases[1].message == "failed outside of its tests, without a message"


def test_a_document_that_is_cut_off_keeps_its_start(tmp_path: Path) -> None:
    data = (DATA / "jest.json").read_bytes()
    (tmp_path / "report.json").write_bytes(data[: len(data) // 3])
    report = read.read_paths([tmp_path / "report.json"], root=tmp_path)
    assert report.totals.failed > 0
    assert {one.kind for one in report.problems} == {"inconsistent", "unreadable"}


def test_a_document_of_other_types_is_a_problem(tmp_path: Path) -> None:
    report = document(tmp_path, testResults=5)
    assert [one.kind for one in report.problems] == ["unreadable"]
