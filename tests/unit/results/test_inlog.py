"""Reports that were printed into a log as a whole, and everything that only looks like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci_buildkit.reader import Limits
from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data"
GO = ["=== RUN   TestX", "--- FAIL: TestX (0.00s)", "FAIL", "FAIL\texample.com/x\t0.01s"]


def log(*lines: str) -> TestReport:
    return read.read_log(lines, name="log")


@pytest.mark.parametrize(
    "name",
    ["jest/jest.json", "jest/vitest.json", "mocha/retries.json", "rspec/rspec.json", "ctrf/pytest.json", "junit/pytest-xunit1.xml"],
)  # fmt: skip
def test_a_printed_report_is_read_like_its_file(name: str) -> None:
    text = (DATA / name).read_text()
    written = read.read_paths([DATA / name])
    pretty = json.dumps(json.loads(text), indent=2) if name.endswith(".json") else text
    for printed in (text, pretty):
        found = log("+ cat report", *printed.splitlines(), "done", *GO)
        others = [one for one in found.cases if one.format == "gotext"]
        assert len(others) == 1
        assert found.totals.tests - 1 == written.totals.tests
        assert (found.totals.failed - 1, found.totals.errors) == (written.totals.failed, written.totals.errors)
        assert not found.problems


def test_what_a_report_quotes_is_not_read_again() -> None:
    quoted = "\n".join(GO)
    found = log(
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        f'<testsuite name="s"><testcase name="é"><failure message="m"><![CDATA[{quoted.splitlines()[0]}',
        *GO[1:],
        "]]></failure></testcase></testsuite>",
    )
    assert [(one.format, one.name) for one in found.cases] == [("junit", "é")]


def test_two_documents() -> None:
    found = log('<testsuite name="a"><testcase name="x"/></testsuite>', '<testsuites/>', '<testsuite name="b">', '<testcase name="y"/>', "</testsuite>")  # fmt: skip
    assert [one.name for one in found.cases] == ["x", "y"]


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_a_document_without_an_end_gives_its_lines_back(kind: str) -> None:
    if kind == "xml":
        start = ["<testsuites>", '<testsuite name="s">', '<testcase name="x"/>']
    else:
        start = (DATA / "mocha" / "retries.json").read_text().splitlines()[:40]
    found = log(*start, "Killed", *GO)
    assert found.problems
    assert any(one.format == "gotext" and one.outcome == "failed" for one in found.cases)
    assert any(one.format in {"junit", "mocha"} for one in found.cases)


def test_a_new_document_ends_one_without_an_end() -> None:
    start = (DATA / "mocha" / "retries.json").read_text().splitlines()[:40]
    found = log(*start, '<testsuite name="s"><testcase name="x"/></testsuite>')
    assert [one.name for one in found.cases if one.format == "junit"] == ["x"]
    assert found.problems


@pytest.mark.parametrize(
    "lines",
    [
        ["{", '  "name": "settings",', '  "tests": []', "}"],
        ["{", "not json", "}"],
        ["["],
        ["{"],
        ["<html>", "<body>", "</html>"],
        ["<none>", "<?xml version='1.0'?>", "<project/>"],
        ['{"results": [1, 2]}', '{"stats": {"passes": 1}}'],
        ["{", *['  "key": 1,'] * 2000],
    ],
)
def test_what_is_no_report_is_nothing(lines: list[str]) -> None:
    found = log(*lines, *GO)
    assert [one.format for one in found.cases] == ["gotext"]
    assert not found.problems


def test_memory_is_bounded() -> None:
    lines = ["<testsuite name='s'>", *['<testcase name="x"/>'] * 1000, *GO]
    found = read.read_log(lines, name="log", limits=Limits(held=10_000))
    assert [one.kind for one in found.problems] == ["limit"]
    assert any(one.format == "gotext" for one in found.cases)
