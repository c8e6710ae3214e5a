"""rdjson as Ruff wrote it, and rdjson and rdjsonl after reviewdog's protocol definition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "rdjson"
NOWHERE = Path("/nonexistent")


def test_what_ruff_wrote() -> None:
    found = read.read_paths([DATA / "ruff.json"], root=NOWHERE)
    assert found.problems == ()
    assert found.findings[1] == Finding(
        "/src/py/app.py", 1, 8, None, 10, "warning", "F401", "`os` imported but unused", "ruff",
        "https://docs.astral.sh/ruff/rules/unused-import",
    )  # fmt: skip
    assert len(found.findings) == 14


def diagnostic(**fields: Any) -> dict[str, Any]:
    where = {"path": "/app/a.py", "range": {"start": {"line": 1, "column": 11}, "end": {"column": 15}}}
    return {"message": "m", "location": where, "code": {"value": "R"}, **fields}


def document(*diagnostics: object, tool: str = "mine", **fields: object) -> str:
    return json.dumps({"source": {"name": tool}, "diagnostics": diagnostics, **fields})


@pytest.mark.parametrize(("tool", "columns"), [("mine", (8, 12)), ("ruff", (11, 15))])
def test_columns_are_bytes_but_for_ruff(tool: str, columns: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x='😀'; call()\n", encoding="utf-8")
    (tmp_path / "r.json").write_text(document(diagnostic(), tool=tool))
    (one,) = read.read_paths([tmp_path / "r.json"], root=tmp_path).findings
    assert (one.path, one.line, one.column, one.end_column, one.tool) == ("a.py", 1, *columns, tool)


@pytest.mark.parametrize(
    ("own", "whole", "severity"),
    [
        ("ERROR", "INFO", "error"),
        (None, "INFO", "notice"),
        ("UNKNOWN_SEVERITY", "WARNING", "warning"),
        (None, None, "error"),
        (2, None, "warning"),
        (3, "ERROR", "notice"),
        (0, "WARNING", "warning"),
    ],
)
def test_severities(own: object, whole: object, severity: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(document(diagnostic(severity=own), severity=whole))
    (one,) = read.read_paths([tmp_path / "r.json"], root=NOWHERE).findings
    assert one.severity == severity


def test_lines_in_a_file_and_in_a_log(tmp_path: Path) -> None:
    lines = [
        json.dumps(diagnostic(source={"name": "l"}, severity="INFO")),
        json.dumps({"message": "whole file", "location": {"path": "b.py"}}),
    ]
    (tmp_path / "r.jsonl").write_text("\n".join(lines) + "\n")
    found = read.read_paths([tmp_path / "r.jsonl"], root=NOWHERE)
    assert [(one.path, one.line, one.tool, one.rule) for one in found.findings] == [
        ("/app/a.py", 1, "l", "R"),
        ("b.py", None, "rdjson", "rdjson"),
    ]
    request = json.dumps({"time": "10:00", "message": "GET", "location": {"path": "/index.html"}})
    log = ["building", request, lines[0], '{"other": 1}', "{not json", lines[1], "done"]
    told = read.read_log(log, name="log", root=NOWHERE)
    assert told.findings == found.findings
    (tmp_path / "cut.jsonl").write_text(lines[0] + "\n" + lines[1][:-9])
    found = read.read_paths([tmp_path / "cut.jsonl"], root=NOWHERE)
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (1, ["unreadable"])


def test_a_clean_report(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(document())
    found = read.read_paths([tmp_path / "r.json"])
    assert (found.findings, found.problems) == ((), ())
    (tmp_path / "r.json").write_text('{"diagnostics": []}')
    found = read.read_paths([tmp_path / "r.json"])
    assert (found.findings, found.problems) == ((), ())


def test_a_line_that_is_cut_before_its_message_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps(diagnostic()) + '\n{"loca')
    found = read.read_paths([tmp_path / "r.jsonl"], root=NOWHERE)
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (1, ["unreadable"])
    log = [json.dumps(diagnostic()), "{", "{not json", '{"other": 1}']
    assert read.read_log(log, name="log", root=NOWHERE).problems == ()
