"""Known findings: what stays known, what is new, what is fixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.cli.main import main
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.findings import baseline, merge
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.paths import PathMapper

LINES = ["import os", "x = eval(y)", "", "    x = eval(y)", "x = eval(y)"]


def finding(line: int | None, message: str = "do not", rule: str = "no-eval", path: str = "a.py") -> Finding:
    return Finding(path, line, 1, None, None, "warning", rule, message, "lint")


def source(lines: Sequence[str]) -> baseline.SourceLine:
    return lambda path, line: lines[line - 1] if path == "a.py" and 0 < line <= len(lines) else ""


def known(findings: Sequence[Finding], lines: Sequence[str], folder: Path) -> baseline.Baseline:
    file = folder / "baseline.json"
    assert baseline.write(FindingReport(tuple(findings)), file, source(lines)) == len(findings)
    return baseline.load(file)


def new(findings: Sequence[Finding], base: baseline.Baseline, lines: Sequence[str]) -> FindingReport:
    return baseline.split(FindingReport(tuple(findings)), base, source(lines))


def test_code_that_moved_stays_known(tmp_path: Path) -> None:
    base = known([finding(2), finding(None, "whole file")], LINES, tmp_path)
    moved = new([finding(4), finding(None, "whole file")], base, ["# new", *LINES[:1], "", "        x  = eval(y)"])
    assert (moved.findings, len(moved.known), moved.notes) == ((), 2, ())


def test_what_is_changed_is_new(tmp_path: Path) -> None:
    base = known([finding(2)], LINES, tmp_path)
    for other in (
        finding(2, "do never"),
        finding(2, rule="other"),
        finding(2, path="b.py"),
        finding(1),
    ):
        report = new([other], base, LINES)
        assert report.findings == (other,)
        assert report.notes[0] == "fixed: a.py: do not (no-eval)"
    assert new([finding(2)], base, ["", "x = eval(z)"]).findings


def test_a_second_occurrence_is_new_and_a_missing_one_is_fixed(tmp_path: Path) -> None:
    one = known([finding(2)], LINES, tmp_path)
    report = new([finding(2), finding(4), finding(5)], one, LINES)
    assert ([f.line for f in report.known], [f.line for f in report.findings]) == ([2], [4, 5])
    three = known([finding(2), finding(4), finding(5)], LINES, tmp_path)
    report = new([finding(5)], three, LINES)
    assert report.findings == ()
    assert report.notes == ("fixed: a.py: do not (no-eval), 2 times", "write the baseline anew to forget what is fixed")
    many = known([finding(None, f"message {number:02}x") for number in range(30)], LINES, tmp_path)
    notes = new([], many, LINES).notes
    assert (len(notes), notes[20]) == (22, "fixed: and 10 more")


@pytest.mark.parametrize(
    ("old", "now", "same"),
    [
        ("defined on line 12", "defined on line 13", True),
        ("see a.py:12:3 and lines 4-6", "see a.py:14:5 and lines 9-6", True),
        ("Similar lines ==a:[5:14]", "Similar lines ==a:[6:15]", True),
        ("two\n  lines", "two lines", True),
        ("too complex (11)", "too complex (12)", False),
        ("expected 2 arguments", "expected 3 arguments", False),
        ("see a.py:12:3", "see b.py:12:3", False),
    ],
)
def test_numbers_of_lines_in_a_message_do_not_count(old: str, now: str, same: bool, tmp_path: Path) -> None:
    base = known([finding(2, old)], LINES, tmp_path)
    assert bool(new([finding(2, now)], base, LINES).known) is same


def test_the_file_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    findings = [finding(2), finding(4), finding(1, rule="b"), finding(None, path="z")]
    known(findings, LINES, tmp_path)
    first = (tmp_path / "baseline.json").read_bytes()
    known(findings[::-1], LINES, tmp_path)
    assert (tmp_path / "baseline.json").read_bytes() == first
    document = json.loads(first)
    assert document["schema"] == 1
    assert [entry["count"] for entry in document["findings"]] == [1, 2, 1]
    assert list(document["findings"][0]) == ["path", "tool", "rule", "message", "source", "count"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "is no JSON"),
        ("[1, 2]", "is no baseline of schema 1"),
        ('{"schema": 2, "findings": []}', "is no baseline of schema 1"),
        ('{"schema": 1, "findings": {}}', "is no baseline of schema 1"),
        ('{"schema": 1, "findings": [3]}', "finding 1 of the baseline"),
        ('{"schema": 1, "findings": [{"path": "", "tool": "", "rule": "", "message": "", "source": "", "count": 0}]}', "finding 1"),
        ('{"schema": 1, "findings": [{"path": 1, "tool": "", "rule": "", "message": "", "source": "", "count": 1}]}', "finding 1"),
        ('{"schema": 1, "findings": [', "is no JSON"),
    ],
)  # fmt: skip
def test_a_baseline_that_is_none(content: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match="--write-baseline") as caught:
        baseline.load(file)
    assert said in caught.value.message


def test_the_same_entry_twice_counts_for_both(tmp_path: Path) -> None:
    """As when two branches each knew one of them and were merged."""
    file = tmp_path / "b.json"
    entry = {"path": "a.py", "tool": "lint", "rule": "no-eval", "message": "whole", "source": "", "count": 1}
    file.write_text(json.dumps({"schema": 1, "findings": [entry, {**entry, "count": 2}]}))
    base = baseline.load(file)
    report = new([finding(None, "whole")] * 4, base, LINES)
    assert (len(report.known), len(report.findings)) == (3, 1)


def test_a_baseline_is_a_text_that_shows_what_changed_in_it(tmp_path: Path) -> None:
    known([finding(2)], LINES, tmp_path)
    text = (tmp_path / "baseline.json").read_text()
    assert text.startswith('{\n  "schema": 1,\n  "findings": [\n    {\n      "path": "a.py",\n')
    assert text.endswith("\n}\n")


def test_entries_stay_the_same_from_one_version_to_the_next() -> None:
    digest = hashlib.sha256(b"x = eval(y)").hexdigest()[:16]
    assert baseline.entry(finding(4, "on line 12"), source(LINES)) == ("a.py", "lint", "no-eval", "on line N", digest)
    for line in (None, 3, 99):
        assert baseline.entry(finding(line), source(LINES)) == ("a.py", "lint", "no-eval", "do not", "")
    undecodable = hashlib.sha256(b"x?").hexdigest()[:16]
    assert baseline.entry(finding(1), source(["x\udc80"])).source == undecodable


def test_twenty_fixed_entries_are_named(tmp_path: Path) -> None:
    twenty = known([finding(None, f"message {number:02}x") for number in range(20)], LINES, tmp_path)
    notes = new([], twenty, LINES).notes
    assert notes[19:] == ("fixed: a.py: message 19x (no-eval)", "write the baseline anew to forget what is fixed")


def test_a_baseline_that_is_too_large_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known([finding(2)], LINES, tmp_path)
    file = tmp_path / "baseline.json"
    monkeypatch.setattr(baseline, "MAX_BYTES", file.stat().st_size)
    assert baseline.load(file).entries
    monkeypatch.setattr(baseline, "MAX_BYTES", file.stat().st_size - 2)
    with pytest.raises(ConfigurationError, match="is no JSON"):
        baseline.load(file)


def test_known_findings_of_several_reports_are_kept_by_a_merge(tmp_path: Path) -> None:
    base = known([finding(2)], LINES, tmp_path)
    both = merge([new([finding(2)], base, LINES), new([finding(1)], base, LINES)])
    assert ([f.line for f in both.known], [f.line for f in both.findings]) == ([2], [1])
    assert len(both.notes) == 2


FINDINGS = st.lists(
    st.builds(
        Finding, st.sampled_from(["a.py", "b.py"]), st.none() | st.integers(1, 6), st.none(), st.none(), st.none(),
        st.sampled_from(["error", "warning"]), st.sampled_from(["r", "q"]), st.text(max_size=6), st.just("t"),
    ),
    max_size=8,
)  # fmt: skip


@given(FINDINGS, FINDINGS)
def test_nothing_is_lost_and_a_report_knows_itself(first: list[Finding], second: list[Finding]) -> None:
    entries = baseline.Baseline({})
    assert baseline.split(FindingReport(tuple(first)), entries, source(LINES)).findings == tuple(first)
    counted: dict[baseline.Entry, int] = {}
    for one in first:
        entry = baseline.entry(one, source(LINES))
        counted[entry] = counted.get(entry, 0) + 1
    itself = baseline.split(FindingReport(tuple(first)), baseline.Baseline(counted), source(LINES))
    assert (itself.findings, itself.known, itself.notes) == ((), tuple(first), ())
    report = baseline.split(FindingReport(tuple(second)), baseline.Baseline(counted), source(LINES))
    assert sorted(map(repr, report.findings + report.known)) == sorted(map(repr, second))


def test_the_command_writes_and_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.c").write_text("int x;\nint y;\n")
    Path("lint.txt").write_text("/src/a.c:1:5: error: unused x [-Wx]\n")
    assert main(["findings", "lint.txt", "--write-baseline", "known/b.json"]) == 0
    assert "known/b.json knows 1 finding" in capsys.readouterr().err
    assert main(["findings", "lint.txt", "--baseline", "known/b.json"]) == 0
    assert capsys.readouterr() == ("no findings; 1 known\n", "")
    Path("a.c").write_text("// moved\nint x;\nint y;\n")
    Path("lint.txt").write_text("/src/a.c:2:5: error: unused x [-Wx]\n/src/a.c:3:5: error: unused y [-Wx]\n")
    assert main(["findings", "lint.txt", "--baseline", "known/b.json", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["findings", "problems"]
    assert [one["line"] for one in document["findings"]] == [3]
    # Both together: what is known stays known, and what is new becomes it.
    assert main(["findings", "lint.txt", "--baseline", "known/b.json", "--write-baseline", "known/b.json"]) == 0
    assert main(["findings", "lint.txt", "--baseline", "known/b.json", "--fail-on", "warning"]) == 0
    Path("lint.txt").write_text("0 issues.\n")
    capsys.readouterr()
    assert main(["findings", "lint.txt", "--baseline", "known/b.json"]) == 0
    assert capsys.readouterr().err.splitlines()[:2] == [
        "note: fixed: a.c: unused x (-Wx)",
        "note: fixed: a.c: unused y (-Wx)",
    ]
    before = Path("known/b.json").read_bytes()
    assert main(["findings", "lint.txt", "gone.txt", "--write-baseline", "known/b.json"]) == 5
    assert Path("known/b.json").read_bytes() == before
    assert main(["findings", "lint.txt", "--baseline", "none.json"]) == 2


def test_sources_are_those_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("\n".join(LINES))
    mapper = PathMapper(None, tmp_path)
    assert baseline.entry(finding(4), mapper.source_line) == baseline.entry(finding(2), source(LINES))
