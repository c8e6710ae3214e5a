"""What is written is well-formed whatever a test printed, and is read back equal by us and by junitparser."""

from __future__ import annotations

import re
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from ci_buildkit.errors import OutputError
from ci_buildkit.results import junit_writer, merge, read
from ci_buildkit.results.collect import report
from ci_buildkit.results.model import Case, Evidence, TestReport, changed
from ci_buildkit.text import block, clean, excerpt, first_line
from ci_buildkit.text import name as clean_name

DATA = Path(__file__).parents[2] / "data"


def again(cases: list[Case]) -> tuple[str, TestReport]:
    text = junit_writer.dumps(report(cases, (), files=1, suites=1))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "junit.xml")
        file.write_text(text, encoding="utf-8")
        return text, read.read_paths([file], root=Path(folder))


def comparable(case: Case) -> Case:
    return changed(
        case,
        file="",
        format="",
        suite=case.suite.partition(" / tests")[0],
        attempts=case.attempts if case.broken or case.flaky else 1,
    )


@pytest.mark.parametrize(
    "names", [("go1.26-all.json",), ("go1.26-rerun.json", "go1.26-all.json"), ("gotestsum-rerun.json",)]
)
def test_real_results_are_read_back_equal(names: tuple[str, ...]) -> None:
    found = merge(read.read_paths([DATA / "gotest" / name], root=DATA / "gotest" / "shop") for name in names)
    text, back = again(list(found.cases))
    key = str
    assert sorted(map(comparable, found.cases), key=key) == sorted(map(comparable, back.cases), key=key)
    assert back.problems == ()
    parsed = JUnitXml.fromstring(text.encode())
    assert (parsed.tests, parsed.failures, parsed.errors) == (
        found.totals.tests,
        found.totals.failed,
        found.totals.errors,
    )
    other = [case for suite in parsed for case in suite]
    assert sorted((c.classname or "", c.name) for c in other) == sorted((c.class_name, c.name) for c in found.cases)
    assert sum(not c.is_passed and not c.is_skipped for c in other) == found.totals.failed + found.totals.errors


TOOLS = [
    *("bats", "catch2", "ctest", "googletest", "jest", "mocha", "nextest", "perl", "phpunit", "rspec", "surefire"),
    *("vitest", "pytest-xunit1", "pytest-xunit2", "gotestsum-rerun", "gotestsum"),
]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_report_of_any_tool_is_read_back_equal(tool: str) -> None:
    found = read.read_paths([DATA / "junit" / f"{tool}.xml"], root=DATA / "junit" / "tools")
    text, back = again(list(found.cases))
    assert sorted(map(comparable, back.cases), key=str) == sorted(map(comparable, found.cases), key=str)
    assert back.problems == ()
    assert {case.path for case in back.cases} == {case.path for case in found.cases}
    parsed = JUnitXml.fromstring(text.encode())
    assert (parsed.tests, parsed.failures, parsed.errors, parsed.skipped) == (
        found.totals.tests,
        found.totals.failed,
        found.totals.errors,
        found.totals.skipped,
    )


def test_the_place_of_a_case_is_written_whatever_is_in_it() -> None:
    path = 'a "b" <c> & ?> \' .py'
    text, back = again([a_case(path=path, line=3), a_case(name="d", path="x.py"), a_case(name="e")])
    assert [(case.path, case.line) for case in back.cases] == [(path, 3), ("x.py", None), (None, None)]
    assert ET.fromstring(text).tag == "testsuites"


def test_a_large_suite_is_written_in_batches() -> None:
    cases = [a_case(name=f"c{number}", message="m" if number % 1000 == 7 else "") for number in range(2500)]
    cases[1500] = a_case(name="bad", outcome="failed", message="no")
    _, back = again(cases)
    assert [case.name for case in back.cases] == [case.name for case in cases]
    assert (back.totals.tests, back.totals.failed, back.totals.suites) == (2500, 1, 1)


def test_a_failure_that_does_not_count_is_still_written_as_one() -> None:
    _, back = again([a_case(outcome="failed", message="no", attempts=2, quarantined="known")])
    assert (back.cases[0].outcome, back.cases[0].attempts) == ("failed", 2)


def a_case(**fields: object) -> Case:
    return changed(Case("f", "junit", "s", "k", "c", "passed"), **fields)


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_a_failure_without_a_word_stays_a_failure(outcome: str) -> None:
    _, back = again([a_case(outcome=outcome)])
    assert back.cases[0].outcome == outcome


def test_the_order_and_time_of_cases_stay() -> None:
    cases = [a_case(name=f"c{number}", seconds=number * 1e-6) for number in (3, 1, 0)]
    text, back = again(cases)
    assert [(case.name, case.seconds) for case in back.cases] == [("c3", 3e-6), ("c1", 1e-6), ("c0", 0.0)]
    assert "e-0" not in text
    assert back.totals.seconds == 4e-6


def test_cases_of_two_files_are_never_taken_for_attempts() -> None:
    cases = [a_case(file="amd64.xml", outcome="failed", message="no"), a_case(file="arm64.xml")]
    _, back = again(cases)
    assert [(case.outcome, case.attempts) for case in back.cases] == [("failed", 1), ("passed", 1)]


def test_an_empty_report_is_a_document() -> None:
    assert ET.fromstring(junit_writer.dumps(TestReport())).tag == "testsuites"


# What a case is, and the element that it becomes. Readers of other tools rely on each of these.
ELEMENTS: list[tuple[dict[str, object], str]] = [
    ({"name": 'p<"&>', "seconds": 0.25}, '<testcase name="p&lt;&quot;&amp;&gt;" classname="k" time="0.25" />'),
    (
        {"class_name": "<k>\n\x1b[1ml", "path": "a.py", "line": 3},
        '<testcase name="c" classname="&lt;k&gt; l" time="0"><?ci-buildkit file="a.py" line="3"?></testcase>',
    ),
    ({"path": "a.py"}, '<testcase name="c" classname="k" time="0"><?ci-buildkit file="a.py"?></testcase>'),
    # Text is UTF-8, as it is, with or without something to tell.
    ({"name": "é 名"}, '<testcase name="é 名" classname="k" time="0" />'),
    (
        {"name": "é", "outcome": "skipped", "message": "名"},
        '<testcase name="é" classname="k" time="0"><skipped type="skipped" message="名" /></testcase>',
    ),
    # To the nanosecond, without an exponent.
    ({"seconds": 1e-9}, '<testcase name="c" classname="k" time="0.000000001" />'),
    ({"seconds": 120.0}, '<testcase name="c" classname="k" time="120" />'),
    (
        {"output": "printed\x1b[0m", "path": "b.py"},
        '<testcase name="c" classname="k" time="0"><?ci-buildkit file="b.py"?><system-out>printed</system-out></testcase>',
    ),
    (
        {"outcome": "failed", "message": "no", "details": "<x>\x00", "seconds": 1.0, "path": "a.py", "line": 7},
        (
            '<testcase name="c" classname="k" time="1"><?ci-buildkit file="a.py" line="7"?>'
            '<failure type="failure" message="no">&lt;x&gt;</failure></testcase>'
        ),
    ),
    ({"outcome": "failed"}, '<testcase name="c" classname="k" time="0"><failure type="failure" /></testcase>'),
    (
        {"outcome": "error", "message": "crash\n", "details": "d", "class_name": "<k>"},
        '<testcase name="c" classname="&lt;k&gt;" time="0"><error type="error" message="crash ">d</error></testcase>',
    ),
    (
        {"outcome": "error", "details": "d"},
        '<testcase name="c" classname="k" time="0"><error type="error">d</error></testcase>',
    ),
    (
        {"outcome": "skipped", "message": "why", "details": "more"},
        '<testcase name="c" classname="k" time="0"><skipped type="skipped" message="why">more</skipped></testcase>',
    ),
    ({"outcome": "skipped"}, '<testcase name="c" classname="k" time="0"><skipped type="skipped" /></testcase>'),
    # Surefire's elements: one for each attempt but the one that counts.
    (
        {"outcome": "failed", "message": "no", "details": "d", "attempts": 3},
        (
            '<testcase name="c" classname="k" time="0"><failure type="failure" message="no">d</failure>'
            '<rerunFailure message="no" type="failure" /><rerunFailure message="no" type="failure" /></testcase>'
        ),
    ),
    (
        {"outcome": "error", "message": "no", "attempts": 2},
        (
            '<testcase name="c" classname="k" time="0"><error type="error" message="no" />'
            '<rerunError message="no" type="failure" /></testcase>'
        ),
    ),
    (
        {"flaky": True, "attempts": 3, "message": "no\x00", "details": "first\x1b[0m"},
        (
            '<testcase name="c" classname="k" time="0"><flakyFailure message="no" type="failure">first</flakyFailure>'
            '<flakyFailure message="no" type="failure" /></testcase>'
        ),
    ),
    (
        {"flaky": True, "attempts": 2},
        '<testcase name="c" classname="k" time="0"><flakyFailure message="without a message" type="failure" /></testcase>',
    ),
    # A case that passed at each of several attempts is written once.
    ({"attempts": 3}, '<testcase name="c" classname="k" time="0" />'),
    (
        {"outcome": "skipped", "attempts": 2},
        '<testcase name="c" classname="k" time="0"><skipped type="skipped" /></testcase>',
    ),
]


def rows_of(*cases: Case) -> list[str]:
    return junit_writer.dumps(report(cases, (), files=1, suites=1)).splitlines()


@pytest.mark.parametrize(("fields", "element"), ELEMENTS)
def test_the_element_of_a_case(fields: dict[str, object], element: str) -> None:
    assert [row for row in rows_of(a_case(**fields)) if row.startswith("<testcase")] == [element]


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is not that of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_frame_of_a_document() -> None:
    cases = [
        a_case(outcome="failed", message="no", seconds=0.5),
        a_case(name="d", outcome="error", message="no", seconds=0.25),
        a_case(name="e", outcome="skipped"),
        a_case(name="f", outcome="skipped"),
        a_case(name="g"),
        a_case(name="h", suite="<t>\n\x1b[1mé"),
        a_case(name="i", outcome="failed", message="no", seconds=1.2345),
    ]
    before = datetime.now(UTC).replace(microsecond=0)
    rows = [row for row in rows_of(*cases) if not row.startswith("<testcase")]
    written = re.findall(r'timestamp="([^"]*)"', "".join(rows))
    assert len(set(written)) == 1
    assert before <= datetime.strptime(f"{written[0]}+0000", "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(UTC)
    shared = f'package="" hostname="localhost" timestamp="{written[0]}"'
    assert rows == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<testsuites>",
        f'<testsuite name="s" id="0" {shared} tests="6" failures="2" errors="1" skipped="2" time="1.984">',
        *("<properties/>", "<system-out/>", "<system-err/>", "</testsuite>"),
        f'<testsuite name="&lt;t&gt; é" id="1" {shared} tests="1" failures="0" errors="0" skipped="0" time="0.000">',
        *("<properties/>", "<system-out/>", "<system-err/>", "</testsuite>"),
        "</testsuites>",
    ]


@pytest.mark.parametrize(
    ("cases", "suites"),
    [
        # By file and suite, in the order in which they come first.
        ([("a", "s", "t", "passed"), ("b", "s", "t", "passed"), ("a", "s", "u", "passed")], [("s", 2), ("s", 1)]),
        # What broke in one file and comes again in another would be read as its next attempt.
        ([("a", "s", "t", "failed"), ("b", "s", "t", "passed")], [("s", 1), ("s / b", 1)]),
        ([("a", "s", "t", "error"), ("b", "s", "t", "failed"), ("c", "s", "t", "passed")], [("s", 1), ("s / b", 1), ("s / c", 1)]),
        ([("a", "", "t", "failed"), ("b", "", "t", "passed")], [("", 1), ("b", 1)]),
        # No attempts: another suite, another name, or nothing that broke before.
        ([("a", "s", "t", "failed"), ("a", "r", "t", "passed")], [("s", 1), ("r", 1)]),
        ([("a", "s", "t", "failed"), ("b", "s", "u", "passed")], [("s", 1), ("s", 1)]),
        ([("a", "s", "t", "skipped"), ("b", "s", "t", "failed")], [("s", 1), ("s", 1)]),
        ([("a", "s", "t", "failed"), ("b", "s", "u", "passed"), ("c", "s", "t", "passed")], [("s", 1), ("s", 1), ("s / c", 1)]),
    ],
)  # fmt: skip
def test_suites(cases: list[tuple[str, str, str, str]], suites: list[tuple[str, int]]) -> None:
    made = [a_case(file=file, suite=suite, name=name, outcome=outcome) for file, suite, name, outcome in cases]
    root = ET.fromstring(junit_writer.dumps(report(made, (), files=1, suites=1)))
    assert [(suite.get("name"), len(suite.findall("testcase"))) for suite in root] == suites


def test_another_class_is_no_attempt() -> None:
    cases = [a_case(outcome="failed"), a_case(file="g", class_name="l")]
    assert [suite.get("name") for suite in ET.fromstring("\n".join(rows_of(*cases)[1:]))] == ["s", "s"]


ANY = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["\x1b[31m", "]]>", "\ud800", "\ufffe", "&#27;", "a\r\nb", "\x85"]
)
CASES = st.builds(
    Case,
    file=st.sampled_from(["a", "b"]),
    format=st.just("junit"),
    suite=ANY,
    class_name=ANY,
    name=ANY,
    outcome=st.sampled_from(["passed", "failed", "error", "skipped"]),
    seconds=st.floats(0, 1e6),
    evidence=st.builds(
        Evidence,
        message=ANY,
        path=st.none() | ANY,
        line=st.none() | st.integers(1, 10**6),
        attempts=st.integers(1, 4),
        details=ANY,
        output=ANY,
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CASES, max_size=5))
def test_any_text_gives_a_document_that_says_the_same(cases: list[Case]) -> None:
    # As readers leave them: cleaned, attempts only where they can be.
    cases = [
        changed(
            case,
            suite=clean_name(case.suite).strip(),
            class_name=clean_name(case.class_name),
            name=f"{clean_name(case.name)} {number}",
            message=first_line(case.message),
            details=block(excerpt(case.details)),
            output=block(excerpt(case.output)),
            attempts=case.attempts if case.broken else 1,
        )
        for number, case in enumerate(cases)
    ]
    text, back = again(cases)
    ET.fromstring(text)
    assert [(c.name, c.outcome, c.attempts) for c in sorted(back.cases, key=lambda c: c.name.rpartition(" ")[2])] == [
        (clean(c.name), c.outcome, c.attempts) for c in cases
    ]
    if cases:
        assert back.problems == ()


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "junit.xml"
    junit_writer.write(report([a_case()], (), files=1, suites=1), target)
    junit_writer.write(report([a_case(name="other")], (), files=1, suites=1), target)
    assert 'name="other"' in target.read_text()
    assert [path.name for path in target.parent.iterdir()] == ["junit.xml"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        junit_writer.write(TestReport(), tmp_path / "file" / "junit.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
