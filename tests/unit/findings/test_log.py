"""A log, a file of the same text, and BuildKit's prefixes around it: the same findings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import policy, read
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, by_line

DATA = Path(__file__).parents[2] / "data" / "findings"
FILES = sorted(file for folder in ("gcc", "mypy", "pylint", "text") for file in (DATA / folder).glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DATA)))
def test_the_same_from_a_file_a_log_and_with_prefixes(file: Path, shop: Path, tmp_path: Path) -> None:
    text = file.read_text()
    plain = read.read_paths([file], root=shop)
    (tmp_path / "step.log").write_text(
        "".join(f"#12 {number}.345 {line}\n" for number, line in enumerate(text.split("\n")))
    )
    (tmp_path / "crlf.log").write_text(text.replace("\n", "\r\n"))
    (tmp_path / "utf16.log").write_text(text, encoding="utf-16")
    for name in ("step.log", "crlf.log", "utf16.log"):
        assert read.read_paths([tmp_path / name], root=shop).findings == plain.findings
    lines = [f"{line}\r\n" for line in text.split("\n")]
    assert read.read_log(lines, name="log", root=shop).findings == plain.findings


def test_findings_far_into_a_log_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "lint.log").write_text("just a line of a log\n" * 20_000 + "a.c:3:5: warning: m [-Wx]\n")
    (tmp_path / "clean.log").write_text("just a line of a log\n" * 20_000 + "All checks passed!\n")
    (tmp_path / "notes.md").write_text("a.c:3:5: warning: an example [-Wx]\n")
    found = read.read_paths([tmp_path], root=tmp_path)
    assert ([one.rule for one in found.findings], found.problems) == (["-Wx"], ())
    assert read.read_paths([tmp_path / "clean.log"], root=tmp_path).problems == ()
    # Documents and sources in a folder only tell about findings; one that is named is a report.
    assert len(read.read_paths([tmp_path / "notes.md"], root=tmp_path).findings) == 1


def test_json_by_line_and_text_in_one_log(shop: Path, tmp_path: Path) -> None:
    first, second = DATA / "clippy" / "clippy.jsonl", DATA / "text" / "flake8.txt"
    together = first.read_text() + second.read_text()
    (tmp_path / "lint.log").write_text(together)
    found = read.read_paths([tmp_path / "lint.log"], root=shop)
    assert found.findings == read.read_log(together.splitlines(), name="log", root=shop).findings
    apart = [read.read_paths([file], root=shop).findings for file in (first, second)]
    assert all(apart)
    assert len(found.findings) == sum(map(len, apart))


def test_a_file_that_is_no_report_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("make: nothing to be done\n")
    (problem,) = read.read_paths([tmp_path / "x.log"], root=tmp_path).problems
    assert problem.kind == "unreadable"
    assert "the text of compilers and linters" in problem.reason
    (tmp_path / "binary").write_bytes(b"\0a.c:3:5: warning: m [-Wx]\n")
    assert [one.kind for one in read.read_paths([tmp_path / "binary"], root=tmp_path).problems] == ["unreadable"]


def test_paths_that_are_not_in_the_repository_are_noted(tmp_path: Path) -> None:
    lines = ["gone.c:3:5: error: m", "/far/away.c:3:5: error: m", "here.c:1:1: error: m"]
    (tmp_path / "here.c").write_text("")
    found = read.read_log(lines, name="log", root=tmp_path)
    assert found.problems == ()
    assert len(found.findings) == 3
    assert found.notes == ("gone.c and 1 more: no such file in the repository; --path-map FROM=TO tells where it is",)
    assert read.unmapped(found, tmp_path) == ("/far/away.c", "gone.c")
    assert policy.verdict(found.findings) == "3 errors"


def test_the_folder_a_stage_works_in(tmp_path: Path) -> None:
    for name in ("services/api/main.c", "main.c", "services/web/main.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    lines = ["main.c:1:1: error: relative", "/src/main.c:2:1: error: absolute"]
    found = read.read_log(lines, name="log", root=tmp_path, workdirs=[("/src", "services/api")])
    assert [one.path for one in found.findings] == ["services/api/main.c"] * 2
    assert [one.path for one in read.read_log(lines, name="log", root=tmp_path).findings] == ["main.c"] * 2


def test_more_than_the_limit_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("".join(f"a.c:{line}:1: error: m\n" for line in range(1, 50)))
    found = read.read_paths([tmp_path / "l.txt"], root=tmp_path, limits=Limits(findings=10))
    assert (len(found.findings), [one.kind for one in found.problems]) == (10, ["limit"])
    (tmp_path / "long.txt").write_text("a.c:1:1: error: m\n" + "x" * 2000)
    found = read.read_paths([tmp_path / "long.txt"], root=tmp_path, limits=Limits(line=1000))
    assert (len(found.findings), [one.kind for one in found.problems]) == (1, ["limit"])


def through_the_text_reader(data: bytes) -> None:
    mapper = PathMapper(None, Path("/nonexistent"))
    read_all = by_line(read.log_reader)
    items = list(read_all(io.BytesIO(data), Source("x", mapper)))
    assert all(isinstance(item, Finding | Problem) for item in items)
    for one in FindingReport(tuple(item for item in items if isinstance(item, Finding))).findings:
        assert one.path
        assert one.rule
        assert all(number is None or number > 0 for number in (one.line, one.column, one.end_line, one.end_column))
        text = f"{one.path}{one.rule}{one.tool}{one.message}"
        assert "\x1b" not in text
        text.encode("utf-8")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    through_the_text_reader(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([file.read_bytes() for file in FILES]), st.data())
def test_real_text_that_was_damaged(file: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(start, min(len(file), start + 100)))
    through_the_text_reader(file[:start] + data.draw(st.binary(max_size=20)) + file[end:])


LINES = [line for file in FILES for line in file.read_bytes().split(b"\n")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_lines_in_any_order(lines: list[bytes]) -> None:
    through_the_text_reader(b"\n".join(lines))
