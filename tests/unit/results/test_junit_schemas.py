"""What is written keeps to the two published schemas of JUnit XML, here as rules of their own.

Jenkins: junit-10.xsd of jenkinsci/xunit-plugin. Ant: JUnit.xsd of windyroad/JUnit-Schema.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.results import junit_writer
from ci_buildkit.results.collect import report
from ci_buildkit.results.model import Case, Evidence

SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")
DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")

RESULT = ({"type", "message"}, set[str]())
RERUN = ({"type", "message"}, {"type"})
# Of each element: the attributes that it may have, and those that it must have.
JENKINS = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set[str]()),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package",
         "file", "log", "url"},
        {"name", "tests", "failures", "errors"},
    ),
    "testcase": ({"name", "time", "classname", "group"}, {"name"}),
    "properties": (set[str](), set[str]()),
    "property": ({"name", "value"}, {"name", "value"}),
    "failure": RESULT, "error": RESULT, "skipped": RESULT,
    "rerunFailure": RERUN, "rerunError": RERUN, "flakyFailure": RERUN, "flakyError": RERUN,
    "stackTrace": (set[str](), set[str]()), "system-out": (set[str](), set[str]()), "system-err": (set[str](), set[str]()),
}  # fmt: skip
RERUNS = {"rerunFailure", "rerunError", "flakyFailure", "flakyError"}
JENKINS_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"} | RERUNS,
    "properties": {"property"},
}


def jenkins(document: str) -> list[str]:
    """Every rule of the Jenkins schema that `document` breaks."""
    root = ET.fromstring(document.encode())
    broken = [] if root.tag in {"testsuites", "testsuite"} else [f"root {root.tag}"]
    for element in root.iter():
        tag = str(element.tag)
        if tag not in JENKINS:
            broken.append(f"element {tag}")
            continue
        allowed, required = JENKINS[tag]
        broken += [f"{tag}@{name} is unknown" for name in element.attrib.keys() - allowed]
        broken += [f"{tag}@{name} is missing" for name in required - element.attrib.keys()]
        broken += [f"{child.tag} in {tag}" for child in element if child.tag not in _jenkins_children(tag)]
        if tag in RERUNS and [child.tag for child in element] != [name for name in ("stackTrace", "system-out", "system-err") if element.find(name) is not None]:  # fmt: skip
            broken.append(f"order in {tag}")
        if tag in {"testsuite", "testsuites"} and not SUREFIRE_TIME.fullmatch(element.get("time", "")):
            broken.append(f"{tag}@time is {element.get('time')}")
        if tag in {"testsuite", "testsuites", "testcase", "properties"}:
            broken += [f"text in {tag}" for text in [element.text, *(child.tail for child in element)] if text and text.strip()]  # fmt: skip
    return broken


def _jenkins_children(tag: str) -> set[str]:
    return {"stackTrace", "system-out", "system-err"} if tag in RERUNS else JENKINS_CHILDREN.get(tag, set())


def ant(document: str) -> list[str]:
    """Every rule of the Ant schema that `document` breaks."""
    root = ET.fromstring(document.encode())
    if root.tag != "testsuites":
        return [f"root {root.tag}"]
    broken = [f"testsuites@{name}" for name in root.attrib]
    for number, suite in enumerate(root):
        broken += list(_ant_suite(suite, number))
    return broken


def _ant_suite(suite: ET.Element, number: int) -> Iterator[str]:
    counts = ("tests", "failures", "errors")
    attributes = {"name", "timestamp", "hostname", "time", "package", "id", *counts}
    yield from (f"testsuite@{name} is missing" for name in attributes - suite.attrib.keys())
    yield from (f"testsuite@{name} is unknown" for name in suite.attrib.keys() - attributes - {"skipped"})
    yield from (f"testsuite@{name} is empty" for name in ("name", "hostname") if not suite.get(name, "").strip())
    if not DATE_TIME.fullmatch(suite.get("timestamp", "")):
        yield "testsuite@timestamp"
    if not DECIMAL.fullmatch(suite.get("time", "")):
        yield "testsuite@time"
    if suite.get("id") != str(number):
        yield "testsuite@id"
    yield from (f"testsuite@{name}" for name in (*counts, "skipped") if not suite.get(name, "0").isdigit())
    tags = [str(child.tag) for child in suite]
    if tags != ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]:
        yield f"order {tags}"
    for case in suite.findall("testcase"):
        yield from _ant_case(case)


def _ant_case(case: ET.Element) -> Iterator[str]:
    if set(case.attrib.keys()) != {"name", "classname", "time"}:
        yield f"testcase has {sorted(case.attrib.keys())}"
    if not DECIMAL.fullmatch(case.get("time", "")):
        yield "testcase@time"
    if len(case) > 1:
        yield "more than one result"
    for child in case:
        if child.tag not in {"skipped", "error", "failure"}:
            yield f"{child.tag} in testcase"
        elif child.tag != "skipped" and (
            not child.attrib.keys() >= {"type"} or child.attrib.keys() - {"type", "message"} or len(child)
        ):
            yield f"{child.tag} {sorted(child.attrib.keys())}"


def written(*cases: Case) -> str:
    return junit_writer.dumps(report(cases, (), files=1, suites=1))


TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(["", "  ", "?>", "]]>", "-->", '"', "\ud800", "a\nb"])


def cases(*, plain: bool) -> st.SearchStrategy[list[Case]]:
    """Cases as readers give them; with `plain` only such as Ant has words for."""
    evidence = st.builds(
        Evidence,
        message=TEXT,
        path=st.none() | TEXT,
        line=st.none() | st.integers(1, 10**6),
        attempts=st.just(1) if plain else st.integers(1, 4),
        flaky=st.just(False) if plain else st.booleans(),
        details=TEXT,
        output=st.just("") if plain else TEXT,
    )
    return st.lists(
        st.builds(
            Case,
            file=st.sampled_from(["a", "b"]),
            format=st.just("junit"),
            suite=st.sampled_from(["s", "t / u", "<&>"]) if plain else TEXT,
            class_name=TEXT,
            name=TEXT,
            outcome=st.sampled_from(["passed", "failed", "error", "skipped"]),
            seconds=st.floats(0, 1e6),
            evidence=evidence,
        ),
        max_size=5,
    )


@settings(max_examples=60, deadline=None)
@given(cases(plain=False))
def test_whatever_is_written_keeps_to_the_schema_of_jenkins(some: list[Case]) -> None:
    assert jenkins(written(*some)) == []


@settings(max_examples=60, deadline=None)
@given(cases(plain=True))
def test_cases_without_output_and_attempts_keep_to_the_schema_of_ant_too(some: list[Case]) -> None:
    document = written(*some)
    assert ant(document) == []
    assert jenkins(document) == []


A_CASE = Case("f", "junit", "s", "k", "c", "passed")


def test_ant_has_no_place_for_output_attempts_and_suites_without_a_name() -> None:
    assert ant(written(Case("f", "junit", "s", "k", "c", "passed", 0, Evidence(output="o")))) == [
        "system-out in testcase"
    ]
    flaky = Case("f", "junit", "s", "k", "c", "passed", 0, Evidence(message="m", attempts=2, flaky=True))
    assert ant(written(flaky)) == ["flakyFailure in testcase"]
    assert ant(written(Case("f", "junit", "", "k", "c", "passed"))) == ["testsuite@name is empty"]


SUITE = '<testsuite name="s" tests="1" failures="0" errors="0"'


@pytest.mark.parametrize(
    "document",
    [
        "<root/>",
        "<testsuites disabled='0'/>",
        "<testsuites time='1e-07'/>",
        "<testsuites>text</testsuites>",
        "<testsuite name='s' tests='0' failures='0'/>",
        f"{SUITE} disabled='0'/>",
        f"{SUITE}><testcase/></testsuite>",
        f"{SUITE}><testcase name='c' line='1'/></testsuite>",
        f"{SUITE}><testcase name='c'><properties/></testcase></testsuite>",
        f"{SUITE}><testcase name='c'><flakyFailure/></testcase></testsuite>",
        f"{SUITE}><testcase name='c'><rerunError type='t'><system-out/><stackTrace/></rerunError></testcase></testsuite>",
        f"{SUITE}><properties><property name='x'/></properties></testsuite>",
    ],
)
def test_the_check_for_jenkins_sees_what_is_wrong(document: str) -> None:
    assert jenkins(document)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<testsuites>", '<testsuites tests="1">'),
        (' hostname="localhost"', ""),
        (' hostname="localhost"', ' hostname=" "'),
        (' id="0"', ' id="1"'),
        (' package=""', ""),
        ('errors="0"', 'errors="x"'),
        (' timestamp="', ' timestamp="+'),
        (' time="0.000"', ' time="1e-07"'),
        ("<properties/>", ""),
        ("<system-err/>", ""),
        (' classname="k"', ""),
        (' time="0" />', '><failure type="t"/><skipped/></testcase>'),
        (' time="0" />', ' time="0"><failure/></testcase>'),
        (' time="0" />', ' time="0" line="3"/>'),
    ],
)
def test_the_check_for_ant_sees_what_is_wrong(old: str, new: str) -> None:
    document = written(A_CASE)
    assert ant(document) == []
    assert document.count(old) == 1
    assert ant(document.replace(old, new))
