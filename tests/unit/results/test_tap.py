"""TAP of many writers, in files and between the lines of a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "tap"


def tap(text: str, tmp_path: Path) -> TestReport:
    (tmp_path / "report.tap").write_text(text)
    return read.read_paths([tmp_path / "report.tap"], root=tmp_path)


def counts(report: TestReport) -> tuple[int, int, int, int]:
    totals = report.totals
    return totals.passed, totals.failed, totals.errors, totals.skipped


@pytest.mark.parametrize(
    ("name", "wanted", "problems"),
    [
        ("bats.tap", (1, 2, 0, 2), []),
        ("bats13.tap", (1, 2, 0, 2), []),
        ("bats-timing.tap", (1, 2, 0, 2), []),
        ("bats-setup.tap", (0, 0, 1, 0), ["2 tests were planned, and 1 came"]),
        ("mocha12.tap", (3, 4, 2, 3), ["test 10 came where 11 was to come"]),
        ("mocha13.tap", (1, 4, 0, 3), []),
        ("node.tap", (3, 2, 3, 2), []),
        ("perl-cart.tap", (2, 2, 0, 4), []),
        ("perl-bail.tap", (1, 0, 1, 0), []),
        ("perl-short.tap", (3, 0, 0, 0), ["5 tests were planned, and 3 came"]),
        ("perl-skip.tap", (0, 0, 0, 1), []),
        ("prove.txt", (5, 2, 0, 4), ["t/short.t: 5 tests were planned, and 3 came"]),
        ("vitest.tap", (3, 2, 3, 3), []),
        ("vitest-flat.tap", (3, 2, 0, 3), []),
    ],
)
def test_writers(name: str, wanted: tuple[int, ...], problems: list[str], tmp_path: Path) -> None:
    for report in (
        read.read_paths([DATA / name], root=tmp_path),
        read.read_log((DATA / name).read_text().splitlines(), name="log", root=tmp_path),
    ):
        assert counts(report) == wanted
        assert [one.reason for one in report.problems] == problems
        assert {one.kind for one in report.problems} <= {"inconsistent"}


@pytest.mark.parametrize(
    ("name", "message", "path", "line"),
    [
        ("bats.tap", "`@test \"computes the total\" { run echo 10; echo \"got $output\"; [ \"$output\" = 12 ]; }' failed", "cart.bats", 2),
        ("bats13.tap", "`@test \"computes the total\" { run echo 10; echo \"got $output\"; [ \"$output\" = 12 ]; }' failed", "cart.bats", 2),
        ("mocha12.tap", "total is wrong", "test/cart.spec.js", 4),
        ("mocha13.tap", "total is wrong", "test/cart.spec.js", 4),
        ("node.tap", "Expected values to be strictly equal:", "/app/shop/nodetest/cart.test.mjs", 5),
        ("perl-cart.tap", "got '10', expected '12'", "t/cart.t", 3),
        ("vitest.tap", "expected 10 to be 12 // Object.is equality", "/app/shop/vitest/cart.test.js", 4),
    ],
)  # fmt: skip
def test_why_and_where_a_test_failed(name: str, message: str, path: str, line: int, tmp_path: Path) -> None:
    report = read.read_paths([DATA / name], root=tmp_path)
    case = next(one for one in report.cases if "computes the total" in one.name)
    assert (case.message, case.path, case.line) == (message, path, line)


def test_what_tape_tells(tmp_path: Path) -> None:
    text = """TAP version 13
# total
not ok 1 should be strictly equal
  ---
    operator: equal
    expected: |-
      { total: 12 }
    actual: 10
    at: Test.<anonymous> (/app/test/cart.js:13:11)
  ...

1..1
# tests 1
# fail  1
"""
    (case,) = tap(text, tmp_path).cases
    assert (case.message, case.path, case.line) == ("expected { total: 12 }, got 10", "/app/test/cart.js", 13)
    assert "tests 1" not in case.details


def test_subtests_before_their_point(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "node.tap"], root=tmp_path)
    assert [(one.suite, one.name) for one in report.cases] == [
        ("", "/app/shop/nodetest/broken.test.mjs"),
        ("Cart", "adds one item"),
        ("Cart", "computes the total"),
        ("Cart", "is left out"),
        ("Cart", "is planned"),
        ("Cart", "has # and \\ in it"),
        ("parent", "child fails"),
        ("Database", "reads"),
        ("", "Database"),
        ("", "prints"),
    ]
    assert report.cases[8].message == "no connection"
    assert report.cases[1].seconds > 0


def test_subtests_in_braces(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "vitest.tap"], root=tmp_path)
    assert [(one.suite, one.name, one.outcome) for one in report.cases][-4:] == [
        ("cart.test.js / Database", "reads", "skipped"),
        ("cart.test.js", "Database", "error"),
        ("cart.test.js / After", "reads", "passed"),
        ("cart.test.js", "After", "error"),
    ]


def test_times_that_bats_puts_into_names(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "bats-timing.tap"], root=tmp_path)
    assert report.cases[0].name == "adds one item"
    assert report.cases[0].seconds > 0
    assert tap("1..2\nok 1 answers in 5ms\nok 2 works\n", tmp_path).cases[0].name == "answers in 5ms"


@pytest.mark.parametrize(
    ("text", "wanted", "problems"),
    [
        ("1..2\nok 1\nnot ok 2\n", (1, 1, 0, 0), 0),
        ("ok 1 - a\nok 2 - b\n", (2, 0, 0, 0), 1),
        ("1..2\nok\nok\n", (2, 0, 0, 0), 0),
        ("1..3\nok 1\nok 3\nok 2\n", (3, 0, 0, 0), 1),
        ("1..2\nok 1\nok 1\n", (2, 0, 0, 0), 2),
        ("1..1\nnot ok 1 - a # TODO later\n", (0, 0, 0, 1), 0),
        ("1..1\nok 1 - a # skip\n", (0, 0, 0, 1), 0),
        ("1..1\nok 1 - issue \\# skip this\n", (1, 0, 0, 0), 0),
        ("1..0 # SKIP no network\n", (0, 0, 0, 1), 0),
        ("1..0\n", (0, 0, 0, 1), 0),
        ("1..4\n", (0, 0, 0, 0), 1),
        ("TAP version 14\n", (0, 0, 0, 0), 1),
        ("TAP version 14\n1..2\nok 1\nBail out!\n", (1, 0, 1, 0), 0),
        ("TAP version 14\n1..1\n    ok 1 - in\n    1..1\nok 1 - out\n", (1, 0, 0, 0), 0),
        ("TAP version 14\n1..1\n    ok 1 - in\n    1..2\nok 1 - out\n", (1, 0, 0, 0), 1),
        ("TAP version 14\n1..1\n# Subtest: out\n    ok 1 - in\n", (1, 0, 0, 0), 2),
        ("1..1\nok 1 - ends in {\n", (1, 0, 0, 0), 0),
        ("1..1\nok 1 - a\n1..1\nnot ok 1 - b\n", (1, 1, 0, 0), 0),
        ("1..1\nnot ok 1 - a\n  ---\n  message: no end\n", (0, 1, 0, 0), 0),
        ("1..1\nok a\nnot ok b\n", (1, 1, 0, 0), 1),
        ("1..1\nok a\nok b\n", (2, 0, 0, 0), 1),
        ("1..2\nok 1 - a\nnot ok b\n", (1, 1, 0, 0), 0),
        ("ok 1 - a\n1..1\nnot ok b\n", (1, 1, 0, 0), 1),
        ("1..1\nok 1 - a\nok, that was it\nok then\n", (1, 0, 0, 0), 0),
        ("# Subtest: out\n    ok 1 - in\n    not ok 2 - in\n    1..2\nnot ok 1 - out\n1..1\n", (1, 1, 0, 0), 0),
    ],
)
def test_plans_numbers_and_directives(text: str, wanted: tuple[int, ...], problems: int, tmp_path: Path) -> None:
    report = tap(text, tmp_path)
    assert counts(report) == wanted
    assert len([one for one in report.problems if one.kind == "inconsistent"]) == problems
    assert report.totals.tests or report.problems


def test_tests_without_a_name_are_told_apart(tmp_path: Path) -> None:
    report = tap("1..3\nnot ok 1 - a\nok 2 - a\nok 3\n", tmp_path)
    assert [(one.name, one.outcome, one.flaky) for one in report.cases] == [
        ("a", "failed", False),
        ("a (2)", "passed", False),
        ("test 3", "passed", False),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "ok  \tgithub.com/x/y\t0.01s",
        "ok 1 file changed",
        "ok, we are done",
        "not ok then",
        "1..5",
        "ok",
        "    ok 1 - somebody",
        "# Subtest: nothing",
        "1..10 is a range",
    ],
)
def test_prose_in_a_log_is_not_tap(line: str) -> None:
    report = read.read_log(["building", line, "done"], name="log")
    assert [case.format for case in report.cases if case.format == "tap"] == []
    assert not report.problems


def test_tap_between_other_lines_of_a_log() -> None:
    lines = ["+ bats .", *(DATA / "bats.tap").read_text().splitlines(), "make: *** [test] Error 1", "ok then"]
    report = read.read_log(lines, name="log")
    assert counts(report) == (1, 2, 0, 2)
    assert "Error 1" not in report.cases[4].details


def test_tap_in_a_log_that_ends_before_its_plan() -> None:
    report = read.read_log(["ok 1 - a", "not ok 2 - b"], name="log")
    assert counts(report) == (1, 1, 0, 0)
    assert [one.reason for one in report.problems] == ["the plan is missing, so tests may be"]
