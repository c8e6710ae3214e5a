"""pytest-reportlog: real logs of every outcome, and logs that end too early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "reportlog"
START: dict[str, Any] = {"$report_type": "SessionStart", "pytest_version": "9"}


def log(tmp_path: Path, *lines: dict[str, Any] | str) -> TestReport:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (tmp_path / "log.jsonl").write_text(text)
    return read.read_paths([tmp_path / "log.jsonl"], root=tmp_path)


def phase(when: str, outcome: str = "passed", **fields: Any) -> dict[str, Any]:
    return {"nodeid": "a/test_b.py::test_c", "when": when, "outcome": outcome, "duration": 0.5, "longrepr": None,
            "location": ["a/test_b.py", 4, "test_c"], "$report_type": "TestReport"} | fields  # fmt: skip


def test_every_outcome(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "pytest.jsonl"], root=tmp_path)
    assert not report.problems
    assert [(one.outcome, one.class_name, one.name, one.message, one.line) for one in report.cases] == [
        ("skipped", "", "tests.test_module", "whole module", 2),
        ("passed", "tests.test_cart.TestCart", "test_adds", "", 7),
        ("failed", "tests.test_cart.TestCart", "test_total", "AssertionError: total is wrong", 13),
        ("passed", "tests.test_cart.TestCart", "test_each[1]", "", 15),
        ("failed", "tests.test_cart.TestCart", "test_each[2]", "assert 2 == 1", 17),
        ("error", "tests.test_cart", "test_reads", "RuntimeError: no connection", 22),
        ("error", "tests.test_cart", "test_leaks", "RuntimeError: still open", 28),
        ("error", "tests.test_cart", "test_fails_and_leaks", "assert False", 38),
        ("skipped", "tests.test_cart", "test_left_out", "no docker", 41),
        ("skipped", "tests.test_cart", "test_known", "expected to fail: bug 12", 47),
        ("passed", "tests.test_cart", "test_fixed", "passed, but was expected to fail: bug 13", 50),
        ("failed", "tests.test_cart", "test_fixed_strict", "[XPASS(strict)] bug 14", 54),
        ("failed", "tests.test_cart", "test_bad_item", "TypeError: item is undefined", 59),
        ("passed", "tests.test_cart", "test_second_try", "assert 1 > 1", 65),
        ("failed", "tests.test_cart", "test_never", "AssertionError: never", 70),
        ("failed", "tests.test_cart", "test_sub [one]", "assert 1 == 2", 75),
        ("passed", "tests.test_cart", "test_sub [two] (i=2)", "", 73),
        ("failed", "tests.test_cart", "test_sub", "contains 1 failed subtest", 73),
    ]
    total, both = report.cases[2], report.cases[7]
    assert total.output == "--- Captured stdout call ---\nhello"
    assert ">       assert total == 12" in total.details
    assert "\ntests/test_cart.py:13: AssertionError" in total.details
    assert "RuntimeError: still open" in both.details
    assert [(one.name, one.attempts, one.flaky) for one in report.cases if one.attempts > 1] == [
        ("test_second_try", 2, True),
        ("test_never", 2, False),
    ]


def test_what_cannot_be_collected_is_an_error(tmp_path: Path) -> None:
    broken = read.read_paths([DATA / "broken.jsonl"], root=tmp_path).cases[0]
    assert (broken.outcome, broken.name) == ("error", "tests.test_broken")
    assert (broken.message, broken.path, broken.line) == (
        "ModuleNotFoundError: No module named 'missing_module'", "tests/test_broken.py", 1,
    )  # fmt: skip


def test_a_process_that_died(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "dies.jsonl"], root=tmp_path)
    assert [(one.name, one.outcome) for one in report.cases] == [("test_exit", "passed"), ("test_dies", "error")]
    assert report.cases[1].line == 3
    assert [one.kind for one in report.problems] == ["inconsistent"]


def test_native_tracebacks(tmp_path: Path) -> None:
    total = read.read_paths([DATA / "native.jsonl"], root=tmp_path).cases[0]
    assert (total.line, total.details.split("\n")[0]) == (13, "Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (0, "passed", None),
        (1, "passed", "pytest's session failed, but no test did"),
        (1, "failed", None),
        (2, "passed", "pytest's session ended with the status 2, so results are missing"),
        (2, "failed", None),
        (3, "failed", "pytest's session ended with the status 3, so results are missing"),
        (None, "passed", "pytest's session did not finish, so results are missing"),
    ],
)
def test_how_the_session_ended(status: int | None, outcome: str, reason: str | None, tmp_path: Path) -> None:
    end = [] if status is None else [{"exitstatus": status, "$report_type": "SessionFinish"}]
    report = log(tmp_path, START, phase("setup"), phase("call", outcome), phase("teardown"), *end)
    assert [one.reason for one in report.problems] == ([reason] if reason else [])


def test_a_rerun_that_never_came_is_an_error(tmp_path: Path) -> None:
    report = log(tmp_path, START, phase("setup"), phase("call", "rerun"), phase("teardown"))
    (case,) = report.cases
    assert (case.outcome, case.seconds, case.line) == ("error", 1.5, 5)


def test_what_pytest_retry_writes_has_no_second_set_up(tmp_path: Path) -> None:
    end = {"exitstatus": 0, "$report_type": "SessionFinish"}
    tries = phase("call", "retried", longrepr="E   assert 1 > 1"), phase("call"), phase("teardown")
    report = log(tmp_path, START, phase("setup"), *tries, end)
    (case,) = report.cases
    assert (case.outcome, case.attempts, case.flaky, case.message) == ("passed", 2, True, "assert 1 > 1")
    assert report.problems == ()


def test_an_outcome_that_is_not_known_did_not_pass(tmp_path: Path) -> None:
    report = log(tmp_path, START, phase("setup"), phase("call", "exploded"), phase("teardown"))
    assert [one.outcome for one in report.cases] == ["failed"]


def test_lines_that_are_no_reports_are_a_problem(tmp_path: Path) -> None:
    end = {"exitstatus": 0, "$report_type": "SessionFinish"}
    report = log(tmp_path, START, phase("setup"), phase("call"), phase("teardown"), '{"$report_type": "Tes', end)
    assert [one.reason for one in report.problems] == ["line 5 of the report log is cut off or no report"]
    assert report.totals.passed == 1
