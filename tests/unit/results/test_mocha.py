"""Mocha's JSON: real reports, hooks, retries, and stats that contradict the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "mocha"
PASSED = {"title": "a", "fullTitle": "S a", "file": "/x.js", "duration": 5, "currentRetry": 0, "err": {}}


def document(tmp_path: Path, **top: Any) -> TestReport:
    top = {"stats": {"passes": 0, "failures": 0, "pending": 0}, "tests": [], "passes": [], "failures": [], "pending": []} | top  # fmt: skip
    (tmp_path / "report.json").write_text(json.dumps(top))
    return read.read_paths([tmp_path / "report.json"], root=tmp_path)


def test_mocha(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "retries.json"], root=tmp_path)
    assert not report.problems
    assert [(one.outcome, one.suite, one.name, one.attempts, one.flaky) for one in report.cases] == [
        ("passed", "", "stands alone", 1, False),
        ("passed", "Cart", "adds one item", 1, False),
        ("passed", "Cart with discount", "passes at the second try", 2, True),
        ("passed", "Queue", "pushes", 1, False),
        ("failed", "Cart", "computes the total", 2, False),
        ("failed", "Cart", "throws for a bad item", 2, False),
        ("failed", "Cart with discount", "compares objects", 2, False),
        ("error", "Database", '"before all" hook for "reads"', 1, False),
        ("error", "Queue", '"after each" hook: drain for "pushes"', 1, False),
        ("skipped", "Cart", "is planned", 1, False),
        ("skipped", "Cart", "is left out", 1, False),
        ("skipped", "Cart", "is skipped at run time", 1, False),
    ]
    total, hook = report.cases[4], report.cases[7]
    assert (total.message, total.path, total.line) == ("total is wrong", "/app/shop/test/cart.spec.js", 4)
    assert "10 !== 12" in total.details
    assert (hook.message, hook.line, hook.class_name) == ("no connection", 2, "/app/shop/test/hooks.spec.js")


@pytest.mark.parametrize("key", ["passes", "failures", "pending"])
def test_stats_that_contradict_the_tests(key: str, tmp_path: Path) -> None:
    stats = {"passes": 0, "failures": 0, "pending": 0} | {key: 2}
    report = document(tmp_path, stats=stats)
    assert [one.reason for one in report.problems] == [f"stats.{key} is 2, but there are 0"]


def test_a_test_without_an_outcome_is_an_error(tmp_path: Path) -> None:
    report = document(tmp_path, tests=[PASSED])
    assert [(one.outcome, one.message) for one in report.cases] == [("error", "ended without an outcome")]


def test_mochawesome_is_something_else(tmp_path: Path) -> None:
    report = document(tmp_path, results=[])
    assert [one.kind for one in report.problems] == ["unreadable"]
    assert "is no test report that is known" in report.problems[0].reason
