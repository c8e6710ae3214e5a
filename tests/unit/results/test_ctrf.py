"""CTRF in and out: what several reporters write, and our own document read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit import __version__
from ci_buildkit.results import collect, ctrf_writer, read
from ci_buildkit.results.model import Case, Evidence, TestReport

DATA = Path(__file__).parents[2] / "data" / "ctrf"


def document(tmp_path: Path, tests: list[dict[str, Any]], summary: dict[str, int]) -> TestReport:
    results = {"tool": {"name": "x"}, "summary": {"tests": len(tests)} | summary, "tests": tests}
    (tmp_path / "report.json").write_text(json.dumps({"results": results}))
    return read.read_paths([tmp_path / "report.json"], root=tmp_path)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("jest", (10, 4, 4, 0, 2, 1)),
        ("mocha", (8, 2, 3, 0, 3, 1)),
        ("vitest", (8, 3, 2, 0, 3, 1)),
        ("pytest", (15, 4, 7, 2, 2, 1)),
    ],
)
def test_reporters(name: str, counts: tuple[int, ...], tmp_path: Path) -> None:
    report = read.read_paths([DATA / f"{name}.json"], root=tmp_path)
    totals = report.totals
    assert (totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped, totals.flaky) == counts
    assert not report.problems
    assert all(one.message and one.path and one.line for one in report.cases if one.broken and "strict" not in one.name)


def test_suites_in_both_spellings(tmp_path: Path) -> None:
    assert read.read_paths([DATA / "jest.json"], root=tmp_path).cases[5].suite == "cart.test.js / Cart / with discount"
    assert read.read_paths([DATA / "vitest.json"], root=tmp_path).cases[0].suite == "Cart"
    assert read.read_paths([DATA / "pytest.json"], root=tmp_path).cases[0].suite == "tests/test_cart.py / TestCart"


def test_attempts(tmp_path: Path) -> None:
    cases = {one.name: one for one in read.read_paths([DATA / "pytest.json"], root=tmp_path).cases}
    flaky, never = cases["tests/test_cart.py::test_second_try"], cases["tests/test_cart.py::test_never"]
    assert (flaky.outcome, flaky.attempts, flaky.flaky, flaky.message) == ("passed", 2, True, "assert 1 > 1")
    assert (never.outcome, never.attempts, never.flaky) == ("failed", 2, False)


@pytest.mark.parametrize(
    ("raw", "outcome"), [("todo", "skipped"), ("inconclusive", "skipped"), ("timedOut", "error"), ("", "error")]
)
def test_what_is_neither_passed_nor_failed(raw: str, outcome: str, tmp_path: Path) -> None:
    test = {"name": "a", "status": "other", "rawStatus": raw, "duration": 1}
    case = document(tmp_path, [test], {"passed": 0, "failed": 0}).cases[0]
    assert case.outcome == outcome
    assert bool(case.message) == (outcome == "error")


def test_a_value_of_another_type_costs_nothing_but_itself(tmp_path: Path) -> None:
    odd: dict[str, Any] = {
        "duration": "5",
        "line": 3.5,
        "retries": None,
        "message": {"no": 1},
        "filePath": 1,
        "rawStatus": [],
    }
    tests = [{"name": "a", "status": "failed"} | odd, {"name": "b", "status": "passed", "flaky": None}]
    report = document(tmp_path, tests, {"passed": 1, "failed": 1})
    assert [(one.name, one.outcome) for one in report.cases] == [("a", "failed"), ("b", "passed")]
    assert report.problems == ()


@pytest.mark.parametrize("key", ["passed", "failed", "tests"])
def test_summaries_that_contradict_the_tests(key: str, tmp_path: Path) -> None:
    report = document(tmp_path, [], {key: 3})
    assert [one.reason for one in report.problems] == [f"summary.{key} is 3, but there are 0"]


def test_our_own_document_is_read_back(tmp_path: Path) -> None:
    cases = [
        Case("a.xml", "junit", "outer / inner", "a.B", "passes", "passed", 1.25),
        Case("a.xml", "junit", "", "", "fails", "failed", 0.5, Evidence("src/b.py", 3, message="no", attempts=2, details="no\nat src/b.py:3", output="said\nso")),
        Case("a.xml", "junit", "s", "", "breaks", "error", 0, Evidence(message="boom", quarantined="known")),
        Case("a.xml", "junit", "s", "", "skips", "skipped", 0, Evidence(message="not here")),
        Case("a.xml", "junit", "s", "", "wavers", "passed", 0, Evidence(message="once", attempts=3, flaky=True)),
    ]  # fmt: skip
    report = collect.report(cases, [], files=1, suites=3)
    ctrf_writer.write(report, tmp_path / "out" / "ctrf.json", started=1_700_000_000)
    again = read.read_paths([tmp_path / "out" / "ctrf.json"], root=tmp_path)
    assert not again.problems

    def same(case: Case) -> tuple[object, ...]:
        return (case.suite, case.class_name, case.name, case.outcome, case.seconds, case.message, case.path, case.line,
                case.attempts, case.flaky, case.details, case.output)  # fmt: skip

    assert [same(case) for case in again.cases] == [same(case) for case in cases]


def test_our_document_follows_the_schema() -> None:
    case = Case("a.xml", "junit", "s", "", "", "failed", 0.0004, Evidence("a.py", 3, message="no"))
    written = json.loads(ctrf_writer.dumps(collect.report([case], [], files=1, suites=1), started=2.5))
    assert (written["reportFormat"], written["specVersion"]) == ("CTRF", "1.0.0")
    results = written["results"]
    assert {"tool", "summary", "tests"} == results.keys()
    summary = results["summary"]
    assert summary.keys() >= {"tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"}
    assert all(type(value) is int for value in summary.values())
    assert summary["start"] == 2500
    (test,) = results["tests"]
    assert (test["name"], test["status"], test["duration"], test["suite"]) == ("unnamed", "failed", 0, ["s"])
    assert "trace" not in test


def test_a_whole_document() -> None:
    cases = [
        Case("a.xml", "junit", "outer / inner", "a.B", "fails", "failed", 0.5, Evidence("b.py", 3, message="no", attempts=2, details="no\nat b.py:3", output="said so\ntwice")),
        Case("a.xml", "junit", "", "", "", "error", 0, Evidence(message="boom", quarantined="known")),
        Case("a.xml", "junit", "s", "", "skips", "skipped", 0.0015),
        Case("a.xml", "junit", "s", "", "wavers", "passed", 1.25, Evidence(attempts=3, flaky=True)),
        Case("a.xml", "junit", "s", "", "passes", "passed"),
    ]  # fmt: skip
    written = ctrf_writer.dumps(collect.report(cases, [], files=1, suites=3), started=1.0004)
    assert written.startswith(b'{\n  "reportFormat"')
    extra = {"className": "", "report": "a.xml"}
    assert json.loads(written) == {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "generatedBy": "ci-buildkit",
        "results": {
            "tool": {"name": "ci-buildkit", "version": __version__},
            # An error is a failure here: CTRF knows no other. Milliseconds since 1970.
            "summary": {
                "tests": 5, "passed": 2, "failed": 2, "skipped": 1, "pending": 0, "other": 0, "flaky": 1, "suites": 3,
                "start": 1000, "stop": 2752,
            },
            "tests": [
                {
                    "name": "fails", "status": "failed", "duration": 500, "rawStatus": "failed", "retries": 1, "flaky": False,
                    "suite": ["outer", "inner"], "message": "no", "trace": "no\nat b.py:3", "filePath": "b.py", "line": 3,
                    "stdout": ["said so", "twice"], "extra": {"className": "a.B", "report": "a.xml"},
                },
                {
                    "name": "unnamed", "status": "failed", "duration": 0, "rawStatus": "error", "retries": 0, "flaky": False,
                    "message": "boom", "extra": {**extra, "quarantined": "known"},
                },
                {
                    "name": "skips", "status": "skipped", "duration": 2, "rawStatus": "skipped", "retries": 0, "flaky": False,
                    "suite": ["s"], "extra": extra,
                },
                {
                    "name": "wavers", "status": "passed", "duration": 1250, "rawStatus": "passed", "retries": 2, "flaky": True,
                    "suite": ["s"], "extra": extra,
                },
                {
                    "name": "passes", "status": "passed", "duration": 0, "rawStatus": "passed", "retries": 0, "flaky": False,
                    "suite": ["s"], "extra": extra,
                },
            ],
        },
    }  # fmt: skip
    assert json.loads(ctrf_writer.dumps(TestReport()))["results"]["summary"]["start"] == 0


def test_the_file_has_the_same_document(tmp_path: Path) -> None:
    report = collect.report([Case("a.xml", "junit", "s", "", "t", "passed")], [], files=1, suites=1)
    ctrf_writer.write(report, tmp_path / "ctrf.json", started=7)
    assert (tmp_path / "ctrf.json").read_bytes() == ctrf_writer.dumps(report, started=7)
    ctrf_writer.write(report, tmp_path / "ctrf.json")
    assert (tmp_path / "ctrf.json").read_bytes() == ctrf_writer.dumps(report, started=0)
