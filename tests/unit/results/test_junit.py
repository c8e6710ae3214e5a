"""JUnit XML in its dialects, and the counting rules of the `results` contract."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ci_buildkit.paths import PathMapper
from ci_buildkit.reader import Limits, Source
from ci_buildkit.results import junit, junit_writer, read
from ci_buildkit.results.model import Case, TestReport

DATA = Path(__file__).parents[2] / "data"


def parse(text: str | bytes, tmp_path: Path) -> TestReport:
    file = tmp_path / "x.xml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read.read_paths([file], root=tmp_path)


def only(found: TestReport) -> Case:
    assert len(found.cases) == 1, found.cases
    return found.cases[0]


def test_nested_suites_count_every_case_once(tmp_path: Path) -> None:
    found = parse(
        """<testsuites name="all" tests="99"><testsuite name="outer" tests="3" failures="1">
        <testcase classname="a.A" name="test_a" time="0.5"/>
        <testsuite name="inner"><testcase classname="a.B" name="test_b"/>
        <testsuite><testcase classname="a.B" name="test_c" time="0.1">
        <failure message="first&#10;second" type="AssertionError">src/b.py:3: no</failure></testcase></testsuite>
        </testsuite></testsuite><testcase name="loose"/></testsuites>""",
        tmp_path,
    )
    assert [(one.suite, one.name) for one in found.cases] == [
        ("outer", "test_a"),
        ("outer / inner", "test_b"),
        ("outer / inner", "test_c"),
        ("", "loose"),
    ]
    failed = found.cases[2]
    assert (failed.outcome, failed.message, failed.path, failed.line) == ("failed", "first", "src/b.py", 3)
    assert found.problems == ()
    totals = found.totals
    assert (totals.files, totals.suites, totals.tests, totals.failed, totals.seconds) == (1, 3, 4, 1, 0.6)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("", "passed"),
        ("<failure/>", "failed"),
        ("<failure><![CDATA[]]></failure>", "failed"),
        ("<error/>", "error"),
        ("<skipped/>", "skipped"),
        ("<ignored/>", "skipped"),
        ("<disabled/>", "skipped"),
        ("<skipped/><failure/>", "failed"),
        ("<failure/><error/>", "error"),
        ("<warning type='PHPUnit\\Framework\\Warning'>No tests found</warning>", "failed"),
        ("<failure/><failure/><failure/>", "failed"),
        ("<system-out>FAILED</system-out>", "passed"),
        ("<rerunFailure/>", "failed"),
        ("<flakyFailure/>", "passed"),
        ("<properties><property name='failure' value='1'/></properties>", "passed"),
    ],
)
def test_the_worst_element_decides(body: str, outcome: str, tmp_path: Path) -> None:
    assert (
        only(parse(f'<testsuite name="s"><testcase name="c">{body}</testcase></testsuite>', tmp_path)).outcome
        == outcome
    )


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        ('status="run"', "passed"),
        ('status="disabled"', "skipped"),
        ('status="notrun" result="suppressed"', "skipped"),
        ('status="ignored"', "skipped"),
        ('status="fail"', "failed"),
        ('status="Failed"', "failed"),
        ('status="errored"', "error"),
        ('status="TIMEOUT"', "error"),
        ('status="run" result="aborted"', "error"),
        ('status="run" result="completed"', "passed"),
    ],
)
def test_a_status_counts_where_no_element_says_more(attributes: str, outcome: str, tmp_path: Path) -> None:
    found = parse(f'<testsuite name="s"><testcase name="c" {attributes}/></testsuite>', tmp_path)
    assert only(found).outcome == outcome
    found = parse(f'<testsuite name="s"><testcase name="c" {attributes}><error/></testcase></testsuite>', tmp_path)
    assert only(found).outcome == "error"


def test_surefire_attempts(tmp_path: Path) -> None:
    found = parse(
        """<testsuite name="T" tests="2" failures="1" flakes="1" errors="0">
        <testcase classname="T" name="passesAtLast"><flakyFailure message="no" type="A"><stackTrace>at T.java:4</stackTrace>
        <system-out>noise</system-out></flakyFailure><flakyError type="B">broke</flakyError></testcase>
        <testcase classname="T" name="never"><failure message="no">x</failure>
        <rerunFailure message="no again"><stackTrace>y</stackTrace></rerunFailure><rerunError/></testcase></testsuite>""",
        tmp_path,
    )
    flaky, never = found.cases
    assert (flaky.outcome, flaky.flaky, flaky.attempts, flaky.message) == ("passed", True, 3, "no")
    assert flaky.details == "at T.java:4"
    assert (never.outcome, never.flaky, never.attempts) == ("failed", False, 3)
    assert (found.totals.tests, found.totals.flaky, found.totals.passed, found.totals.failed) == (2, 1, 1, 1)
    assert found.problems == ()


def repeated(*bodies: str) -> str:
    cases = "".join(f'<testcase classname="k" name="c" time="1">{body}</testcase>' for body in bodies)
    return f'<testsuite name="s">{cases}</testsuite>'


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        (("<failure message='m'/>", ""), [("passed", 2, True)]),
        (("<failure/>", "<failure/>", ""), [("passed", 3, True)]),
        (("<failure/>", "<error/>"), [("error", 2, False)]),
        (("<failure/>", "<skipped/>"), [("failed", 2, False)]),
        (("", ""), [("passed", 1, False), ("passed", 1, False)]),
        (("", "<failure/>"), [("passed", 1, False), ("failed", 1, False)]),
        (("<failure/>", "", ""), [("passed", 2, True), ("passed", 1, False)]),
    ],
)
def test_a_case_that_comes_again_after_a_failure_is_an_attempt(
    bodies: tuple[str, ...], expected: list[tuple[str, int, bool]], tmp_path: Path
) -> None:
    found = parse(repeated(*bodies), tmp_path)
    assert [(one.outcome, one.attempts, one.flaky) for one in found.cases] == expected
    assert found.totals.seconds == len(bodies)


def test_suites_of_the_same_name_are_not_attempts_of_each_other(tmp_path: Path) -> None:
    """Playwright writes the suite of a file once for each browser."""
    bodies = (("<failure/>",), ("<failure/>", "<failure/>"), ("",))
    found = parse(f"<testsuites>{''.join(repeated(*one) for one in bodies)}</testsuites>", tmp_path)
    assert [(one.name, one.outcome, one.attempts) for one in found.cases] == [
        ("c", "failed", 1),
        ("c (2)", "failed", 2),
        ("c (3)", "passed", 1),
    ]
    junit_writer.write(found, tmp_path / "again.xml")
    again = read.read_paths([tmp_path / "again.xml"], root=tmp_path)
    assert [(one.name, one.outcome) for one in again.cases] == [(one.name, one.outcome) for one in found.cases]


def test_many_plain_cases_of_a_suite_of_the_same_name_are_no_attempts(tmp_path: Path) -> None:
    plain = "".join(f'<testcase classname="k" name="{name}" time="1"/>' for name in ("a", "b", "c", "d"))
    found = parse(f'<testsuites>{repeated("<failure/>")}<testsuite name="s">{plain}</testsuite></testsuites>', tmp_path)
    assert [one.name for one in found.cases] == ["c", "a", "b", "c (2)", "d"]
    assert (found.totals.failed, found.totals.flaky) == (1, 0)


def test_cases_without_a_name_are_not_attempts_of_each_other(tmp_path: Path) -> None:
    found = parse(
        '<testsuite name="s"><testcase name="a"><error/></testcase><testcase><failure/></testcase><testcase/>'
        '<testcase name="a"/></testsuite>',
        tmp_path,
    )
    assert [(one.outcome, one.attempts) for one in found.cases] == [("passed", 2), ("failed", 1), ("passed", 1)]


def test_two_files_are_not_attempts_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(repeated("<failure/>"))
    (tmp_path / "b.xml").write_text(repeated(""))
    found = read.read_paths([tmp_path])
    assert [(one.outcome, one.attempts) for one in found.cases] == [("failed", 1), ("passed", 1)]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            '<testsuite name="s" tests="2" failures="2"><testcase name="a"/><testcase name="b"/></testsuite>',
            'failures="2"',
        ),
        ('<testsuite name="s" errors="1"><testcase name="a"/></testsuite>', 'errors="1"'),
        ('<testsuites failures="1"><testsuite name="s"><testcase name="a"/></testsuite></testsuites>', 'failures="1"'),
        ('<testsuite name="s" tests="5"/>', "no test case"),
        ('<testsuite name="s" failures="1"><testcase name="a"><skipped/></testcase></testsuite>', 'failures="1"'),
    ],
)
def test_counts_that_contradict_the_cases_are_a_problem(document: str, words: str, tmp_path: Path) -> None:
    (problem,) = parse(document, tmp_path).problems
    assert problem.kind == "inconsistent"
    assert words in problem.reason


@pytest.mark.parametrize(
    "document",
    [
        '<testsuite name="s" tests="" failures="many" errors="-1"><testcase name="a"/></testsuite>',
        '<testsuite name="s" tests="1" failures="0"><testcase name="a"><failure/></testcase></testsuite>',
        '<testsuites tests="8"><testsuite><testcase name="a" time="1234567890"/></testsuite></testsuites>',
        '<testsuite name="s" failures="1"><testcase name="a"><failure/></testcase><testcase name="a"/></testsuite>',
        '<testsuite name="s" tests="1"><testcase name="a"/><testsuite name="t" tests="3" skipped="3"/></testsuite>',
    ],
)
def test_counts_that_are_merely_odd_are_no_problem(document: str, tmp_path: Path) -> None:
    assert parse(document, tmp_path).problems == ()


def test_the_root_of_gotestsum_counts_lines_of_stderr(tmp_path: Path) -> None:
    properties = '<properties><property name="go.version" value="go1.26"/></properties>'
    found = parse(
        f'<testsuites errors="3"><testsuite name="p">{properties}<testcase name="a"/></testsuite></testsuites>',
        tmp_path,
    )
    assert found.problems == ()


def test_a_suite_can_fail_outside_of_its_cases(tmp_path: Path) -> None:
    found = parse(
        '<testsuite name="s" errors="1"><error message="no setup"/><testcase name="a"/></testsuite>', tmp_path
    )
    assert [(one.name, one.outcome, one.message) for one in found.cases] == [
        ("s", "error", "no setup"),
        ("a", "passed", ""),
    ]


@pytest.mark.parametrize(
    ("case", "where"),
    [
        ('<testcase name="c" file="src/b.py" line="3"><failure/></testcase>', ("src/b.py", 3)),
        ('<testcase name="c" file="src/b.py" line="0"><failure/></testcase>', ("src/b.py", None)),
        ('<testcase name="c"><failure file="a.cpp" line="7"/></testcase>', ("a.cpp", 7)),
        ('<testcase name="c"><failure>src/lib.rs:10:5: boom</failure></testcase>', ("src/lib.rs", 10)),
        (
            '<testcase name="c"><failure>at Object.f (/app/src/a.test.ts:12:3)</failure></testcase>',
            ("/app/src/a.test.ts", 12),
        ),
        ('<testcase name="c"><failure>http://host.example:80 refused</failure></testcase>', (None, None)),
        ('<testcase name="c"><failure message="in C:\\w\\a.cs:4"/></testcase>', ("C:/w/a.cs", 4)),
        ('<testcase name="c" file="a.py" line="x"/>', ("a.py", None)),
    ],
)
def test_places(case: str, where: tuple[str | None, int | None], tmp_path: Path) -> None:
    one = only(parse(f'<testsuite name="s">{case}</testsuite>', tmp_path))
    assert (one.path, one.line) == where


def test_real_pytest_reports() -> None:
    root = DATA / "junit" / "shop"
    found = read.read_paths([DATA / "junit" / "pytest-xunit2.xml"], root=root)
    assert found.problems == ()
    totals = found.totals
    assert (totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (14, 2, 6, 4, 2)
    places = {one.name: (one.path, one.line) for one in found.cases if one.broken}
    assert places["test_fails"] == ("tests/test_shop.py", 14)
    assert places["tests.test_collect"] == ("tests/test_collect.py", 1)
    both = next(one for one in found.cases if one.name == "test_fails_and_teardown")
    assert (both.outcome, both.attempts) == ("error", 2)
    assert "assert False" in both.details
    assert "cannot close" in both.details
    assert (
        next(one for one in found.cases if one.name == "test_raises").message == "ValueError: bad red #x00 value <&>]]>"
    )
    old = read.read_paths([DATA / "junit" / "pytest-xunit1.xml"], root=root)
    # pytest counts lines from 0: `def test_passes` stands on line 8.
    assert (old.cases[0].path, old.cases[0].line) == ("tests/test_shop.py", 8)


def test_real_gotestsum_reports() -> None:
    root = DATA / "gotest" / "shop"
    found = read.read_paths([DATA / "junit" / "gotestsum-rerun.xml"], root=root)
    assert {one.name: (one.outcome, one.attempts, one.flaky) for one in found.cases} == {
        "TestFlaky": ("passed", 2, True),
        "TestAlways": ("failed", 3, False),
        "TestSteady": ("passed", 1, False),
    }
    always = next(one for one in found.cases if one.name == "TestAlways")
    assert (always.message, always.path, always.line) == ("never passes", "flakyfile/flaky_test.go", 16)
    found = read.read_paths([DATA / "junit" / "gotestsum.xml"], root=root)
    wrong = next(one for one in found.cases if one.name == "TestWrong")
    assert (wrong.message, wrong.line) == ("Add(2, 2) = 4, want 5", 19)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0), ("0.5", 0.5), ("1,234.5", 1234.5), ("4.5e-05", 4.5e-05), ("<<computed>>", 0), ("-3", 0), ("NaN", 0),
        ("inf", 0), ("1.5s", 1.5), ("12ms", 0.012), ("0,25", 0.25), ("1500000000", 1.5), ("1e300", 0), ("9" * 400, 0),
    ],
)  # fmt: skip
def test_times(text: str, seconds: float, tmp_path: Path) -> None:
    escaped = text.replace("<", "&lt;")
    found = parse(f'<testsuite name="s"><testcase name="c" time="{escaped}"/></testsuite>', tmp_path)
    assert only(found).seconds == pytest.approx(seconds)


CASE = '<testsuite name="s"><testcase name="caf\u00e9"/></testsuite>'


@pytest.mark.parametrize(
    "data",
    [
        CASE.encode(),
        b"\xef\xbb\xbf" + CASE.encode(),
        b"  \n\t" + b'<?xml version="1.0"?>' + CASE.encode(),
        CASE.encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + CASE).encode("utf-16"),
        CASE.encode("utf-16-le"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + CASE).encode("latin-1"),
        ('<?xml version="1.0" encoding="windows-1252"?>' + CASE).encode("cp1252"),
        ('<?xml version="1.0" encoding="utf-16"?>' + CASE).encode(),
        ('<!-- one --><?pi x?><!DOCTYPE testsuite SYSTEM "junit.dtd">' + CASE).encode(),
    ],
)
def test_encodings(data: bytes, tmp_path: Path) -> None:
    found = parse(data, tmp_path)
    assert found.problems == ()
    assert only(found).name == "caf\u00e9"


def test_bytes_of_another_encoding_do_not_lose_the_file(tmp_path: Path) -> None:
    found = parse(CASE.encode("latin-1") + b"\n", tmp_path)
    assert (only(found).name, found.problems) == ("caf\ufffd", ())


@pytest.mark.parametrize("encoding", ["nonsense-8", "zip", "punycode", "undefined"])
def test_an_encoding_that_is_none_is_a_problem(encoding: str, tmp_path: Path) -> None:
    (problem,) = parse(f'<?xml version="1.0" encoding="{encoding}"?>{CASE}', tmp_path).problems
    assert problem.kind == "unreadable"


def test_characters_that_xml_forbids_do_not_lose_the_file(tmp_path: Path) -> None:
    body = "a\x1b[31mred\x1b[0m &#27;[1mbold&#x1b;[0m \x00\x08 &#0;&#xFFFE;&#xD800; end"
    found = parse(f'<testsuite name="s"><testcase name="c"><failure>{body}</failure></testcase></testsuite>', tmp_path)
    assert found.problems == ()
    assert only(found).details == "ared bold   end"


BOMB = """<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>"""
XXE = """<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><testsuite><testcase name="c"><failure>&x;</failure></testcase></testsuite>"""
PARAMETER = (
    """<!DOCTYPE t [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><testsuite><testcase name="c"/></testsuite>"""
)


@pytest.mark.parametrize("document", [BOMB, XXE, PARAMETER])
def test_entities_are_refused(document: str, tmp_path: Path) -> None:
    found = parse(document, tmp_path)
    assert found.cases == ()
    assert [problem.kind for problem in found.problems] == ["unreadable"]


@pytest.mark.parametrize(
    "document",
    [
        '<testsuite name="s"><testcase name="a"/><testcase name="b"><failure>cut',
        '<testsuite name="s"><testcase name="a"/><testcase na',
        '<testsuite name="s"><testcase name="a"/><x><![CDATA[never closed</x></testsuite>',
        '<testsuite name="s"><testcase name="a"/></testsuite><testsuite/>',
        '<testsuite name="s"><testcase name="a"/></wrong>',
    ],
)
def test_what_stands_before_a_cut_is_kept_and_the_cut_told(document: str, tmp_path: Path) -> None:
    found = parse(document, tmp_path)
    assert [problem.kind for problem in found.problems] == ["unreadable"]
    assert [one.name for one in found.cases] == ["a"]


def stream(text: str, limits: Limits) -> list[object]:
    return list(junit.read(io.BytesIO(text.encode()), Source("x.xml", PathMapper(), limits)))


def test_thousands_of_nested_suites_are_a_limit_and_no_recursion() -> None:
    deep = "<testsuite name='s'>" * 5000 + "<testcase name='c'/>" + "</testsuite>" * 5000
    assert stream(f"<testsuites>{deep}</testsuites>", Limits())[-1].kind == "limit"  # type: ignore[attr-defined]
    assert not any(getattr(item, "kind", "") for item in stream(deep, Limits(depth=6000)))


def test_a_huge_attribute_is_a_limit() -> None:
    text = f'<testsuite name="s"><testcase name="{"x" * 2_000_000}"/></testsuite>'
    assert stream(text, Limits(token=100_000))[-1].kind == "limit"  # type: ignore[attr-defined]
    assert not any(getattr(item, "kind", "") for item in stream(text, Limits()))


def test_long_text_keeps_its_start_and_its_end(tmp_path: Path) -> None:
    body = "start " + "x" * 1_000_000 + " end"
    one = only(
        parse(f'<testsuite name="s"><testcase name="c"><failure>{body}</failure></testcase></testsuite>', tmp_path)
    )
    assert one.details.startswith("start ")
    assert one.details.endswith(" end")
    assert "characters left out" in one.details
    assert len(one.details) < 70_000


def test_namespaces_are_passed_over(tmp_path: Path) -> None:
    found = parse(
        '<j:testsuite xmlns:j="urn:x" name="s"><j:testcase name="c"><j:failure message="m"/></j:testcase></j:testsuite>',
        tmp_path,
    )
    assert only(found).message == "m"


def test_a_case_in_a_case_counts(tmp_path: Path) -> None:
    found = parse(
        '<testsuite name="s"><testcase name="o"><testcase name="i"><error/></testcase></testcase></testsuite>', tmp_path
    )
    assert {one.name: one.outcome for one in found.cases} == {"o": "passed", "i": "error"}
