"""xUnit.net's XML: results, theories with names alike, what breaks outside of a test, and contradictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "xunit"


def parse(text: str, tmp_path: Path) -> TestReport:
    file = tmp_path / "x.xml"
    file.write_text(text)
    return read.read_paths([file], root=tmp_path)


def test_a_report_of_two_frameworks() -> None:
    found = read.read_paths([DATA / "xunit.xml"])
    totals = found.totals
    assert (totals.suites, totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (
        2,
        8,
        4,
        2,
        1,
        1,
    )
    assert (totals.flaky, found.problems) == (0, ())
    assert totals.seconds == pytest.approx(0.01035)
    told = [(case.suite, case.class_name, case.name, case.outcome) for case in found.cases]
    long = 'Long(text: "the same at the start"···)'
    assert told == [
        ("Shop.Tests.dll", "test-class-cleanup", "Shop.FileTests", "error"),
        ("Shop.Tests.dll", "Shop.CalcTests", "Adds", "passed"),
        ("Shop.Tests.dll", "Shop.CalcTests", "AddsWrong", "failed"),
        ("Shop.Tests.dll", "Shop.CalcTests", "IsLeftOut", "skipped"),
        ("Shop.Tests.dll", "Shop.CalcTests", 'Sizes(text: "a.b", size: 1)', "passed"),
        # Rows of one theory that look alike are no attempts of each other.
        ("Shop.Tests.dll", "Shop.CalcTests", long, "failed"),
        ("Shop.Tests.dll", "Shop.CalcTests", f"{long} (2)", "passed"),
        ("Shop.Tests.dll (2)", "Shop.CalcTests", "AddsWrong", "passed"),
    ]
    cleanup, adds, wrong, left_out = found.cases[:4]
    assert (cleanup.message, cleanup.path, cleanup.line) == (
        "System.IO.IOException : cannot close",
        "/src/tests/FileTests.cs",
        40,
    )
    assert (wrong.message, wrong.path, wrong.line) == (
        "Assert.Equal() Failure: Values differ",
        "/src/tests/CalcTests.cs",
        21,
    )
    assert "Expected: 5\nActual:   4" in wrong.details
    assert (adds.output, wrong.output, left_out.message) == ("adding", "about to fail", "not today")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("Pass", "passed"),
        ("Fail", "failed"),
        ("Skip", "skipped"),
        ("NotRun", "skipped"),
        ("Odd", "error"),
        ("", "error"),
    ],
)
def test_results(result: str, outcome: str, tmp_path: Path) -> None:
    test = f'<test name="A.b" type="A" method="b" result="{result}" source-file="/src/a.cs" source-line="3"/>'
    found = parse(f"<assemblies><assembly><collection>{test}</collection></assembly></assemblies>", tmp_path)
    (case,) = found.cases
    assert (case.class_name, case.name, case.outcome, case.path, case.line) == ("A", "b", outcome, "/src/a.cs", 3)
    assert bool(case.message) == case.broken


def test_version_1_has_classes_below_one_assembly(tmp_path: Path) -> None:
    found = parse(
        '<assembly name="C:\\x\\a.dll" run-date="2026-02-03" total="1"><class name="A"><test name="A.b" type="A" method="b" '
        'result="Fail"><failure exception-type="X"/></test></class></assembly>',
        tmp_path,
    )
    (case,) = found.cases
    assert (case.suite, case.name, case.outcome, case.message) == ("a.dll", "b", "failed", "X")


def test_another_kind_of_assembly_is_none(tmp_path: Path) -> None:
    (problem,) = parse("<assembly><id>bin</id></assembly>", tmp_path).problems
    assert problem.kind == "unreadable"


@pytest.mark.parametrize(
    ("assembly", "words"),
    [
        ('failed="2"><collection><test name="b" result="Pass"/></collection>', 'failed="2"'),
        ('errors="1">', 'errors="1"'),
        ('total="4">', 'total="4"'),
    ],
)
def test_numbers_that_contradict_the_tests_are_a_problem(assembly: str, words: str, tmp_path: Path) -> None:
    one = f'<assembly name="a.dll" {assembly}</assembly>'
    (problem,) = parse(f"<assemblies>{one}{one}</assemblies>", tmp_path).problems
    assert problem.kind == "inconsistent"
    assert words in problem.reason
    assert "1 more" in problem.reason


def test_a_file_that_is_cut_off_keeps_what_was_read(tmp_path: Path) -> None:
    text = (DATA / "xunit.xml").read_text()
    found = parse(text[: text.index("IsLeftOut")], tmp_path)
    assert [case.outcome for case in found.cases] == ["error", "passed", "failed"]
    assert [problem.kind for problem in found.problems] == ["unreadable"]
