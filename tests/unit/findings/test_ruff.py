"""Ruff's JSON, as Ruff wrote it."""

from __future__ import annotations

import json
from pathlib import Path

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "ruff"
NOWHERE = Path("/nonexistent")
UNUSED = Finding(
    "/src/py/app.py", 1, 8, None, 10, "error", "F401", "`os` imported but unused", "ruff",
    "https://docs.astral.sh/ruff/rules/unused-import",
)  # fmt: skip


def test_an_array_lines_and_lines_of_a_log_tell_the_same() -> None:
    array = read.read_paths([DATA / "ruff.json"], root=NOWHERE)
    assert array.problems == ()
    assert len(array.findings) == 14
    assert array.findings[1] == UNUSED
    assert [(one.rule, one.line, one.end_line, one.end_column) for one in array.findings[-3:]] == [
        ("S110", 10, 11, 13),
        ("invalid-syntax", 1, None, 8),
        ("invalid-syntax", 2, None, None),
    ]
    assert read.read_paths([DATA / "lines.jsonl"], root=NOWHERE) == array
    log = ["ruff check", *(DATA / "lines.jsonl").read_text().splitlines(), "exit 1"]
    assert read.read_log(log, name="log", root=NOWHERE).findings == array.findings


def test_a_clean_report() -> None:
    found = read.read_paths([DATA / "clean.json"])
    assert (found.findings, found.problems) == ((), ())


def test_a_cell_of_a_notebook_is_no_line_of_the_file(tmp_path: Path) -> None:
    item = {"cell": 3, "code": "E1", "filename": "n.ipynb", "location": {"row": 2, "column": 1}, "message": "m"}
    (tmp_path / "ruff.json").write_text(json.dumps([item, {**item, "code": None, "cell": None}]))
    first, second = read.read_paths([tmp_path / "ruff.json"], root=NOWHERE).findings
    assert (first.line, first.message) == (None, "cell 3, line 2: m")
    assert (second.line, second.rule) == (2, "invalid-syntax")


def test_what_is_cut_off(tmp_path: Path) -> None:
    lines = (DATA / "lines.jsonl").read_text()
    (tmp_path / "r.jsonl").write_text(lines[:-100])
    found = read.read_paths([tmp_path / "r.jsonl"], root=NOWHERE)
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (13, ["unreadable"])
    (tmp_path / "r.json").write_text((DATA / "ruff.json").read_text()[:-600])
    found = read.read_paths([tmp_path / "r.json"], root=NOWHERE)
    assert (len(found.findings) >= 12, [problem.kind for problem in found.problems]) == (True, ["unreadable"])


def test_a_finding_about_a_whole_file_has_no_location(tmp_path: Path) -> None:
    item = {"cell": None, "code": "E902", "filename": "a.py", "location": None, "message": "m", "noqa_row": None}
    for name, text in (("r.json", json.dumps([item])), ("r.jsonl", json.dumps(item))):
        (tmp_path / name).write_text(text)
        (one,) = read.read_paths([tmp_path / name], root=NOWHERE).findings
        assert (one.path, one.line, one.rule) == ("a.py", None, "E902")
