"""Attempts folded: what failed and then passed is flaky, and nothing that failed is lost on the way."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec.structs import replace

from ci_buildkit.problem import Problem
from ci_buildkit.results import collect
from ci_buildkit.results.attempts import fold
from ci_buildkit.results.model import Case, Evidence, Outcome, TestReport


def case(name: str, outcome: Outcome, file: str = "r/a.xml", *, suite: str = "s", flaky: bool = False) -> Case:
    broke = outcome in {"failed", "error"} or flaky
    evidence = Evidence(message="no" if broke else "", flaky=flaky, attempts=2 if flaky else 1)
    return Case(file, "junit", suite, "c", name, outcome, 1.0, evidence)


def report(*cases: Case) -> TestReport:
    return collect.report(cases, (), files=1, suites=1)


@pytest.mark.parametrize(
    ("first", "then", "outcome", "flaky"),
    [
        ("failed", "passed", "passed", True),
        ("error", "passed", "passed", True),
        ("failed", "failed", "failed", False),
        ("failed", "error", "error", False),
        ("failed", "skipped", "failed", False),
        ("passed", "failed", "failed", False),
        ("passed", "passed", "passed", False),
        ("passed", "skipped", "passed", False),
        ("skipped", "failed", "failed", False),
        ("skipped", "passed", "passed", False),
        ("skipped", "skipped", "skipped", False),
    ],
)
def test_two_attempts_are_one_case(first: Outcome, then: Outcome, outcome: Outcome, flaky: bool) -> None:
    folded = fold(report(case("t", first)), report(case("t", then)))
    [one] = folded.cases
    assert (one.outcome, one.flaky, one.attempts, one.seconds) == (outcome, flaky, 2, 2.0)
    assert (folded.totals.tests, folded.totals.flaky) == (1, int(flaky))
    if "failed" in {first, then}:
        assert one.message == "no", "how it failed is told"


def test_three_attempts() -> None:
    attempts = [
        report(case("slow", "failed"), case("lost", "failed"), case("shaky", "failed")),
        report(case("slow", "failed"), case("shaky", "passed")),
        report(case("slow", "passed"), case("shaky", "passed"), case("new", "passed")),
    ]
    folded = fold(fold(attempts[0], attempts[1]), attempts[2])
    found = {one.name: (one.outcome, one.flaky, one.attempts) for one in folded.cases}
    assert found == {
        "slow": ("passed", True, 3),
        "shaky": ("passed", True, 3),
        "new": ("passed", False, 1),
        "lost": ("failed", False, 1),
    }
    assert folded.broken


def test_what_the_next_attempt_does_not_have_keeps_its_result_and_says_where_its_file_is() -> None:
    folded = fold(report(case("lost", "failed"), case("kept", "passed")), report(), lambda file: f"aside/{file}")
    assert [(one.name, one.outcome, one.file) for one in folded.cases] == [
        ("lost", "failed", "aside/r/a.xml"),
        ("kept", "passed", "aside/r/a.xml"),
    ]


def test_the_same_test_of_two_files_is_two() -> None:
    """One of two platforms must not make up for the other."""
    first = report(case("t", "failed", "r/amd64/a.xml"), case("t", "passed", "r/arm64/a.xml"))
    then = report(case("t", "passed", "r/arm64/a.xml"))
    assert fold(first, then).totals.failed == 1
    assert fold(first, report(case("t", "passed", "r/b.xml"))).totals.failed == 1, "it may be either"


def test_a_report_that_is_named_by_the_time_is_the_same_report() -> None:
    first = report(case("t", "failed", "r/12_01.trx"), case("u", "passed", "r/12_01.trx"))
    then = report(case("t", "passed", "r/12_02.trx"), case("u", "passed", "r/12_02.trx"))
    assert [(one.name, one.flaky, one.file) for one in fold(first, then).cases] == [
        ("t", True, "r/12_02.trx"),
        ("u", False, "r/12_02.trx"),
    ]


def test_cases_of_one_name_are_taken_in_their_order() -> None:
    first = report(case("t", "passed"), case("t", "failed"))
    folded = fold(first, report(case("t", "passed"), case("t", "passed")))
    assert [(one.outcome, one.flaky) for one in folded.cases] == [("passed", False), ("passed", True)]


def test_a_case_that_was_flaky_within_an_attempt_stays_flaky() -> None:
    [one] = fold(report(case("t", "passed", flaky=True)), report(case("t", "passed"))).cases
    assert (one.outcome, one.flaky, one.attempts, one.message) == ("passed", True, 3, "no")


@pytest.mark.parametrize("first", [case("t", "passed", "r/1.trx"), case("t", "passed", "r/1.trx", flaky=True)])
@pytest.mark.parametrize("then", ["passed", "skipped", "failed"])
def test_a_case_is_in_the_file_of_the_last_attempt(first: Case, then: Outcome) -> None:
    [one] = fold(report(first), report(case("t", then, "r/2.trx"))).cases
    assert one.file == "r/2.trx"


def test_files_and_suites_are_not_counted_twice() -> None:
    first = collect.report([case("t", "failed")], (), files=3, suites=2)
    then = collect.report([case("t", "passed")], (), files=1, suites=4)
    for pair in ((first, then), (then, first)):
        totals = fold(*pair).totals
        assert (totals.files, totals.suites, totals.tests) == (3, 4, 1)


def test_problems_of_both_are_kept() -> None:
    cut, empty = Problem("a.xml", "unreadable", "is cut"), Problem("b.xml", "empty", "is empty")
    folded = fold(replace(report(), problems=(cut,)), replace(report(), problems=(cut, empty)))
    assert folded.problems == (cut, empty)


def test_the_last_attempt_decides_whatever_came_before() -> None:
    outcomes: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")
    for first, then in product(outcomes, outcomes):
        folded = fold(report(case("t", first)), report(case("t", then)))
        if then in {"failed", "error"}:
            assert folded.broken
        if then == "skipped":
            assert folded.broken == (first in {"failed", "error"}), "a skipped attempt makes up for nothing"
