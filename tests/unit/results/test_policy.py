"""Which failures count: by the level, by the quarantine list, and how many tests there must be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ci_buildkit.config.levels import Level
from ci_buildkit.results import collect, quarantine
from ci_buildkit.results.model import Case, Outcome, TestReport
from ci_buildkit.results.policy import Policy, let_pass, too_few


def report(*cases: tuple[str, Outcome]) -> TestReport:
    made = [Case("a.xml", "junit", "s", "c", name, outcome) for name, outcome in cases]
    return collect.report(made, (), files=1, suites=1)


BOTH = report(("works", "passed"), ("fails", "failed"), ("breaks", "error"), ("waits", "skipped"))


@pytest.mark.parametrize(
    ("level", "counting", "told"),
    [
        ("failures", {"fails", "breaks"}, ""),
        ("errors", {"breaks"}, "1 of 4 tests failed, which --fail-on tests=errors lets pass"),
        ("nothing", set(), "2 of 4 tests failed, which --fail-on tests=nothing lets pass"),
    ],
)
def test_a_level_says_which_failures_count(level: Level, counting: set[str], told: str) -> None:
    judged = Policy(level).judged(BOTH)
    assert {case.name for case in judged.cases if case.broken} == counting
    assert judged.totals == BOTH.totals
    assert [case.outcome for case in judged.cases] == [case.outcome for case in BOTH.cases]
    assert judged.broken == bool(counting)
    assert let_pass(judged) == told


def test_a_list_says_it_before_the_level(tmp_path: Path) -> None:
    path = tmp_path / "list.yml"
    path.write_text("- {test: fails, until: 2030-01-31, reason: known}\n- {test: w*, until: 2030-01-31, reason: no}\n")
    listed = quarantine.load(path, date(2030, 1, 1))
    judged = Policy("nothing", listed).judged(BOTH)
    reasons = {case.name: case.quarantined for case in judged.cases if case.quarantined}
    assert reasons == {"fails": "quarantined until 2030-01-31: known", "breaks": "--fail-on tests=nothing lets it pass"}
    assert let_pass(judged) == (
        "1 of 4 tests failed, which is quarantined; 1 of 4 tests failed, which --fail-on tests=nothing lets pass"
    )
    assert Policy("failures", listed).judged(BOTH).broken


def test_a_report_without_failures_is_left_alone() -> None:
    green = report(("works", "passed"))
    assert Policy("nothing").judged(green) is green


@pytest.mark.parametrize(
    ("tests", "minimum", "told"),
    [
        (0, None, None),
        (3, 3, None),
        (4, 3, None),
        (0, 0, None),
        (2, 3, "expected at least 3 tests, found 2"),
        (0, 1, "expected at least 1 test, found 0"),
    ],
)
def test_too_few_tests(tests: int, minimum: int | None, told: str | None) -> None:
    assert too_few(tests, minimum) == told
