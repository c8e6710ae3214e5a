"""A run as a check run: conclusions, GitHub's limits, and what has no line in the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ci_buildkit.findings.model import Finding
from ci_buildkit.github.checkrun import CHUNK, MAX_ANNOTATIONS, MAX_BYTES, Check, check_run, conclusion
from ci_buildkit.report.digest import Digest, decode
from ci_buildkit.results.model import Case, Evidence, TestReport

if TYPE_CHECKING:
    from types import ModuleType

    from ci_buildkit.record import RunRecord


def made(record: RunRecord, tests: TestReport) -> Check:
    return check_run(record, tests, name="n", head="a" * 40, external_id="x", digest=Digest.of(tests.cases))


def finding(path: str = "a.py", line: int | None = 1, **more: Any) -> Finding:
    fields = {
        "path": path, "line": line, "column": None, "end_line": None, "end_column": None, "severity": "error",
        "rule": "r", "message": "m", "tool": "t", **more,
    }  # fmt: skip
    return Finding(**fields)


def annotated(runs: ModuleType, *findings: Finding) -> list[dict[str, str | int]]:
    record, _ = runs.green()
    return made(record.model_copy(update={"findings": findings}), TestReport()).annotations


@pytest.mark.parametrize(
    ("outcome", "stages", "expected"),
    [
        ("passed", ["passed", "skipped"], "success"),
        ("passed", ["skipped"], "neutral"),
        ("passed", [], "neutral"),
        ("failed", ["failed"], "failure"),
        ("error", [], "failure"),
        # GitHub takes a neutral check for good enough where it is required.
        ("cancelled", ["cancelled"], "cancelled"),
    ],
)
def test_conclusions(runs: ModuleType, outcome: str, stages: list[str], expected: str) -> None:
    record, _ = runs.green()
    each = tuple(record.stages[0].model_copy(update={"outcome": one}) for one in stages)
    assert conclusion(record.model_copy(update={"outcome": outcome, "stages": each})) == expected


def test_the_title_says_why(runs: ModuleType) -> None:
    assert made(*runs.red()).title.startswith("Failed: 2 of 9 tests failed")


def test_an_annotation_at_its_place(runs: ModuleType) -> None:
    whole = finding("./pkg/a.py", 3, column=2, end_line=3, end_column=9)
    assert annotated(runs, whole) == [
        {
            "path": "pkg/a.py", "start_line": 3, "end_line": 3, "annotation_level": "failure", "message": "m",
            "start_column": 2, "end_column": 9, "title": "t: r",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"column": 2, "end_line": 9, "end_column": 1}, {"start_line": 5, "end_line": 9}),
        ({"column": 4, "end_line": 5, "end_column": 2}, {"start_column": 4, "end_column": 4}),
        ({"end_line": 2}, {"start_line": 5, "end_line": 5}),
        ({"line": None, "column": 7}, {"start_line": 1, "end_line": 1}),
        ({"severity": "warning"}, {"annotation_level": "warning"}),
        ({"message": ""}, {"message": "t: r"}),
        ({"message": " ", "rule": "", "tool": ""}, {"message": "(no message)"}),
    ],
)
def test_what_github_would_refuse_is_mended(
    runs: ModuleType, place: dict[str, Any], expected: dict[str, str | int]
) -> None:
    (found,) = annotated(runs, finding(**{"line": 5, **place}))
    assert found.items() >= expected.items()
    if found["start_line"] != found["end_line"] or place.get("line", 5) is None:
        assert "start_column" not in found


@pytest.mark.parametrize("path", ["", "/src/a.py", "../a.py", "a/../../b", "C:\\src\\a.py", "..", "."])
def test_what_has_no_place_is_told_in_the_text(runs: ModuleType, path: str) -> None:
    record, _ = runs.green()
    check = made(record.model_copy(update={"findings": (finding(path, message="@octocat wrote it"),)}), TestReport())
    assert check.annotations == []
    assert "### Without a line in the repository" in check.text
    assert "@<!-- -->octocat wrote it" in check.text


def test_everything_has_a_bound(runs: ModuleType) -> None:
    record, _ = runs.red()
    details = "ü" * 100_000
    cases = tuple(
        Case(
            "f",
            "junit",
            "s",
            "c" * 4000,
            f"t{n}",
            "failed",
            0.0,
            Evidence("a.py", n + 1, message=details, details=details),
        )
        for n in range(700)
    )
    findings = (finding(message=details), *(finding("/src/x", message=details) for _ in range(700)))
    check = made(record.model_copy(update={"findings": findings}), runs.report_of(cases))
    for text in (check.summary, check.text):
        assert len(text.encode()) <= MAX_BYTES
    for one in check.annotations:
        assert len(str(one["message"]).encode()) <= 64_000
        assert len(str(one.get("title", ""))) <= 255
    assert all(len(chunk) <= CHUNK for chunk in check.chunks())
    assert "more without a line" in check.text
    found = decode(check.text)
    assert found is not None
    assert found.counts == {"failed": 700}


def test_a_thousand_annotations_and_the_rest_is_said(runs: ModuleType) -> None:
    record, _ = runs.green()
    findings = tuple(finding(line=n + 1) for n in range(MAX_ANNOTATIONS + 5))
    check = made(record.model_copy(update={"findings": findings}), TestReport())
    assert [one["start_line"] for one in check.annotations] == list(range(1, MAX_ANNOTATIONS + 1))
    assert "5 annotations more than GitHub is given" in check.text


def test_a_run_without_tests_keeps_no_digest(runs: ModuleType) -> None:
    record, _ = runs.green()
    assert decode(made(record, TestReport()).text) is None
    assert made(record, TestReport()).chunks() == [[]]
