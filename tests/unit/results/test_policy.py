"""Which failures count: by the level, by the quarantine list, and how many tests there must be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ci_buildkit.cli.main import main
from ci_buildkit.config.levels import Level
from ci_buildkit.results import collect, quarantine
from ci_buildkit.results.model import Case, Outcome, TestReport, changed
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


def test_what_is_let_pass_is_one_sentence_for_each_reason() -> None:
    def let(*reasons: str) -> str:
        cases = [changed(Case("a", "junit", "s", "c", str(n), "failed"), quarantined=r) for n, r in enumerate(reasons)]
        return let_pass(collect.report([*cases, Case("a", "junit", "s", "c", "t", "passed")], (), files=1, suites=1))

    level = "--fail-on tests=errors lets it pass"
    assert let("", "") == ""
    assert let("quarantined until 2030-01-31: known") == "1 of 2 tests failed, which is quarantined"
    assert let("known", "", "known") == "2 of 4 tests failed, which are quarantined"
    assert let(level, level) == "2 of 3 tests failed, which --fail-on tests=errors lets pass"
    assert let("known", level, "known", level, level) == (
        "2 of 6 tests failed, which are quarantined; 3 of 6 tests failed, which --fail-on tests=errors lets pass"
    )


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


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.xml").write_text(
        '<testsuite name="s"><testcase classname="k" name="works"/><testcase classname="k" name="fails"><failure '
        'message="no"/></testcase><testcase classname="k" name="breaks"><error message="crash"/></testcase></testsuite>'
    )
    Path("list.yml").write_text(
        "- {test: breaks, until: 2999-12-31, reason: known}\n- {test: gone, until: 2999-12-31, reason: x}\n"
        "- {test: works, until: 1999-12-31, reason: x}\n"
    )
    return tmp_path


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 1),
        (("--fail-on", "failures"), 1),
        (("--fail-on", "errors"), 1),
        (("--fail-on", "nothing"), 0),
        (("--quarantine", "list.yml"), 1),
        (("--quarantine", "list.yml", "--fail-on", "errors"), 0),
        (("--min-tests", "3"), 1),
        (("--fail-on", "nothing", "--min-tests", "3"), 0),
        (("--fail-on", "nothing", "--min-tests", "4"), 5),
        (("--quarantine", "gone.yml"), 2),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_the_command_has_the_same_policies(
    words: tuple[str, ...], code: int, form: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["results", "a.xml", "--format", form, *words]) == code
    out = capsysbinary.readouterr().out.decode()
    if code == 2:
        return
    assert "fails" in out
    assert "breaks" in out, "what is let pass is shown too"
    if form != "json":
        assert ("quarantined until 2999-12-31: known" in out) == ("list.yml" in words)
    assert ("expected at least 4 tests, found 3" in out) == (code == 5)


@pytest.mark.usefixtures("reports")
def test_the_command_says_what_is_to_be_mended_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    main(["results", "a.xml", "--quarantine", "list.yml"])
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(";")[0] for line in told] == [
        "note: list.yml: line 3: 'works' expired on 1999-12-31, so its failures count again",
        "note: list.yml: line 2: 'gone' names no test",
    ]


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("words", [("--fail-on", "warnings"), ("--min-tests", "-1"), ("--min-tests", "many")])
def test_a_word_that_makes_no_sense_is_wrong_usage(words: tuple[str, ...]) -> None:
    assert main(["results", "a.xml", *words]) == 2
