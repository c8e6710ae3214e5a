"""Annotations: what comes first, the runner's limits, and that a message cannot become another command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.findings.model import Finding
from ci_buildkit.github import annotate
from ci_buildkit.problem import Problem
from ci_buildkit.record import StageRecord
from ci_buildkit.results.model import Case, Evidence, TestReport

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
