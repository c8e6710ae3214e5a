"""A user's own regular expressions."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.cli.main import main
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.findings import pattern, read
from ci_buildkit.findings.model import Finding
from ci_buildkit.paths import PathMapper
from ci_buildkit.reader import Source

LINT = r"mylint=^(?P<path>\S+) @(?P<line>\d+)(?:,(?P<column>\d+))?(?:-(?P<end_line>\d+),(?P<end_column>\d+))? (?P<severity>\w+) <(?P<rule>[^>]*)> (?P<message>.+)$"


def found(text: str, *patterns: str, root: Path = Path("/nonexistent")) -> list[Finding]:
    report = read.read_log(text.split("\n"), name="log", root=root, patterns=pattern.parse(patterns))
    assert report.problems == ()
    return list(report.findings)


def test_every_group() -> None:
    assert found("a.x @3,4-5,6 warn <no-foo> do not\nb.x @7 HINT <> say\nother", LINT) == [
        Finding("a.x", 3, 4, 5, 6, "warning", "no-foo", "do not", "mylint"),
        Finding("b.x", 7, None, None, None, "notice", "hint", "say", "mylint"),
    ]


def test_what_no_group_says() -> None:
    (one,) = found("x.y: broken", "^(?P<path>[^:]+): (?P<message>.*)$")
    assert one == Finding("x.y", None, None, None, None, "error", "pattern", "broken", "pattern")
    (one,) = found("x.y: broken (vet)", r"=?(?P<path>[^:=]+): (?P<message>.*) \((?P<tool>\w+)\)$")
    assert (one.tool, one.rule) == ("vet", "vet")
    assert found("x.y: ", "^(?P<path>[^:]+): (?P<message>.*)$") == []


def test_a_pattern_wins_over_every_reader_and_the_first_one_over_others() -> None:
    mine = r"mine=^(?P<path>[^:]+):(?P<line>\d+):\d+: (?P<message>.*)$"
    lines = "a.go:3:4: m (revive)\nb.c:5:6: warning: m [-Wx]\nc.py(1): [C0114(x-y)] m"
    assert [(one.tool, one.line) for one in found(lines, mine, mine.replace("mine", "other"))] == [
        ("mine", 3), ("mine", 5), ("pylint", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(", "is no regular expression: missing )"),
        ("x=(?P<path>a", "is no regular expression"),
        ("", "has no group named path and none named message"),
        ("(?P<path>x)", "has no group named message"),
        ("tool=(?P<message>x)", "has no group named path"),
        ("(?P<path>x)(?P<message>y)(?P<file>z)", "has a group named file, which means nothing"),
    ],
)
def test_a_pattern_that_is_none(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match="for example --pattern") as caught:
        pattern.parse([text])
    assert said in caught.value.message


def test_numbers_that_are_none() -> None:
    (one,) = found("x 99999999999 0 m", r"^(?P<path>\S+) (?P<line>\S+) (?P<column>\S+) (?P<message>.*)$")
    assert (one.line, one.column) == (None, None)
    (one,) = found("x \u0663 - m", r"^(?P<path>\S+) (?P<line>\S+) (?P<column>\S+) (?P<message>.*)$")
    assert (one.line, one.column) == (None, None)


def test_an_expression_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern, "LINE_SECONDS", 0.05)
    monkeypatch.setattr(pattern, "LOG_SECONDS", 0.2)
    slow = r"slow=^(?P<path>a)(?P<message>(?:a|aa)+)$"
    log = ["a.c:3:5: warning: kept [-Wx]", *["a" * 60 + "!"] * 50, "aaa"]
    began = time.monotonic()
    report = read.read_log(log, name="log", root=Path("/nonexistent"), patterns=pattern.parse([slow]))
    assert time.monotonic() - began < 30
    assert [one.message for one in report.findings] == ["kept"]
    first, second = report.problems
    assert "took longer than 0.05 s on line 2" in first.reason
    assert "they were not tried from line " in second.reason
    assert {first.kind, second.kind} == {"limit"}


def test_a_line_that_is_too_long_is_not_tried() -> None:
    assert found("x: " + "y" * pattern.MAX_LINE, r"^(?P<path>x): (?P<message>.*)$") == []


def test_a_line_that_is_too_long_is_told_and_makes_nothing_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    long = "x" * (pattern.MAX_LINE + 1)
    log = ["a", long, "src.x @3 error <r> m", long]
    report = read.read_log(log, name="log", root=tmp_path, patterns=pattern.parse([LINT]))
    assert report.notes[0] == "log: line 2 and 1 more: longer than 8,192 characters, no pattern was tried"
    assert (len(report.findings), report.problems) == (1, ())
    Path("long.txt").write_text(long)
    assert main(["findings", "long.txt", "--pattern", LINT]) == 0
    told = capsys.readouterr().err
    assert "long.txt: line 1: longer than 8,192 characters" in told
    assert "no line matches a pattern" in told
    # In a folder such a file is no report, and a folder without any is no clean one.
    assert main(["findings", ".", "--pattern", LINT]) == 5


def test_files_of_any_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.dat").write_text("#12 0.345 src.x @3 error <r> m\n")
    Path("src.x").write_text("")
    Path("quiet.txt").write_text("all is well\n")
    Path("empty.txt").write_text("")
    assert main(["findings", "odd.dat", "--pattern", LINT]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "error  src.x:3  m (r)"
    # Whoever names a file and a pattern says that it is a report; that nothing matches is told.
    assert main(["findings", "quiet.txt", "--pattern", LINT]) == 0
    assert "quiet.txt: no line matches a pattern" in capsys.readouterr().err
    assert main(["findings", "quiet.txt"]) == 5
    assert main(["findings", "empty.txt", "--pattern", LINT]) == 5
    assert main(["findings", "odd.dat", "--pattern", "("]) == 2
    Path("binary.txt").write_bytes(b"\0\1\2")
    assert main(["findings", "binary.txt", "--pattern", LINT]) == 5


PATTERNS = pattern.parse(
    [LINT, r"^(?P<path>[^:]+):(?P<line>\d+): (?P<message>.*)$", r"(?P<path>.)(?P<message>.)(?P<line>.)?"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_lines(lines: list[str]) -> None:
    reader = pattern.PatternReader(PATTERNS, Source("x", PathMapper(None, Path("/nonexistent"))))
    for line in lines:
        reader.feed(line)
    for one in reader.finish():
        assert isinstance(one, Finding)
        assert one.path
        assert one.message
        (one.path + one.message + one.rule).encode()
