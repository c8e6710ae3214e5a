"""Real JUnit reports of many tools: our counts against an independent count, and where each failure is."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from ci_buildkit.results import read
from ci_buildkit.results.model import Case, TestReport

DATA = Path(__file__).parents[2] / "data" / "junit"
TOOLS = ("bats", "catch2", "googletest", "jest", "mocha", "nextest", "phpunit", "rspec", "surefire", "vitest")


def of(tool: str) -> TestReport:
    return read.read_paths([DATA / f"{tool}.xml"], root=DATA / "tools")


def by_name(tool: str) -> dict[str, Case]:
    return {case.name: case for case in of(tool).cases}


def counted_by_junitparser(path: Path) -> tuple[int, int, int, int]:
    """Tests, failed, errors and skipped, the worst element of a case deciding."""
    # bats writes references to ESC, at which every strict parser gives the whole file up.
    document = JUnitXml.fromstring(path.read_bytes().replace(b"&#27;", b""))
    outcomes = []
    for suite in document if isinstance(document, JUnitXml) else [document]:
        for case in suite:  # those of nested suites are among them
            kinds = {type(result) for result in case.result}
            worst = next((kind for kind in (Error, Failure, Skipped) if kind in kinds), None)
            # GoogleTest says only by an attribute that a test is disabled.
            outcomes.append(Skipped if worst is None and case._elem.get("status") == "notrun" else worst)
    return len(outcomes), outcomes.count(Failure), outcomes.count(Error), outcomes.count(Skipped)


@pytest.mark.parametrize("tool", TOOLS)
def test_counts_agree_with_junitparser(tool: str) -> None:
    found = of(tool)
    totals = found.totals
    assert (totals.tests, totals.failed, totals.errors, totals.skipped) == counted_by_junitparser(DATA / f"{tool}.xml")
    assert found.problems == ()
    assert totals.passed == totals.tests - totals.failed - totals.errors - totals.skipped


# Of every case that broke or was flaky: its message and where it failed.
FAILURES = {
    "bats": {"adds wrong & <loudly>": ("`[ $((2 + 2)) -eq 5 ]' failed", "shop.bats", 8)},
    "catch2": {
        "adds/wrong": ("add(2, 2) == 5", "calc_test.cpp", 9),
        "throws <&>": ('no "luck"', "calc_test.cpp", 12),
    },
    "googletest": {
        "AddsWrong": ("Expected equality of these values:", "calc_test.cc", 10),
        "Throws": ('C++ exception with description "no luck" thrown in the test body.', "calc_test.cc", 14),
        "Small/2": ("Expected: (GetParam()) < (3), actual: 3 vs 3", "calc_test.cc", 23),
    },
    "jest": {
        "shop adds wrong": ("Error: expect(received).toBe(expected) // Object.is equality", "src/shop.test.js", 5),
        "shop throws": ("Error: no luck <&>", "src/shop.test.js", 8),
    },
    "mocha": {
        "shop adds wrong": ("Expected values to be strictly equal:  4 !== 5", "spec/shop.js", 5),
        "shop throws": ("no luck <&>", "spec/shop.js", 8),
    },
    "nextest": {
        "tests::adds_wrong": ("assertion `left == right` failed: two & two", "src/lib.rs", 17),
        "tests::passes_at_last": ("not yet", "src/lib.rs", 25),
    },
    "phpunit": {
        "testAddsWrong": ("two & two", "tests/ShopTest.php", 16),
        "testThrows": ("RuntimeException: no luck", "tests/ShopTest.php", 21),
        "testSaysNothing": ("This test did not perform any assertions", "tests/ShopTest.php", 34),
        'testSizes with data set "large"': ("Failed asserting that 3 is less than 3.", "tests/ShopTest.php", 41),
    },
    "rspec": {
        "Shop adds wrong": ("expected: 5      got: 4  (compared using ==)", "spec/shop_spec.rb", 6),
        "Shop raises": ("no luck <&>", "spec/shop_spec.rb", 9),
        "Shop inside never begins": ("no setup", "spec/shop_spec.rb", 16),
    },
    "surefire": {
        "sizes(int)[2]": ("expected: <1> but was: <3>", "src/test/java/shop/ShopTest.java", 43),
        "addsWrong": ("two & two ==> expected: <5> but was: <4>", "src/test/java/shop/ShopTest.java", 21),
        "passesAtLast": ("expected: <2> but was: <0>", "src/test/java/shop/ShopTest.java", 27),
        "throwsUp": ("no luck", "src/test/java/shop/ShopTest.java", 32),
    },
    "vitest": {
        "shop > adds wrong": ("expected 4 to be 5 // Object.is equality", "unit/shop.test.mjs", 6),
        "shop > throws": ("no luck <&>", "unit/shop.test.mjs", 9),
        "unit/broken.test.mjs": (
            "Failed to load url ./missing.mjs (resolved id: ./missing.mjs) in /app/jest/unit/broken.test.mjs. Does the file exist?",
            "unit/broken.test.mjs",
            None,
        ),
    },
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_every_failure_says_what_and_where(tool: str) -> None:
    told = {case.name: (case.message, case.path, case.line) for case in of(tool).cases if case.broken or case.flaky}
    assert told == FAILURES[tool]


def test_attempts_of_surefire_and_nextest() -> None:
    surefire = by_name("surefire")
    assert (surefire["passesAtLast"].flaky, surefire["passesAtLast"].attempts) == (True, 3)
    assert (surefire["throwsUp"].outcome, surefire["throwsUp"].attempts) == ("error", 3)
    nextest = by_name("nextest")
    assert (nextest["tests::passes_at_last"].flaky, nextest["tests::passes_at_last"].attempts) == (True, 2)
    assert (nextest["tests::adds_wrong"].outcome, nextest["tests::adds_wrong"].attempts) == ("failed", 2)


def test_what_a_test_printed_is_its_output() -> None:
    assert by_name("phpunit")["testAddsWrong"].output == "about to fail"
    assert by_name("vitest")["shop > adds wrong"].output == "about to fail"
    assert "about to fail" in by_name("nextest")["tests::adds_wrong"].output
    # What a flaky test printed when it failed is the output worth having.
    assert by_name("surefire")["passesAtLast"].output.split() == ["run", "0", "run", "1"]
    assert "about" not in by_name("surefire")["addsWrong"].details


def test_ctest_counts_a_test_that_it_could_not_start_as_failed() -> None:
    found = of("ctest")
    assert {case.name: case.outcome for case in found.cases} == {
        "calc.passes": "passed", "calc.adds": "failed", "calc.slow": "failed", "calc.off": "skipped",
        "calc.skipped": "skipped", "calc.missing": "error", "calc.setup": "failed", "calc.needs": "error",
        "calc.files": "error", "calc.regex": "skipped",
    }  # fmt: skip
    # ctest itself: "33% tests passed, 6 tests failed out of 9", the tests that are disabled left out.
    assert found.totals.failed + found.totals.errors == 6
    adds = by_name("ctest")["calc.adds"]
    assert (adds.message, adds.path, adds.line) == ("assertions: 2 | 1 passed | 1 failed", "calc_test.cpp", 9)
    assert by_name("ctest")["calc.missing"].output == "Unable to find executable: no-such-program"


def test_a_perl_script_that_dies_is_an_error_of_its_suite() -> None:
    found = of("perl")
    root = ET.parse(DATA / "perl.xml").getroot()
    errors = len(root.findall("testsuite/error"))
    assert (found.totals.tests, found.totals.errors, found.totals.failed) == (
        len(list(root.iter("testcase"))) + errors,
        errors,
        1,
    )
    dies = by_name("perl")["dies_t"]
    assert (dies.outcome, dies.message) == ("error", "Dubious, test returned 255 (wstat 65280, 0xff00)")


def test_nested_suites_of_phpunit_are_in_the_names_of_their_cases() -> None:
    assert (
        by_name("phpunit")['testSizes with data set "large"'].suite == "/app/php/tests / ShopTest / ShopTest::testSizes"
    )
    assert of("phpunit").totals.suites == 3


def parse(text: str, tmp_path: Path) -> TestReport:
    (tmp_path / "x.xml").write_text(text)
    return read.read_paths([tmp_path / "x.xml"], root=tmp_path)


# Written after what their generators' sources write, where the tools cannot run here.
WRITTEN = {
    "gradle": (
        ('<testsuite name="shop.ShopTest" tests="2" skipped="0" failures="1" errors="0" timestamp="2026-02-03T10:00:00" hostname="b" time="0.02">'
        '<properties/><testcase name="adds()" classname="shop.ShopTest" time="0.01"/><testcase name="addsWrong()" classname="shop.ShopTest" time="0.001">'
        '<failure message="org.opentest4j.AssertionFailedError: expected: &lt;5&gt;" type="org.opentest4j.AssertionFailedError">'
        "org.opentest4j.AssertionFailedError: expected: &lt;5&gt;\n\tat shop.ShopTest.addsWrong(ShopTest.java:21)\n</failure></testcase>"
        "<system-out><![CDATA[about to fail\n]]></system-out><system-err><![CDATA[]]></system-err></testsuite>"),
        [("adds()", "passed"), ("addsWrong()", "failed")],
        ("ShopTest.java", 21),
    ),
    "swift": (
        ('<testsuites><testsuite name="TestResults" errors="0" tests="2" failures="1" skipped="0" time="0.1">'
        '<testcase classname="ShopTests.CalcTests" name="testAdds" time="0.001"></testcase>'
        '<testcase classname="ShopTests.CalcTests" name="testAddsWrong" time="0.002"><failure message="failed">'
        "/src/Tests/ShopTests/CalcTests.swift:9: error: XCTAssertEqual failed</failure></testcase></testsuite></testsuites>"),
        [("testAdds", "passed"), ("testAddsWrong", "failed")],
        ("/src/Tests/ShopTests/CalcTests.swift", 9),
    ),
    "tester": (
        ('<testsuites><testsuite errors="1" skipped="1" tests="3" time="0.2" timestamp="2026-02-03T10:00:00">'
        '<testcase classname="/app/tests/Adds.phpt" name="/app/tests/Adds.phpt"/>'
        '<testcase classname="/app/tests/Wrong.phpt" name="/app/tests/Wrong.phpt"><failure message="Failed: 4 should be 5&#10;&#10;in tests/Wrong.phpt(7)"/></testcase>'
        '<testcase classname="/app/tests/Out.phpt" name="/app/tests/Out.phpt"><skipped/></testcase></testsuite></testsuites>'),
        [("/app/tests/Adds.phpt", "passed"), ("/app/tests/Wrong.phpt", "failed"), ("/app/tests/Out.phpt", "skipped")],
        ("tests/Wrong.phpt", 7),
    ),
    "container-structure-test": (
        ('<testsuites failures="1" tests="8" time="1500000000"><testsuite><testcase name="Command Test: apt" time="1000000000"></testcase>'
        '<testcase name="File Test: passwd" time="500000000"><failure>File /etc/passwd should not exist but does</failure></testcase></testsuite></testsuites>'),
        [("Command Test: apt", "passed"), ("File Test: passwd", "failed")],
        (None, None),
    ),
    "node": (
        ('<testsuites><testsuite name="s" tests="2" failures="1" skipped="1"><testcase name="a" classname="test"/>'
        '<testcase name="b" classname="test" failure="not done"><skipped type="todo" message="later"/><failure message="not done"/></testcase></testsuite></testsuites>'),
        [("a", "passed"), ("b", "skipped")],
        (None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", WRITTEN)
def test_reports_of_tools_that_do_not_run_here(tool: str, tmp_path: Path) -> None:
    document, outcomes, where = WRITTEN[tool]
    found = parse(document, tmp_path)
    assert [(case.name, case.outcome) for case in found.cases] == outcomes
    assert found.problems == ()
    assert next(((case.path, case.line) for case in found.cases if case.broken), (None, None)) == where


def test_container_structure_test_counts_in_nanoseconds(tmp_path: Path) -> None:
    assert parse(WRITTEN["container-structure-test"][0], tmp_path).totals.seconds == 1.5
