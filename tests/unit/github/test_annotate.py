"""Annotations: what comes first, the runner's limits, and that a message cannot become another command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.github import annotate
from ci_buildkit.problem import Problem, ProblemKind
from ci_buildkit.record import StageRecord
from ci_buildkit.results.model import Case, Evidence, TestReport, changed

if TYPE_CHECKING:
    from types import ModuleType


def broken(count: int) -> tuple[Case, ...]:
    return tuple(
        Case(file='x', format='junit', suite='s', class_name='c', name=f't{n}', outcome='failed', evidence=Evidence(message=f'm{n}', path='a.py', line=n + 1))
        for n in range(count)
    )  # fmt: skip


def test_red_run(runs: ModuleType) -> None:
    lines = annotate.commands(*runs.red())
    assert lines[0].startswith("::error title=inconsistent%3A test::the test step exited with 2")
    assert lines[1].startswith(
        "::error title=example.com/buildme/internal/hello%3A TestHello/german,file=internal/hello/hello_test.go,line=41::"
        'Not equal: expected "Hallo, Welt", actual "Hello, Welt"%0A%0A=== RUN'
    )
    assert lines[2] == (
        "::error title=golangci-lint%3A errcheck,file=cmd/server/main.go,line=23,col=10::"
        "Error return value of `w.Write` is not checked"
    )
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 4 + ["::warning"] * 2 + ["::notice"]
    assert lines[-1].endswith("::flaky: passed at attempt 3")


def test_green_run_has_only_the_flaky_test(runs: ModuleType) -> None:
    assert len(annotate.commands(*runs.green())) == 1


def test_ten_of_a_level_and_the_rest_is_said(runs: ModuleType) -> None:
    record, _ = runs.red()
    record = record.model_copy(update={"findings": runs.FINDINGS * 20, "problems": ()})
    lines = annotate.commands(record, runs.report_of(broken(30)))
    errors = [line for line in lines if line.startswith("::error")]
    # The runner shows 10 of each: one is left for the action's verdict, one for what the run itself warns of.
    assert len(errors) == len([line for line in lines if line.startswith("::warning")]) == 9
    # Failed tests and findings by turns: neither hides the other.
    assert [("a.py" in line) for line in errors[:4]] == [True, False, True, True]
    assert lines[-1].startswith("::notice title=More in the report::and 72 more: ")
    assert lines[-1].endswith("report.html has all")
    url = "https://github.example/a/b/actions/runs/7"
    assert annotate.commands(record, runs.report_of(broken(30)), url=url)[-1].endswith(f" have all: {url}")


def test_what_does_not_count_is_no_error(runs: ModuleType) -> None:
    lines = annotate.commands(*runs.waived(), known=runs.KNOWN)
    assert [line.partition(" ")[0] for line in lines] == ["::warning"] * 2 + ["::notice"] * 2
    assert lines[0] == (
        "::warning title=example.com/buildme/internal/hello%3A TestUpload,file=internal/hello/upload_test.go,line=9::"
        "quarantined until 2030-01-31: the server is being replaced%0A%0A503 Service Unavailable%0A%0A"
        "503 Service Unavailable%0Aretry later"
    )
    assert lines[-1].startswith(
        "::notice title=golangci-lint%3A revive,file=internal/hello/hello.go,line=9,col=1::known: "
    )


def test_the_notice_about_the_rest_counts_as_one_of_ten(runs: ModuleType) -> None:
    record, _ = runs.green()
    notices = tuple(Finding("a.py", n, None, None, None, "notice", "r", "m", "t") for n in range(1, 16))
    lines = annotate.commands(record.model_copy(update={"findings": notices}), TestReport())
    assert len(lines) == 10
    assert "and 6 more" in lines[-1]


def test_broken_stage_and_cleanup(runs: ModuleType) -> None:
    record, _ = runs.green()
    stage = StageRecord(
        name="binaries", kind="binaries", target="b", platforms=(), outcome="error", reason="exit code: 1"
    )
    record = record.model_copy(update={"stages": (stage,), "problems": (Problem("builder", "cleanup", "left behind"),)})
    assert annotate.commands(record, TestReport()) == [
        "::error title=binaries did not finish::exit code: 1",
        "::warning title=cleanup%3A builder::left behind",
    ]


def test_hostile_text_stays_in_its_command(runs: ModuleType) -> None:
    lines = annotate.commands(*runs.hostile())
    assert lines
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) [^\n\r\x1b]*", line)
        properties = line[2:].partition("::")[0]
        assert "script" in properties
        assert not re.search(r",(?!(file|line|endLine|col|endColumn)=)", properties)


def test_messages_are_cut_where_the_runner_would(runs: ModuleType) -> None:
    record, _ = runs.green()
    long = Finding("a.py", None, 5, None, None, "error", "", "x" * 1_000_000, "")
    (line,) = annotate.commands(record.model_copy(update={"findings": (long,)}), TestReport())
    head, _, message = line[2:].partition("::")
    assert len(message) == 4096
    assert head == "error file=a.py,col=5"


def test_an_empty_message_is_not_dropped(runs: ModuleType) -> None:
    record, _ = runs.green()
    case = Case(file="x", format="junit", suite="", class_name="", name="", outcome="error")
    assert annotate.commands(record, runs.report_of((case,))) == ["::error title=(unnamed test)::(unnamed test)"]


def test_every_part_of_a_place_is_written_and_none_without_a_path() -> None:
    one = annotate.Annotation("warning", "lint: r", "m\nn", "a,b.py", 1, 2, 3, 4)
    assert one.command() == ("::warning title=lint%3A r,file=a%2Cb.py,line=1,endLine=3,col=2,endColumn=4::m%0An")
    assert replace(one, path=None).command() == "::warning title=lint%3A r::m%0An"
    assert (
        replace(one, path="a\nb.py", title="two\nlines")
        .command()
        .startswith("::warning title=two lines,file=a b.py,line=1,")
    )


def test_texts_are_bounded_as_the_runner_bounds_them() -> None:
    def parts(**fields: str) -> tuple[str, str, str]:
        made = annotate.Annotation(
            "error", fields.get("title", "t"), fields.get("message", "m"), fields.get("path", "p")
        )
        head, _, message = made.command()[2:].partition("::")
        title, _, path = head.removeprefix("error title=").partition(",file=")
        return title, path, message

    assert parts(title="x" * 255)[0] == "x" * 255
    assert parts(title="x" * 256)[0] == "x" * 254 + "…"
    assert parts(path="x" * 1000)[1] == "x" * 1000
    assert parts(path="x" * 1001)[1] == "x" * 999 + "…"
    assert parts(message=" " + "x" * 4096 + "\n")[2] == "x" * 4096
    assert parts(message="x" * 4097)[2] == "x" * 4095 + "…"
    # The runner drops an annotation without a message: the title stands for it.
    assert parts(message=" \x1b[0m\n")[2] == "t"
    assert parts(message="", title="x" * 201)[2] == "x" * 199 + "…"
    assert parts(message="", title=" ")[2] == "(no message)"


def a_failure(**evidence: object) -> Case:
    return changed(Case("f.xml", "junit", "s", "c", "t", "failed"), path="a.py", line=3, **evidence)


@pytest.mark.parametrize(
    ("message", "details", "shown"),
    [
        ("m", "", "m"),
        ("m", "m", "m"),
        ("m", "\n  m  \n", "m"),
        (" m ", "trace\n", "m%0A%0Atrace"),
        ("", "trace", "trace"),
        ("m", "\n\n    indented\n  trace\n\n", "m%0A%0A    indented%0A  trace"),
        ("\x1b[31mm", "\x1b[1mtrace", "m%0A%0Atrace"),
        ("m", "x" * 1500, f"m%0A%0A{'x' * 1500}"),
        ("m", "x" * 1501, f"m%0A%0A{'x' * 1499}…"),
        ("m" * 5000, "", "m" * 4096),
        ("", "", "c: t"),
    ],
)
def test_a_failed_test_has_its_message_and_the_start_of_its_details(
    message: str, details: str, shown: str, runs: ModuleType
) -> None:
    record, _ = runs.green()
    case = a_failure(message=message, details=details)
    assert annotate.commands(record, runs.report_of((case,))) == [f"::error title=c%3A t,file=a.py,line=3::{shown}"]


def test_a_failure_that_is_let_pass_says_why_first(runs: ModuleType) -> None:
    record, _ = runs.green()
    cases = (a_failure(message="no", quarantined="known"), a_failure(quarantined="known"))
    place = "title=c%3A t,file=a.py,line=3"
    assert annotate.commands(record, runs.report_of(cases)) == [
        f"::warning {place}::known%0A%0Ano",
        f"::warning {place}::known",
    ]


def test_titles_leave_room_for_the_message(runs: ModuleType) -> None:
    record, _ = runs.green()
    long = a_failure(message="m"), changed(a_failure(), outcome="passed", flaky=True, attempts=2)
    cases = [changed(case, class_name="", suite="", name="x" * 121) for case in long]
    titles = {one.title for one in annotate.collect(record, runs.report_of(tuple(cases)))}
    assert titles == {"x" * 119 + "…"}


def test_the_most_important_comes_first(runs: ModuleType) -> None:
    record, _ = runs.green()

    def stage(name: str, outcome: str, reason: str = "", kind: str = "other") -> StageRecord:
        return StageRecord.model_validate(
            {"name": name, "kind": kind, "target": name, "platforms": (), "outcome": outcome, "reason": reason}
        )

    stages = (stage("image", "failed"), stage("test", "failed", kind="test"), stage("built", "error", "no space"))
    kinds: tuple[ProblemKind, ...] = ("quarantine", "missing", "cleanup", "stale")
    problems = tuple(Problem("r.xml", kind, f"is {kind}") for kind in kinds)
    findings = tuple(Finding("b.py", n, None, None, None, "error", "", f"f{n}", "lint") for n in (1, 2, 3))
    known = Finding("k.py", 7, 1, 8, 2, "error", "R", "old", "lint")
    flaky = changed(Case("f.xml", "junit", "s", "c", "shaky", "passed"), flaky=True, attempts=3, path="a.py", line=9)
    told = annotate.collect(
        record.model_copy(update={"stages": stages, "problems": problems, "findings": findings}),
        runs.report_of((flaky, a_failure(message="no", quarantined="known"), a_failure(message="m"))),
        (known,),
    )
    make = annotate.Annotation
    assert told == [
        make("error", "built did not finish", "no space"),
        make("error", "image failed", "see its log in the report"),
        make("warning", "quarantine: r.xml", "is quarantine"),
        make("error", "missing: r.xml", "is missing"),
        make("warning", "cleanup: r.xml", "is cleanup"),
        make("error", "stale: r.xml", "is stale"),
        make("error", "c: t", "m", "a.py", 3),
        make("error", "lint", "f1", "b.py", 1),
        make("error", "lint", "f2", "b.py", 2),
        make("error", "lint", "f3", "b.py", 3),
        make("warning", "c: t", "known\n\nno", "a.py", 3),
        make("notice", "c: shaky", "flaky: passed at attempt 3", "a.py", 9),
        make("notice", "lint: R", "known: old", "k.py", 7, 1, 8, 2),
    ]


def test_as_many_of_each_level_as_the_runner_shows_beside_what_the_step_prints(runs: ModuleType) -> None:
    record, _ = runs.green()

    def shown(errors: int, warnings: int, notices: int) -> list[str]:
        counts: dict[Severity, int] = {"error": errors, "warning": warnings, "notice": notices}
        each = (level for level, number in counts.items() for _ in range(number))
        found = tuple(Finding("a.py", n, None, None, None, one, "r", f"m{n}", "t") for n, one in enumerate(each, 1))
        return annotate.commands(record.model_copy(update={"findings": found}), TestReport())

    def levels(lines: list[str]) -> tuple[int, ...]:
        return tuple(sum(line.startswith(f"::{level} ") for line in lines) for level in ("error", "warning", "notice"))

    assert levels(shown(9, 9, 10)) == (9, 9, 10)
    assert "more" not in "".join(shown(9, 9, 10))
    assert levels(shown(10, 9, 9)) == (9, 9, 10)
    assert shown(10, 9, 9)[-1] == (
        "::notice title=More in the report::and 1 more: GitHub shows 10 of a level; report.html has all"
    )
    # The notice takes the place of the last one, which is then left out too.
    lines = shown(10, 9, 10)
    assert levels(lines) == (9, 9, 10)
    assert ("m28" in "".join(lines), "m29" in "".join(lines)) == (True, False)
    assert "::and 2 more:" in lines[-1]
    assert "::and 1,234 more:" in shown(9 + 1234, 0, 0)[-1]


def test_the_page_that_has_the_rest_is_named(runs: ModuleType) -> None:
    record, _ = runs.green()
    found = tuple(Finding("a.py", n, None, None, None, "error", "r", "m", "t") for n in range(1, 12))
    lines = annotate.commands(record.model_copy(update={"findings": found}), TestReport(), url="https://e.org/7")
    assert lines[-1] == (
        "::notice title=More in the report::and 2 more: GitHub shows 10 of a level; "
        "the summary and the report's artifact have all: https://e.org/7"
    )
