"""Any bytes: results or a problem, never an exception, and never a green report out of nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit.lines import decode
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source
from ci_buildkit.record import case_json
from ci_buildkit.results import read
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.model import TestReport
from ci_buildkit.scan import Head

MAPPER = PathMapper(None, Path("/nonexistent"))
DATA = Path(__file__).parents[2] / "data"
FORMATS = {reader.format for reader in read.READERS}
FILES = [
    file.read_bytes()
    for file in sorted(DATA.glob("*/*"))
    if file.parent.name in FORMATS and file.is_file() and file.stat().st_size < 10_000
]
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def through_every_reader(data: bytes) -> None:
    head = Head(data[:65536], decode(data[:65536]))
    for reader in read.READERS:
        reader.sniff(head)
        collector = Collector()
        collector.file("x", reader.read(io.BytesIO(data), Source("x", MAPPER)))
        printable(collector.report())


def printable(report: TestReport) -> None:
    text = json.dumps([case_json(case) for case in report.cases], allow_nan=False)
    assert "\x1b" not in text
    text.encode("utf-8")
    for case in report.cases:
        "".join([case.name, case.message, case.details, case.path or "", case.suite, case.class_name]).encode("utf-8")
        assert case.line is None or case.line > 0
        assert case.seconds >= 0
        assert case.attempts >= 1
    assert all(isinstance(problem, Problem) for problem in report.problems)


@QUICK
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    through_every_reader(data)


@QUICK
@given(st.sampled_from(FILES), st.data())
def test_real_reports_that_were_damaged(file: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(start, min(len(file), start + 200)))
    through_every_reader(file[:start] + data.draw(st.binary(max_size=20)) + file[end:])


TAGS = st.sampled_from(["testsuites", "testsuite", "testcase", "failure", "error", "skipped", "rerunFailure", "flakyError",
                        "system-out", "stackTrace", "properties", "property"])  # fmt: skip
NAMES = st.sampled_from(
    ["name", "classname", "time", "tests", "failures", "errors", "message", "type", "file", "line", "status"]
)
VALUES = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["1", "0", "-1", "1e999", "nan", "a.py:3"]
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(TAGS)
    attributes = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    inner = draw(st.lists(elements(depth + 1), max_size=3)) if depth < 4 else []
    attribute_text = "".join(f' {key}="{escaped(value)}"' for key, value in attributes.items())
    return f"<{tag}{attribute_text}>{escaped(draw(VALUES))}{''.join(inner)}</{tag}>"


@QUICK
@given(elements())
def test_any_tree_of_junit_elements(document: str) -> None:
    through_every_reader(document.encode())


EVENT = st.fixed_dictionaries(
    {
        "Action": st.sampled_from(
            ["run", "pass", "fail", "skip", "output", "start", "pause", "bench", "build-output", "build-fail"]
        )
    },
    optional={
        "Package": st.sampled_from(["m/p", "m/q", ""]) | st.integers(),
        "Test": st.sampled_from(["TestA", "TestA/b", "TestA/b/c", "BenchmarkX", ""]) | st.none(),
        "Elapsed": st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
        "Output": st.sampled_from(["panic: x\n", "    a_test.go:3: no\n", "--- FAIL: x", "\tg.go:3 +0x1\n"])
        | st.text(max_size=20)
        | st.lists(st.none()),
        "ImportPath": st.sampled_from(["m/p", "m/p [m/p.test]"]),
        "FailedBuild": st.sampled_from(["m/p"]) | st.none(),
        "OutputType": st.sampled_from(["error", "frame"]),
    },
)
LINES = st.one_of(
    EVENT.map(json.dumps),
    st.sampled_from(["=== RUN   TestA", "--- FAIL: TestA (0.00s)", "    --- PASS: TestA/b (0.01s)", "PASS", "FAIL", "ok  \tm/p\t0.1s",
                     "FAIL\tm/p\t0.1s", "FAIL\tm/q [build failed]", "# m/q", "panic: boom", "?   \tm/r\t[no test files]",
                     '{"Time":"x","Action":"ru']),
    st.text(max_size=20),
)  # fmt: skip


@QUICK
@given(st.lists(LINES, max_size=25))
def test_any_order_of_go_lines(lines: list[str]) -> None:
    report = read.read_log(lines, name="log")
    printable(report)
    through_every_reader("\n".join(lines).encode("utf-8", "surrogatepass"))


@QUICK
@given(st.lists(EVENT, min_size=1, max_size=20))
def test_a_package_that_failed_is_never_green(events: list[dict[str, object]]) -> None:
    lines = [json.dumps(event) for event in events]
    lines += [json.dumps({"Action": "start", "Package": "z/last"}), json.dumps({"Action": "fail", "Package": "z/last"})]
    assert read.read_log(lines, name="log").broken
