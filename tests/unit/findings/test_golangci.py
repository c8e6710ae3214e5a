"""golangci-lint 1.64 and 2.15: text, JSON, both at once, and its SARIF and Checkstyle, which tell the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings"
NOWHERE = Path("/nonexistent")


def place(one: Finding) -> tuple[object, ...]:
    return one.path, one.line, one.column, one.rule, one.message


@pytest.mark.parametrize(("version", "count"), [("1", 10), ("2", 14)])
def test_every_form_tells_the_same(version: str, count: int) -> None:
    json = read.read_paths([DATA / "golangci" / f"v{version}.json"], root=NOWHERE)
    assert (len(json.findings), json.problems) == (count, ())
    both = read.read_paths([DATA / "golangci" / f"v{version}-both.txt"], root=NOWHERE)
    # Version 1 prints the report before the text, version 2 after it: the report's severities count either way.
    assert both.findings == json.findings
    for name in (f"sarif/golangci-v{version}.sarif", f"checkstyle/golangci-v{version}.xml"):
        other = read.read_paths([DATA / name], root=NOWHERE)
        assert [place(one) for one in other.findings] == [place(one) for one in json.findings]


def test_severities_and_ranges() -> None:
    found = read.read_paths([DATA / "golangci" / "v2.json"], root=NOWHERE).findings
    assert {(one.rule, one.severity) for one in found} == {
        ("errcheck", "error"), ("gofmt", "error"), ("govet", "error"), ("lll", "notice"),
        ("revive", "warning"), ("unused", "error"),
    }  # fmt: skip
    (ranged,) = (one for one in found if one.end_line)
    assert (ranged.path, ranged.line, ranged.column, ranged.end_line) == ("long.go", 11, 9, 13)
