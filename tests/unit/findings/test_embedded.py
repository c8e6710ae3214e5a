"""Reports of real tools between the other lines of a log, laid out or on one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import read, ruff
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.inlog import Documents
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source

DATA = Path(__file__).parents[2] / "data" / "findings"
NOWHERE = Path("/nonexistent")
NAMES = [
    "buildkit-check.json", "checkstyle/checkstyle.xml", "checkstyle/eslint.xml", "checkstyle/hadolint.xml",
    "eslint/eslint.json", "eslint/metadata.json", "hadolint/hadolint.json", "rdjson/ruff.json", "ruff/ruff.json",
    "sarif/bandit.sarif", "sarif/golangci-v2.sarif", "sarif/hadolint.sarif", "sarif/ruff.sarif", "shellcheck/json.json",
    "shellcheck/json1.json",
]  # fmt: skip
BEFORE = [
    "+ lint --all",
    "[",
    "not a report",
    "]",
    "{",
    '  "dependencies": {}',
    "}",
    '{"level":"info","msg":"x"}',
    "<",
    "[",
]
AFTER = ["exit status 1", "{", "unfinished"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_in_a_log_tells_what_its_file_does(name: str) -> None:
    file = read.read_paths([DATA / name], root=NOWHERE)
    rows = (DATA / name).read_text().splitlines()
    log = read.read_log([*BEFORE, *rows, *rows, *AFTER], name=str(DATA / name), root=NOWHERE)
    assert log.findings == tuple(dict.fromkeys(file.findings))
    assert {one.reason for one in log.problems} == {one.reason for one in file.problems}


def test_a_report_that_the_end_of_the_log_cuts_off_keeps_its_start() -> None:
    rows = (DATA / "ruff" / "ruff.json").read_text().splitlines()[:-30]
    found = read.read_log(["ruff", *rows], name="log", root=NOWHERE)
    assert len(found.findings) > 10
    assert [problem.kind for problem in found.problems] == ["unreadable"]


def test_a_report_that_is_too_large_for_a_log_keeps_its_start() -> None:
    rows = (DATA / "ruff" / "ruff.json").read_text().splitlines()
    source = Source("log", PathMapper(None, NOWHERE), Limits(held=3_000))
    reader = Documents(source, (ruff.READER,), "never", kept=Findings(source))
    for row in rows:
        reader.feed(row)
    found = list(reader.finish())
    assert [type(item) for item in found] == [*[Finding] * (len(found) - 1), Problem]
    assert 3 < len(found) < 14


def test_what_begins_like_a_report_and_is_none() -> None:
    log = [*BEFORE, "a.c:1:2: error: broken", json.dumps([{"file": 1}]), json.dumps({"results": []}), *AFTER]
    found = read.read_log(log, name="log", root=NOWHERE)
    assert [(one.path, one.line) for one in found.findings] == [("a.c", 1)]
    assert found.problems == ()


ROWS = sorted(
    {row[:300] for name in NAMES for row in (DATA / name).read_text().splitlines()} | {*BEFORE, *AFTER, "</checkstyle>"}
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ROWS) | st.text(max_size=20), max_size=30))
def test_any_lines_in_any_order(lines: list[str]) -> None:
    found = read.read_log(lines, name="log", root=NOWHERE)
    assert all(one.rule and one.tool for one in found.findings)
