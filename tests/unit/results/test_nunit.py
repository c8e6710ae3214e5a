"""NUnit's XML of versions 2 and 3: real files, the words for outcomes, and fixtures that break."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import Case, TestReport

DATA = Path(__file__).parents[2] / "data" / "nunit"


def parse(text: str, tmp_path: Path) -> TestReport:
    file = tmp_path / "x.xml"
    file.write_text(text)
    return read.read_paths([file], root=tmp_path)


def by_name(found: TestReport) -> dict[str, Case]:
    assert len({case.name for case in found.cases}) == len(found.cases)
    return {case.name: case for case in found.cases}


def test_a_real_report_of_nunit_2() -> None:
    path = DATA / "nunit2.xml"
    found = read.read_paths([path], root=DATA / "repo")
    root = ET.parse(path).getroot()
    results = [case.get("result") for case in root.iter("test-case")]
    totals = found.totals
    # The fixture whose tear-down broke is one more: NUnit 2 says so of the fixture only.
    assert (totals.tests, totals.passed) == (len(results) + 1, results.count("Success"))
    assert totals.failed == results.count("Failure") == int(root.get("failures", ""))
    assert totals.errors == results.count("Error") + results.count("NotRunnable") + 1
    assert totals.skipped == results.count("Ignored") + results.count("Inconclusive")
    assert found.problems == ()
    cases = by_name(found)
    wrong = cases["AddsWrong"]
    assert (wrong.suite, wrong.class_name, wrong.message) == ("Shop.Tests.dll", "Shop.Tests.Calc", "two & two")
    assert (wrong.path, wrong.line) == ("ShopTests.cs", 19)
    assert (cases["Throws"].outcome, cases["Throws"].line) == ("error", 25)
    assert cases["Throws"].message == "System.InvalidOperationException : no luck <&>"
    assert (cases["CannotRun"].outcome, cases["CannotRun"].message) == ("error", "No arguments were provided")
    assert (cases["IsLeftOut"].message, cases["IsInconclusive"].message) == ("not today", "cannot say")
    assert "no database" in cases["Reads"].message
    assert cases["Reads"].path == "ShopTests.cs"
    assert cases["Files"].outcome == "error"
    assert cases["Adds"].seconds > 0


def test_a_report_of_nunit_3() -> None:
    found = read.read_paths([DATA / "nunit3.xml"])
    totals = found.totals
    assert (totals.suites, totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (
        4,
        12,
        4,
        1,
        4,
        3,
    )
    assert found.problems == ()
    cases = by_name(found)
    wrong = cases["AddsWrong"]
    assert (wrong.suite, wrong.class_name, wrong.outcome) == ("Shop.Tests.dll", "Shop.CalcTests", "failed")
    assert (wrong.message, wrong.path, wrong.line) == ("1)   Expected: 5", "/src/tests/CalcTests.cs", 21)
    assert (wrong.seconds, wrong.output) == (0.02, "about to fail")
    assert (cases["Throws"].outcome, cases["NoArguments"].outcome, cases["CannotSay"].outcome) == (
        "error",
        "error",
        "skipped",
    )
    assert (cases["NoArguments"].message, cases["IsLeftOut"].message) == ("No arguments were provided", "not today")
    assert (cases["Warns"].outcome, cases["Warns"].message) == ("passed", "slower than it was")
    assert (cases['Sizes(1,"a.b")'].class_name, cases["Adds"].output) == ("Shop.CalcTests", "adding")
    reads = cases["Reads"]
    assert (reads.outcome, reads.path, reads.line) == ("error", "/src/tests/DatabaseTests.cs", 12)
    assert reads.message == "OneTimeSetUp: System.InvalidOperationException : no database"
    closes = cases["FileTests"]
    assert (closes.outcome, closes.path, closes.line) == ("error", "/src/tests/FileTests.cs", 40)
    assert closes.message == "TearDown : System.IO.IOException : cannot close"


def test_a_real_report_of_another_writer_of_nunit_3() -> None:
    found = read.read_paths([DATA / "pytest-nunit.xml"])
    root = ET.parse(DATA / "pytest-nunit.xml").getroot()
    totals = found.totals
    assert (str(totals.tests), str(totals.passed), str(totals.failed), str(totals.skipped)) == tuple(
        root.get(name) for name in ("total", "passed", "failed", "skipped")
    )
    wrong = by_name(found)["test_shop.py::test_adds_wrong"]
    assert (wrong.path, wrong.line) == ("/app/nunit/test_shop.py", 10)
    assert not by_name(found)["test_shop.py::test_adds"].details


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        ('result="Passed"', "passed"),
        ('result="Success"', "passed"),
        ('result="Warning"', "passed"),
        ('result="Failed"', "failed"),
        ('result="Failure"', "failed"),
        ('result="Failed" label="Error"', "error"),
        ('result="Failed" label="Cancelled"', "error"),
        ('result="Failed" label="Invalid"', "error"),
        ('result="Failed" label="Mine"', "failed"),
        ('result="Error"', "error"),
        ('result="NotRunnable"', "error"),
        ('result="Cancelled"', "error"),
        ('result="Inconclusive"', "skipped"),
        ('result="Skipped" label="Ignored"', "skipped"),
        ('result="Skipped" label="Explicit"', "skipped"),
        ('result="Ignored"', "skipped"),
        ('executed="True" success="True"', "passed"),
        ('executed="True" success="False"', "failed"),
        ('executed="False"', "skipped"),
        ('result="Surprise"', "error"),
        ("", "error"),
    ],
)
def test_results_and_labels(attributes: str, outcome: str, tmp_path: Path) -> None:
    found = parse(f'<test-run><test-suite><test-case name="A.b" {attributes}/></test-suite></test-run>', tmp_path)
    (case,) = found.cases
    assert (case.class_name, case.name, case.outcome) == ("A", "b", outcome)
    assert bool(case.message) == case.broken


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('<test-results failures="2" errors="0"><test-suite><test-case name="A.b" result="Success"/></test-suite></test-results>', "2 failed"),
        ('<test-run result="Failed"><test-suite><test-case name="A.b" result="Passed"/></test-suite></test-run>', 'result="Failed"'),
        ('<test-run total="3" result="Passed"/>', 'total="3"'),
    ],
)  # fmt: skip
def test_a_run_that_contradicts_itself_is_a_problem(document: str, words: str, tmp_path: Path) -> None:
    (problem,) = parse(document, tmp_path).problems
    assert problem.kind == "inconsistent"
    assert words in problem.reason


def test_an_assembly_that_could_not_be_loaded_is_no_green_run(tmp_path: Path) -> None:
    found = parse(
        '<test-run result="Failed" total="0"><test-suite type="Assembly" name="a.dll" runstate="NotRunnable" result="Failed" '
        'label="Invalid"><properties><property name="_SKIPREASON" value="File not found"/></properties></test-suite></test-run>',
        tmp_path,
    )
    (case,) = found.cases
    assert (case.outcome, case.name, case.message) == ("error", "a.dll", "File not found")
    assert found.problems == ()


def test_two_frameworks_and_fixtures_with_arguments_are_not_taken_for_attempts(tmp_path: Path) -> None:
    suite = '<test-suite type="Assembly" name="bin/{}/a.dll"><test-case name="b" fullname="A({}).b" classname="A" result="{}"/></test-suite>'
    found = parse(
        f"<test-run>{suite.format('net8', 1, 'Failed')}{suite.format('net9', 1, 'Passed')}</test-run>", tmp_path
    )
    assert [(case.suite, case.class_name, case.outcome) for case in found.cases] == [
        ("a.dll", "A(1)", "failed"),
        ("a.dll (2)", "A(1)", "passed"),
    ]
    same = '<test-case name="b" fullname="A.b" result="{}"/>'
    found = parse(
        f"<test-run>{same.format('Failed')}{same.format('Failed')}{same.format('Passed')}</test-run>", tmp_path
    )
    assert [(case.name, case.outcome, case.flaky) for case in found.cases] == [
        ("b", "failed", False),
        ("b (2)", "failed", False),
        ("b (3)", "passed", False),
    ]


def test_a_file_that_is_cut_off_keeps_what_was_read(tmp_path: Path) -> None:
    text = (DATA / "nunit3.xml").read_text()
    found = parse(text[: text.index("IsLeftOut")], tmp_path)
    assert [case.name for case in found.cases] == ["Adds", "AddsWrong", "Throws", "NoArguments"]
    assert [problem.kind for problem in found.problems] == ["unreadable"]
