"""Files, folders and globs: what is a report, what is a problem, what may be ignored."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ci_buildkit.errors import OutputError
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits
from ci_buildkit.results import merge, read

GREEN = '<testsuite name="s"><testcase name="c"/></testsuite>'
RED = '<testsuite name="s"><testcase name="c"><failure/></testcase></testsuite>'


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def kinds(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.path, problem.kind) for problem in problems]


def test_file_folder_and_glob_name_the_same_report_once() -> None:
    Path("out/deep").mkdir(parents=True)
    Path("out/deep/x.xml").write_text(GREEN)
    for paths in (["out/deep/x.xml"], ["out"], ["out/**/*.xml"], ["out", "out/deep/x.xml", "out/*/x.*"]):
        found = read.read_paths(paths)
        assert (found.totals.files, found.totals.tests, found.problems) == (1, 1, ())
        assert found.cases[0].file == "out/deep/x.xml"
    assert read.read_paths([Path("out").absolute()]).cases[0].file == "out/deep/x.xml"


@pytest.mark.parametrize("path", ["no.xml", "no/", "no/*.xml", "**/*.trx", "nul\0.xml"])
def test_a_path_that_matches_nothing_is_a_problem(path: str) -> None:
    found = read.read_paths([path])
    assert [problem.kind for problem in found.problems] == ["missing"]
    assert found.totals.tests == 0


def test_a_folder_without_reports_is_a_problem() -> None:
    Path("out").mkdir()
    Path("out/coverage.html").write_text("<html>--- FAIL: TestX (0.00s)</html>")
    Path("out/coverage.out").write_text("mode: set\n")
    Path("out/exit-code").write_text("0\n")
    Path("out/pom.xml").write_text("<project/>")
    Path("out/data.json").write_text('{"a": 1}')
    Path("out/blob").write_bytes(bytes(range(256)))
    assert kinds(read.read_paths(["out"]).problems) == [("out", "missing")]
    Path("out/x.xml").write_text(GREEN)
    assert read.read_paths(["out"]).problems == ()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("x.xml", "", "empty"),
        ("x.xml", " \n", "empty"),
        ("x.xml", "<project/>", "unreadable"),
        ("x.xml", "not xml", "unreadable"),
        ("coverage.html", "<html/>", "unreadable"),
        ("x.json", '{"Time":"2026","Action":"run","Pack', "unreadable"),
        ("x.json", "{}", "unreadable"),
        ("x.txt", "hello", "unreadable"),
    ],
)
def test_what_was_named_and_is_no_report_is_a_problem(name: str, content: str, kind: str) -> None:
    Path(name).write_text(content)
    assert kinds(read.read_paths([name]).problems) == [(name, kind)]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("junit.xml", "", "empty"),
        ("any.xml", "<testsu", "unreadable"),
        ("any.xml", "<testsuite name='s'><testcase name='a'/>", "unreadable"),
        ("test-report.json", '{"Time":"2026","Action":"run","Pack', "unreadable"),
        ("results.jsonl", '{"a":1}\n{"b":', "unreadable"),
    ],
)
def test_what_is_called_like_a_report_and_cut_off_is_never_ignored(name: str, content: str, kind: str) -> None:
    Path("out").mkdir()
    Path("out/good.xml").write_text(GREEN)
    Path("out", name).write_text(content)
    assert kinds(read.read_paths(["out"]).problems) == [(f"out/{name}", kind)]


@pytest.mark.parametrize("document", ["<testsuites/>", '<testsuite name="s" tests="0"/>'])
def test_a_report_without_a_case_is_a_problem(document: str) -> None:
    Path("x.xml").write_text(document)
    assert kinds(read.read_paths(["x.xml"]).problems) == [("x.xml", "empty")]


def test_a_report_older_than_the_run_is_stale_and_not_read() -> None:
    for name, when in (("old.xml", 1000), ("new.xml", 2000)):
        Path(name).write_text(GREEN)
        os.utime(name, (when, when))
    found = read.read_paths(["old.xml", "new.xml"], since=2000.9)
    assert kinds(found.problems) == [("old.xml", "stale")]
    assert "1970-01-01 00:16:40 UTC" in found.problems[0].reason
    assert [one.file for one in found.cases] == ["new.xml"]
    Path("notes.txt").write_text("no report")
    os.utime("notes.txt", (1000, 1000))
    assert kinds(read.read_paths(["."], since=2000).problems) == [("old.xml", "stale")]


def test_links_out_of_the_folder_are_not_followed() -> None:
    Path("secret").mkdir()
    Path("secret/x.xml").write_text(RED)
    Path("out/sub").mkdir(parents=True)
    Path("out/sub/x.xml").write_text(GREEN)
    Path("out/same.xml").symlink_to("sub/x.xml")
    Path("out/again").symlink_to("sub")
    assert read.read_paths(["out"]).totals.tests == 1
    assert read.read_paths(["out"]).problems == ()
    Path("out/file.xml").symlink_to("../secret/x.xml")
    Path("out/folder").symlink_to("../secret")
    Path("out/loop").symlink_to(".")
    Path("out/nothing.xml").symlink_to("gone.xml")
    found = read.read_paths(["out"])
    assert kinds(found.problems) == [
        ("out/folder", "unreadable"),
        ("out/file.xml", "unreadable"),
        ("out/nothing.xml", "missing"),
    ]
    assert found.totals.failed == 0
    assert kinds(read.read_paths(["out/*.xml"]).problems)[0] == ("out/file.xml", "unreadable")
    # Whoever names a link itself means its target.
    assert read.read_paths(["out/file.xml"]).totals.failed == 1


def test_what_is_no_file_is_a_problem_and_does_not_hang() -> None:
    os.mkfifo("pipe.xml")
    assert kinds(read.read_paths(["pipe.xml"]).problems) == [("pipe.xml", "unreadable")]
    Path("x.xml").write_text(GREEN)
    assert read.read_paths(["."]).problems == ()


def test_a_name_that_is_no_text_can_be_printed() -> None:
    with Path(os.fsdecode(b"bad\xff.xml")).open("w") as file:
        file.write(GREEN)
    assert read.read_paths(["."]).cases[0].file == "bad\ufffd.xml"


def test_more_cases_than_the_limit_are_a_problem() -> None:
    Path("x.xml").write_text(f"<testsuite>{'<testcase/>' * 11}</testsuite>")
    found = read.read_paths(["x.xml"], limits=Limits(cases=10))
    assert (found.totals.tests, kinds(found.problems)) == (10, [("x.xml", "limit")])


@pytest.mark.parametrize(("text", "code"), [("0\n", 0), ("1", 1), (" 137 \r\n", 137), ("-1", -1)])
@pytest.mark.parametrize("name", ["exit-code", "exit_code", "exitcode"])
def test_exit_code(name: str, text: str, code: int, tmp_path: Path) -> None:
    Path(name).write_text(text)
    assert read.exit_code(tmp_path) == code


@pytest.mark.parametrize("text", ["", "ok", "1.5", "1 2", "9" * 70])
def test_an_exit_code_that_is_none(text: str, tmp_path: Path) -> None:
    assert read.exit_code(tmp_path) is None
    Path("exit-code").write_text(text)
    with pytest.raises(OutputError, match="instead of an exit code"):
        read.exit_code(tmp_path)


def test_merge_counts_again_and_folds_nothing() -> None:
    Path("a.xml").write_text(RED)
    Path("b.xml").write_text(GREEN)
    merged = merge([read.read_paths(["a.xml"]), read.read_paths(["b.xml"]), read.read_paths(["gone.xml"])])
    totals = merged.totals
    assert (totals.files, totals.suites, totals.tests, totals.passed, totals.failed) == (2, 2, 2, 1, 1)
    assert kinds(merged.problems) == [("gone.xml", "missing")]
    assert merge([]).totals.tests == 0
