"""BuildKit's checks: what is one, and what only looks like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.buildkit import READER
from ci_buildkit.scan import Head

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize(
    ("document", "known"),
    [
        ({"warnings": None, "sources": []}, True),
        ({"warnings": []}, True),
        ({"buildError": {"message": "m"}, "sources": []}, True),
        ({"warnings": [{"ruleName": "R"}], "sources": []}, True),
        ({"target": {"a": {"build": {}, "check": {"warnings": []}}}}, True),
        ({"target": {"a": {"context": "."}}}, False),
        ({"warnings": [{"text": "another tool's"}]}, False),
        ({"warnings": [], "results": []}, False),
        ({"numFailedTests": 0, "warnings": []}, False),
        (["warnings"], False),
    ],
)
def test_what_is_a_check(document: object, known: bool) -> None:
    text = json.dumps(document)
    assert READER.sniff(Head(text.encode(), text)) is known


def test_a_check_that_was_cut_off_keeps_its_warnings(tmp_path: Path) -> None:
    place = {"ranges": [{"start": {"line": 2}, "end": {"line": 3}}]}
    warning = {"ruleName": "R", "detail": "d", "url": "javascript:x", "location": place}
    text = json.dumps({"warnings": [warning, warning | {"detail": "e"}], "sources": [{"filename": "Dockerfile"}]})
    (tmp_path / "check.json").write_text(text[:-30])
    found = read.read_paths([tmp_path / "check.json"], root=NOWHERE)
    assert [(one.path, one.line, one.end_line, one.message, one.url) for one in found.findings] == [
        ("Dockerfile", 2, 3, "d", None),
        ("Dockerfile", 2, 3, "e", None),
    ]
    assert [problem.kind for problem in found.problems] == ["unreadable"]
