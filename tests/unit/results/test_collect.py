"""What readers yield as one report: what is an attempt, what is counted, and how much output is kept."""

from __future__ import annotations

import pytest

from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits
from ci_buildkit.results.collect import Collector, another_attempt, count, merge, report
from ci_buildkit.results.model import NO_EVIDENCE, Case, Defined, Evidence, Outcome, TestReport, Totals, changed
from ci_buildkit.results.reader import Item, Suite


def case(name: str = "t", outcome: Outcome = "passed", **fields: object) -> Case:
    return changed(Case("a.xml", "junit", "s", "k", name, outcome, 1.0), **fields)


def collected(*items: Item, limits: Limits | None = None) -> TestReport:
    collector = Collector(limits)
    collector.file("a.xml", items)
    return collector.report()


def told(found: TestReport) -> list[tuple[str, str, int, bool]]:
    return [(one.name, one.outcome, one.attempts, one.flaky) for one in found.cases]


class TestAttempts:
    def test_another_suite_class_or_name_is_another_case(self) -> None:
        broke = case(outcome="failed")
        found = collected(broke, case("u"), case(class_name="l"), case(suite="r"), case())
        assert [(one.suite, one.class_name, one.name, one.attempts) for one in found.cases] == [
            ("s", "k", "t", 2),
            ("s", "k", "u", 1),
            ("s", "l", "t", 1),
            ("r", "k", "t", 1),
        ]
        assert (found.totals.passed, found.totals.flaky) == (4, 1)

    def test_cases_in_a_list_are_attempts_too(self) -> None:
        """Readers give plain passed cases by the thousand; those called like a case that broke are looked at one by one."""
        found = collected(case(outcome="failed"), [case("u"), case("t"), case("t")])
        assert told(found) == [("t", "passed", 2, True), ("u", "passed", 1, False), ("t", "passed", 1, False)]

    def test_a_suite_that_begins_anew_numbers_the_cases_that_broke_before(self) -> None:
        found = collected(
            Suite("s"), case(outcome="failed"), case("u"), Suite("s"), [case("t"), case("u")], case(class_name="l"),
        )  # fmt: skip
        assert [(one.class_name, one.name) for one in found.cases] == [
            ("k", "t"), ("k", "u"), ("k", "t (2)"), ("k", "u"), ("l", "t"),
        ]  # fmt: skip
        assert found.totals.suites == 2

    def test_cases_without_a_name_are_told_apart_by_a_number(self) -> None:
        found = collected(
            case("", "failed"), case("", "failed", class_name="l"), case("", "error"), case("u"), case(""), case("", class_name="l"),
        )  # fmt: skip
        assert [(one.class_name, one.name, one.outcome, one.attempts) for one in found.cases] == [
            ("k", "", "failed", 1),
            ("l", "", "failed", 1),
            ("k", " (2)", "error", 1),
            ("k", "u", "passed", 1),
            ("k", " (3)", "passed", 1),
            ("l", " (2)", "passed", 1),
        ]

    def test_the_place_is_that_of_the_last_attempt_that_has_one(self) -> None:
        first = case(outcome="failed", path="a.py", line=3)
        last = case(outcome="error", path="b.py", line=7)
        for then, place in ((last, ("b.py", 7)), (case(outcome="error"), ("a.py", 3))):
            made = another_attempt(first, then)
            assert (made.path, made.line, made.outcome, made.attempts, made.seconds) == (*place, "error", 2, 2.0)

    @pytest.mark.parametrize(
        ("first", "then", "details"),
        [
            # pytest: a failure, and the teardown that broke after it.
            (("no", "trace of no"), ("crash", "trace of crash"), "trace of no\n\ntrace of crash"),
            (("no", "trace"), ("crash", "trace, then more"), "trace, then more"),
            (("no", "trace 1"), ("no", "trace 2"), "trace 2"),
            (("no", ""), ("crash", "trace of crash"), "trace of crash"),
        ],
    )
    def test_what_broke_twice_for_two_reasons_tells_both(
        self, first: tuple[str, str], then: tuple[str, str], details: str
    ) -> None:
        made = another_attempt(
            case(outcome="failed", message=first[0], details=first[1]),
            case(outcome="error", message=then[0], details=then[1]),
        )
        assert (made.message, made.details) == (then[0], details)

    def test_a_skipped_attempt_leaves_the_failure(self) -> None:
        made = another_attempt(
            case(outcome="failed", message="no", details="trace", path="a.py", line=3),
            case(outcome="skipped", message="not today", details="why", path="b.py", line=7),
        )
        assert (made.outcome, made.message, made.details, made.path, made.line) == ("failed", "no", "trace", "a.py", 3)

    def test_a_flaky_case_tells_how_it_failed(self) -> None:
        failed = case(outcome="failed", message="no", details="trace", path="a.py", line=3)
        assert another_attempt(failed, case(seconds=0.5, path="b.py", line=7)) == changed(
            failed, outcome="passed", flaky=True, attempts=2, seconds=1.5
        )


class TestFiles:
    @pytest.mark.parametrize(
        ("items", "files"),
        [
            ((), 1),
            ((Suite("s"),), 1),
            ((case(),), 1),
            ((Problem("a.xml", "unreadable", "is cut off"),), 0),
            ((case(), Problem("a.xml", "unreadable", "is cut off")), 1),
            ((Suite("s"), Problem("a.xml", "empty", "no case")), 1),
        ],
    )
    def test_a_file_that_gave_only_problems_was_not_read(self, items: tuple[Item, ...], files: int) -> None:
        assert collected(*items).totals.files == files

    def test_files_are_counted_each_and_keep_their_problems(self) -> None:
        collector = Collector()
        wrong = Problem("b.xml", "unreadable", "is no XML")
        collector.file("a.xml", [Suite("s"), case()])
        collector.file("b.xml", [wrong])
        collector.problem(Problem("c.xml", "missing", "is not there"))
        collector.file("d.xml", [Suite("s"), Suite("r"), case("u"), Problem("d.xml", "stale", "is old")])
        found = collector.report()
        assert (found.totals.files, found.totals.suites, found.totals.tests) == (2, 3, 2)
        assert [problem.path for problem in found.problems] == ["b.xml", "c.xml", "d.xml"]

    @pytest.mark.parametrize("together", [False, True])
    def test_the_rest_of_a_file_past_the_limit_is_not_read(self, together: bool) -> None:
        cases = [case(str(number)) for number in range(5)]
        items: list[Item] = [cases] if together else [*cases]
        found = collected(*items, Suite("s"), limits=Limits(cases=3))
        assert [one.name for one in found.cases] == ["0", "1", "2"]
        assert found.totals.files == 1, "it was read as far as that"
        assert found.problems == (Problem("a.xml", "limit", "more than 3 test cases; the rest was not read"),)
        assert collected(*items, Suite("s"), limits=Limits(cases=5)).problems == ()

    def test_the_limit_is_of_the_whole_report(self) -> None:
        collector = Collector(Limits(cases=3))
        collector.file("a.xml", [case("a"), case("b")])
        collector.file("b.xml", [[case("c"), case("d")]])
        collector.file("c.xml", [case("e")])
        found = collector.report()
        assert [one.name for one in found.cases] == ["a", "b", "c"]
        assert [(problem.path, problem.kind) for problem in found.problems] == [("b.xml", "limit"), ("c.xml", "limit")]


LEFT_OUT = "… left out: of what passed tests print, 1,000 characters are kept in all …"


class TestOutput:
    def kept(self, *cases: Case) -> list[str]:
        found = collected(*cases, limits=Limits(output=1000))
        assert [one.name for one in found.cases] == [one.name for one in cases]
        return [one.output for one in found.cases]

    def test_what_passed_tests_print_is_kept_up_to_the_limit(self) -> None:
        fits = [case("a", output="x" * 700), case("b", output="y" * 300)]
        assert self.kept(*fits) == ["x" * 700, "y" * 300]
        assert self.kept(*fits, case("c", output="z")) == ["x" * 700, "y" * 300, LEFT_OUT]
        assert self.kept(case("a", output="x" * 1001)) == [LEFT_OUT]

    def test_after_that_nothing_is_kept_however_short(self) -> None:
        over = [case(name, output=name * 300) for name in "abcdef"]
        assert self.kept(*over) == [*(name * 300 for name in "abc"), *[LEFT_OUT] * 3]

    def test_what_stands_for_left_out_output_is_there_once(self) -> None:
        """A million chatty tests must not need the memory of a million notes about that."""
        found = collected(*(case(name, output="x" * 2000) for name in "abc"), limits=Limits(output=1000))
        assert len({id(one.evidence) for one in found.cases}) == 1

    def test_any_output_counts_as_256_characters(self) -> None:
        short = [case(name, output=name) for name in "abcd"]
        assert self.kept(*short) == ["a", "b", "c", LEFT_OUT]

    def test_a_case_without_output_costs_nothing(self) -> None:
        cases = [case("a", output="x" * 1000), case("b"), case("c", message="told", outcome="skipped")]
        assert self.kept(*cases) == ["x" * 1000, "", ""]

    @pytest.mark.parametrize("fields", [{"outcome": "failed"}, {"outcome": "error"}, {"flaky": True}])
    def test_the_output_of_what_failed_is_always_kept(self, fields: dict[str, object]) -> None:
        failed = changed(case("b", output="y" * 2000), **fields)
        assert self.kept(case("a", output="x" * 900), failed, case("c", output="z" * 100)) == [
            "x" * 900, "y" * 2000, LEFT_OUT,
        ]  # fmt: skip
        assert self.kept(failed, case("c", output="z" * 1000)) == ["y" * 2000, "z" * 1000]

    def test_all_else_that_is_told_of_the_case_stays(self) -> None:
        place = case("b", output="y" * 2000, path="a.py", line=3, message="m")
        found = collected(place, case("c", output="z" * 2000), limits=Limits(output=1000))
        assert found.cases[0] == changed(place, output=LEFT_OUT)
        assert found.cases[1] == case("c", output=LEFT_OUT)


def test_totals_are_counted_from_the_cases() -> None:
    cases = [
        case("a"), case("b", flaky=True), case("c", "failed"), case("d", "failed"), case("e", "failed", quarantined="known"),
        case("f", "error"), case("g", "error"), case("h", "skipped"), case("i", seconds=0.1), case("j", seconds=0.2),
        Case("a.xml", "junit", "s", "k", "l", "passed", 0.0000004, Defined("a.py", 3)),
    ]  # fmt: skip
    assert count(cases, files=7, suites=9) == Totals(
        files=7, suites=9, tests=11, passed=5, failed=3, errors=2, skipped=1, flaky=1, seconds=8.3
    )
    assert count([], files=0, suites=0) == Totals()


def test_a_report_is_broken_by_any_failure_that_counts() -> None:
    known = case("a", "failed", quarantined="known")
    assert not report([], (), files=0, suites=0).broken
    assert not report([case(), known], (), files=1, suites=1).broken
    for outcome in ("failed", "error"):
        broken = report([known, case(outcome=outcome)], (), files=1, suites=1)
        assert (broken.broken, broken.quarantined) == (True, 1)
    # A reason that stayed with a case that passed lets nothing pass.
    assert report([case("a", quarantined="known"), case(outcome="failed")], (), files=1, suites=1).broken


def test_merged_reports_keep_all_cases_and_problems() -> None:
    wrong = [Problem(f"{number}.xml", "empty", "no case") for number in range(3)]
    merged = merge(
        [
            report([case(outcome="failed")], wrong[:1], files=1, suites=2),
            report([case()], wrong[1:2], files=3, suites=4),
            report([], wrong[2:], files=0, suites=0),
        ]
    )
    assert told(merged) == [("t", "failed", 1, False), ("t", "passed", 1, False)]
    assert merged.problems == tuple(wrong)
    assert (merged.totals.files, merged.totals.suites, merged.totals.tests, merged.totals.failed) == (4, 6, 2, 1)


class TestCase:
    def test_a_case_that_has_nothing_to_tell(self) -> None:
        plain = Case("a.xml", "junit", "s", "k", "t", "passed")
        assert plain.told is NO_EVIDENCE
        assert (plain.message, plain.details, plain.output, plain.quarantined) == ("", "", "", "")
        assert (plain.path, plain.line, plain.attempts, plain.flaky, plain.broken) == (None, None, 1, False, False)

    def test_a_place_stays_when_more_is_told(self) -> None:
        plain = Case("a.xml", "junit", "s", "k", "t", "passed", 0.0, Defined("a.py", 3))
        more = changed(plain, outcome="failed", message="no")
        assert more == Case("a.xml", "junit", "s", "k", "t", "failed", 0.0, Evidence("a.py", 3, message="no"))
        assert changed(more, line=4).evidence == Evidence("a.py", 4, message="no")
        assert changed(plain, name="u").evidence is plain.evidence

    @pytest.mark.parametrize(
        ("outcome", "quarantined", "broken"),
        [
            ("failed", "", True),
            ("error", "", True),
            ("failed", "known", False),
            ("error", "known", False),
            ("passed", "", False),
            ("skipped", "", False),
        ],
    )
    def test_what_makes_a_run_red(self, outcome: Outcome, quarantined: str, broken: bool) -> None:
        assert case(outcome=outcome, quarantined=quarantined).broken is broken
