"""Ways in which broken tests or findings could look green to those who only read reports. Each ends red, for its own reason.

Those that need an engine are in tests/e2e/test_false_green.py; docs/explanation/never-false-green.md lists all of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.test_false_green import WAYS

from ci_buildkit.cli.main import main

CASE = '<testcase classname="c" name="t" time="1"/>'
FAILED = '<testcase classname="c" name="t"><failure message="boom"/></testcase>'
SUITE = '<testsuites><testsuite name="s" {0}>{1}</testsuite></testsuites>'


def go(*events: dict[str, object]) -> str:
    return "".join(json.dumps({"Package": "p", **event}) + "\n" for event in events)


RAN: tuple[dict[str, object], ...] = (
    {"Action": "start"},
    {"Action": "run", "Test": "T"},
    {"Action": "pass", "Test": "T", "Elapsed": 0.1},
)

# name: files, exit code, what is said
RESULTS: dict[str, tuple[dict[str, str], int, str]] = {
    "an empty report": ({"a.xml": ""}, 5, "empty"),
    "a report without a suite": ({"a.xml": "<testsuites/>"}, 5, "no test"),
    "a suite without a case": ({"a.xml": SUITE.format('tests="0"', "")}, 5, "no test"),
    "a report that is cut off": ({"a.xml": f'<testsuites><testsuite name="s">{CASE}'}, 5, "cut off"),
    "a page in place of a report": ({"junit.xml": "<html><body>502 Bad Gateway</body></html>"}, 5, "no test report was found"),
    "failures that only the totals show": ({"a.xml": SUITE.format('tests="1" failures="1"', CASE)}, 5, "none of its 1 test cases failed"),
    "an error that is no failure": (
        {"a.xml": SUITE.format("", '<testcase name="t"><error message="no fixture"/></testcase>')}, 1, "no fixture",
    ),
    "a failure in a nested suite": (
        {"a.xml": SUITE.format('failures="0"', f'<testsuite name="in">{FAILED}</testsuite>')}, 1, "boom",
    ),
    "a failure beside green reports": (
        {"a.xml": SUITE.format("", CASE), "b.xml": SUITE.format("", FAILED)}, 1, "boom",
    ),
    "a broken report beside green ones": (
        {"a.xml": SUITE.format("", CASE), "b.xml": "<testsuites><testsuite"}, 5, "b.xml",
    ),
    "a Go test that never ended": ({"a.json": go(*RAN[:2])}, 1, "T"),
    "a Go package that failed outside its tests": (
        {"a.json": go(*RAN, {"Action": "output", "Output": "exit status 3\n"}, {"Action": "fail"})}, 1, "p",
    ),
    "a Go package that did not build": (
        {"a.json": go({"Action": "start"}, {"Action": "output", "Output": "FAIL\tp [build failed]\n"}, {"Action": "fail"})},
        1, "build failed",
    ),
    "a Go package that never ended": ({"a.json": go(*RAN)}, 1, "p"),
    "a TAP plan with tests missing": ({"a.tap": "TAP version 13\n1..3\nok 1 - a\n"}, 5, "3"),
    "TAP that bails out": ({"a.tap": "TAP version 13\n1..2\nok 1 - a\nBail out! no database\n"}, 1, "no database"),
    "TAP without a plan": ({"a.tap": "TAP version 13\nok 1 - a\n"}, 5, "plan"),
    "a Jest file that could not run": (
        {"a.json": json.dumps({
            "numTotalTests": 0, "numTotalTestSuites": 1, "numFailedTests": 0, "success": False, "testResults": [
                {"name": "/a.test.js", "status": "failed", "message": "Cannot find module 'x'", "assertionResults": []}
            ],
        })}, 1, "Cannot find module",
    ),
    "Jest that says it did not succeed": (
        {"a.json": json.dumps({
            "numTotalTests": 1, "numTotalTestSuites": 1, "numFailedTests": 0, "success": False, "testResults": [
                {"name": "/a.test.js", "status": "passed", "message": "", "assertionResults": [
                    {"title": "t", "fullName": "t", "ancestorTitles": [], "status": "passed", "failureMessages": []}
                ]}
            ],
        })}, 5, "says that the run failed, but no test did",
    ),
    "an NUnit test that ended in an error": (
        {"a.xml": '<test-run testcasecount="1" result="Failed" total="1" failed="1"><test-suite name="s" type="TestFixture">'
                  '<test-case name="t" fullname="s.t" result="Failed" label="Error"><failure><message>boom</message></failure>'
                  "</test-case></test-suite></test-run>"}, 1, "boom",
    ),
    "a run of dotnet that was aborted": (
        {"a.trx": '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>'
                  '<UnitTestResult testName="t" testId="1" outcome="Aborted"/></Results>'
                  '<ResultSummary outcome="Aborted"/></TestRun>'}, 1, "t",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_results(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, code, said = RESULTS[name]
    for file, text in files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    assert main(["results", str(tmp_path)]) == code
    shown = "".join(capsys.readouterr())
    assert said in shown, shown


def test_the_page_lists_every_way() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "never-false-green.md"
    section = page.read_text("utf-8").partition("## Every way that is tried\n")[2].partition("\n## ")[0]
    listed = [line.removeprefix("- ") for line in section.splitlines() if line.startswith("- ")]
    assert listed == [*RESULTS, *WAYS]
    assert len(listed) >= 40
