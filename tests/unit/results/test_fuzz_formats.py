"""JSON and text formats: any order of their lines, any value in their documents, any cut; never an exception, never green."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit.paths import PathMapper
from ci_buildkit.reader import Source
from ci_buildkit.record import case_json
from ci_buildkit.results import read
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data"
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
READERS = {reader.format: reader for reader in read.READERS}
DOCUMENTS = {form: sorted((DATA / form).glob("*.json")) for form in ("jest", "mocha", "rspec", "ctrf")}
STREAMS = {form: sorted(file for file in (DATA / form).glob("*")) for form in ("dart", "libtest", "reportlog", "tap")}
LINES = [line for files in STREAMS.values() for file in files for line in file.read_text().splitlines()]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5),
                   st.just([]), st.just({}), st.just([None, 1, "a", [2]]), st.just({"a": {"b": []}}))  # fmt: skip


def reading(form: str, data: bytes) -> TestReport:
    collector = Collector()
    collector.file("x", READERS[form].read(io.BytesIO(data), Source("x", PathMapper(None, Path("/nonexistent")))))
    return collector.report()


def printable(report: TestReport) -> None:
    for case in report.cases:
        json.dumps(case_json(case), allow_nan=False).encode()
        "".join([case.name, case.suite, case.class_name, case.message, case.details, case.output]).encode()
        assert case.line is None or case.line > 0
        assert case.seconds >= 0
        assert case.attempts >= 1


@QUICK
@given(st.lists(st.sampled_from(LINES), max_size=40), st.integers(0, 3))
def test_any_order_of_lines(lines: list[str], indent: int) -> None:
    text = "\n".join("    " * indent * (number % 2) + line for number, line in enumerate(lines))
    printable(read.read_log(text.split("\n"), name="log"))
    for form in STREAMS:
        printable(reading(form, text.encode()))


TAP = st.sampled_from(["TAP version 14", "1..2", "1..0 # skip x", "ok", "ok 1", "not ok 2 - a # TODO b", "ok 3 - a {", "}",
                       "# Subtest: s", "  ---", "  message: |", "    text", "  at:", "    file: a.js", "  ...", "Bail out! x",
                       "# at a.t line 3.", "t/a.t ..", "not ok 999999999", "ok 1 # time=5ms {", "ok \\# \\\\"])  # fmt: skip


@QUICK
@given(st.lists(st.tuples(st.integers(0, 12), TAP), max_size=30))
def test_any_tree_of_tap(lines: list[tuple[int, str]]) -> None:
    text = "\n".join(" " * indent + line for indent, line in lines)
    printable(reading("tap", text.encode()))
    printable(read.read_log(text.split("\n"), name="log"))


def changed(value: Any, draw: st.DrawFn, budget: list[int]) -> Any:
    """`value` with some of what is in it replaced."""
    if budget[0] and draw(st.integers(0, 15)) == 0:
        budget[0] -= 1
        return draw(VALUES)
    if isinstance(value, dict):
        return {key: changed(inner, draw, budget) for key, inner in list(value.items())[:12]}
    return [changed(inner, draw, budget) for inner in value[:4]] if isinstance(value, list) else value


@QUICK
@given(st.sampled_from([(form, file) for form, files in DOCUMENTS.items() for file in files]), st.data())
def test_any_value_in_documents(sample: tuple[str, Path], data: st.DataObject) -> None:
    form, file = sample
    document = data.draw(st.composite(lambda draw: changed(json.loads(file.read_bytes()), draw, [3]))())
    printable(reading(form, json.dumps(document).encode()))


@pytest.mark.parametrize("form", [*DOCUMENTS, *STREAMS])
@QUICK
@given(st.data())
def test_a_report_that_is_cut_off_is_never_green(form: str, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from((DOCUMENTS | STREAMS)[form]))
    content = file.read_bytes().rstrip()
    end = data.draw(st.integers(1, len(content) - 1))
    report = reading(form, content[:end])
    # A cut inside the last number of a stream or after its last telling line leaves everything told.
    told = reading(form, content)
    assert report.broken or report.problems or not report.cases or len(report.cases) == len(told.cases)
