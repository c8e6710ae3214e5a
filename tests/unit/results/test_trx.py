"""TRX: outcomes, rows of data, what is told of the whole run, and contradictions."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ci_buildkit.results import read, xmlnodes
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "trx"
NAMESPACE = 'xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"'


def parse(text: str, tmp_path: Path) -> TestReport:
    file = tmp_path / "x.trx"
    file.write_text(text)
    return read.read_paths([file], root=tmp_path)


def test_a_report_of_vstest() -> None:
    found = read.read_paths([DATA / "vstest.trx"])
    totals = found.totals
    assert (totals.suites, totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (
        2,
        10,
        2,
        2,
        3,
        3,
    )
    assert found.problems == ()
    cases = {case.name: case for case in found.cases}
    assert (cases["Adds"].suite, cases["Adds"].class_name, cases["Adds"].seconds) == (
        "shop.tests.dll",
        "Shop.CalcTests",
        0.0125,
    )
    wrong = cases["AddsWrong"]
    assert (wrong.class_name, wrong.seconds, wrong.output) == ("Shop.CalcTests", 1.0051, "about to fail\non stderr")
    assert (wrong.path, wrong.line) == ("/src/tests/CalcTests.cs", 21)
    assert wrong.message == "Assert.AreEqual failed. Expected:<5>. Actual:<4>. two & two"
    assert (cases["IsLeftOut"].outcome, cases["IsLeftOut"].message) == ("skipped", "not today")
    assert cases["IsLeftOut"].suite == "shop.tests.dll"
    assert (cases["Hangs"].outcome, cases["Hangs"].seconds) == ("error", 60.0)
    assert (cases["Stops"].outcome, cases["Stops"].message) == ("error", "its outcome is Aborted")
    # A test with rows of data is its rows.
    assert "Sizes" not in cases
    assert (cases["Sizes (Data Row 0)"].outcome, cases["Sizes (Data Row 1)"].line) == ("passed", 50)
    assert cases["run"].message == "The active test run was aborted. Reason: Test host process crashed"


def test_a_real_report_of_jest() -> None:
    found = read.read_paths([DATA / "jest.trx"], root=DATA.parent / "junit" / "tools")
    outcomes = [
        one.get("outcome") for one in ET.parse(DATA / "jest.trx").getroot().iter() if one.tag.endswith("UnitTestResult")
    ]
    totals = found.totals
    assert (totals.tests, totals.passed, totals.failed) == (
        len(outcomes),
        outcomes.count("Passed"),
        outcomes.count("Failed") + outcomes.count("Error"),
    )
    wrong = next(case for case in found.cases if case.name == "shop / adds wrong")
    assert (wrong.class_name, wrong.path, wrong.line) == ("shop", "src/shop.test.js", 5)


@pytest.mark.parametrize(
    ("outcome", "ours"),
    [
        ("Passed", "passed"), ("Completed", "passed"), ("Warning", "passed"), ("Failed", "failed"), ("Error", "error"),
        ("Timeout", "error"), ("Aborted", "error"), ("PassedButRunAborted", "error"), ("NotRunnable", "error"),
        ("Disconnected", "error"), ("InProgress", "error"), ("Inconclusive", "skipped"), ("NotExecuted", "skipped"),
        ("Pending", "skipped"), ("Surprise", "error"), ("", "error"),
    ],
)  # fmt: skip
def test_outcomes(outcome: str, ours: str, tmp_path: Path) -> None:
    result = f'<UnitTestResult testName="A.b" outcome="{outcome}"/>'
    (case,) = parse(f"<TestRun {NAMESPACE}><Results>{result}</Results></TestRun>", tmp_path).cases
    assert (case.name, case.outcome) == ("A.b", ours)
    assert bool(case.message) == case.broken


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("00:00:01.5", 1.5), ("1.02:03:04", 93784), ("01:00:00.0000001", 3600.0000001), ("", 0), ("-00:00:01", 0), ("1.5", 0), ("NaN", 0)],
)  # fmt: skip
def test_durations(written: str, seconds: float, tmp_path: Path) -> None:
    result = f'<UnitTestResult testName="b" outcome="Passed" duration="{written}"/>'
    (case,) = parse(f"<TestRun><Results>{result}</Results></TestRun>", tmp_path).cases
    assert case.seconds == pytest.approx(seconds)


def test_a_test_that_broke_though_its_rows_passed_is_one_more(tmp_path: Path) -> None:
    row = '<UnitTestResult testName="b (Data Row 0)" outcome="Passed"/>'
    result = f'<UnitTestResult testName="b" outcome="Failed"><InnerResults>{row}</InnerResults></UnitTestResult>'
    found = parse(f"<TestRun><Results>{result}</Results></TestRun>", tmp_path)
    assert [(case.name, case.outcome) for case in found.cases] == [("b", "failed"), ("b (Data Row 0)", "passed")]


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        ('outcome="Failed"><Counters total="1" failed="1"/>', "1 tests failed"),
        ('outcome="Completed"><Counters total="1" timeout="2"/>', "2 tests failed"),
        ('outcome="Aborted"><Counters total="1" passed="1"/>', "Aborted"),
    ],
)
def test_a_run_that_failed_without_a_result_that_did_is_a_problem(summary: str, words: str, tmp_path: Path) -> None:
    result = '<UnitTestResult testName="b" outcome="Passed"/>'
    found = parse(f"<TestRun><Results>{result}</Results><ResultSummary {summary}</ResultSummary></TestRun>", tmp_path)
    (problem,) = found.problems
    assert problem.kind == "inconsistent"
    assert words in problem.reason


def test_a_run_without_the_results_that_it_counts_is_a_problem(tmp_path: Path) -> None:
    found = parse(
        '<TestRun><ResultSummary outcome="Completed"><Counters total="3"/></ResultSummary></TestRun>', tmp_path
    )
    assert [problem.kind for problem in found.problems] == ["inconsistent"]


def test_a_test_host_that_crashed_is_no_green_run(tmp_path: Path) -> None:
    info = '<RunInfos><RunInfo outcome="Error"/></RunInfos>'
    found = parse(f'<TestRun><ResultSummary outcome="Failed">{info}</ResultSummary></TestRun>', tmp_path)
    assert [(case.outcome, case.message) for case in found.cases] == [("error", "the run ended as Error")]


def test_a_file_that_is_cut_off_keeps_what_was_read(tmp_path: Path) -> None:
    text = (DATA / "vstest.trx").read_text()
    found = parse(text[: text.index("IsLeftOut")], tmp_path)
    assert [case.outcome for case in found.cases] == ["passed", "failed"]
    assert [problem.kind for problem in found.problems] == ["unreadable"]


def test_a_test_of_too_many_elements_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlnodes, "MAX_NODES", 3)
    result = '<UnitTestResult testName="b" outcome="Passed"><Output><StdOut/><StdErr/></Output></UnitTestResult>'
    found = parse(f"<TestRun><Results>{result}</Results></TestRun>", tmp_path)
    assert [problem.kind for problem in found.problems] == ["limit"]
