"""NUnit, xUnit.net and TRX: any tree of their elements, damaged real files and hostile XML give results or a problem."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source
from ci_buildkit.results import nunit, trx, xunit
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.model import TestReport
from ci_buildkit.results.reader import Reader

DATA = Path(__file__).parents[2] / "data"
FILES = [file.read_bytes() for name in ("nunit", "xunit", "trx") for file in sorted((DATA / name).glob("*.*"))]
READERS = (nunit.READER, xunit.READER, trx.READER)
TAGS = st.sampled_from(
    ["test-run", "test-results", "test-suite", "test-case", "failure", "reason", "message", "stack-trace", "output",
     "properties", "property", "assemblies", "assembly", "collection", "test", "errors", "error", "TestRun", "Results",
     "UnitTestResult", "InnerResults", "Output", "ErrorInfo", "Message", "StackTrace", "StdOut", "TestDefinitions",
     "UnitTest", "TestMethod", "ResultSummary", "Counters", "RunInfo", "Text"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["name", "fullname", "classname", "result", "label", "site", "type", "success", "executed", "time", "duration",
     "total", "failed", "errors", "failures", "outcome", "testId", "id", "testName", "className", "storage",
     "source-file", "source-line"]
)  # fmt: skip
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8) | st.sampled_from(
    ["Failed", "Passed", "Pass", "Fail", "Error", "Child", "TearDown", "Assembly", "-1", "NaN", "1e999", "A.b(1.2)", "a.cs:3",
     "  at A.b() in /src/../a.cs:line 3", "00:00:01", "../../etc/passwd"]
)  # fmt: skip


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(TAGS)
    attributes = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    inner = draw(st.lists(elements(depth + 1), max_size=3)) if depth < 4 else []
    written = "".join(f' {key}="{escaped(value)}"' for key, value in attributes.items())
    return f"<{tag}{written}>{escaped(draw(VALUES))}{''.join(inner)}</{tag}>"


def parsed(reader: Reader, data: bytes, limits: Limits | None = None) -> TestReport:
    collector = Collector()
    source = Source("x", PathMapper(None, Path("/nonexistent")), limits or Limits())
    collector.file("x", reader.read(io.BytesIO(data), source))
    found = collector.report()
    for case in found.cases:
        "".join([case.name, case.message, case.details, case.output, case.path or "", case.suite]).encode()
        assert case.line is None or case.line > 0
        assert 0 <= case.seconds < 1e10
    assert all(isinstance(problem, Problem) for problem in found.problems)
    return found


@settings(max_examples=120, deadline=None)
@given(elements())
def test_any_tree_of_elements(document: str) -> None:
    for reader in READERS:
        parsed(reader, document.encode())


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_real_reports_that_were_damaged(file: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(start, min(len(file), start + 300)))
    damaged = file[:start] + data.draw(st.binary(max_size=20)) + file[end:]
    for reader in READERS:
        parsed(reader, damaged)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.format)
@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ('<!DOCTYPE t [<!ENTITY a "ha">]><test-run>&a;</test-run>', "unreadable"),
        ('<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><TestRun>&x;</TestRun>', "unreadable"),
        ("<test-suite>" * 2000, "limit"),
        ("<test-case>" * 2000, "limit"),
        ('<test-run name="' + "x" * 3_000_000, "limit"),
    ],
)
def test_hostile_documents_are_problems(reader: Reader, document: str, kind: str) -> None:
    found = parsed(reader, document.encode(), Limits(token=1_000_000))
    assert [problem.kind for problem in found.problems] == [kind]


@pytest.mark.parametrize(
    ("reader", "document"),
    [
        (nunit.READER, '<test-run><test-case name="A.b" result="Failed"><failure><message>{}</message></failure></test-case></test-run>'),
        (xunit.READER, '<assemblies><assembly><test name="b" result="Fail"><failure><message>{}</message></failure></test></assembly></assemblies>'),
        (trx.READER, '<TestRun><UnitTestResult testName="b" outcome="Failed"><Output><ErrorInfo><Message>{}</Message></ErrorInfo></Output></UnitTestResult></TestRun>'),
    ],
)  # fmt: skip
def test_what_a_test_printed_is_cleaned_and_bounded(reader: Reader, document: str) -> None:
    (case,) = parsed(reader, document.format("\x1b[31mred\x1b[0m &#27;[1m\x00 &#xFFFE;end").encode()).cases
    assert case.message == "red  end"
    (case,) = parsed(reader, document.format("x" * 500_000).encode()).cases
    assert len(case.details) < 70_000
    assert "characters left out" in case.details
