"""ESLint's JSON, as ESLint 10 wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "eslint"
NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize("name", ["eslint", "metadata"])
def test_what_eslint_wrote(name: str) -> None:
    found = read.read_paths([DATA / f"{name}.json"], root=NOWHERE)
    assert found.problems == ()
    url = "https://eslint.org/docs/latest/rules/{}" if name == "metadata" else None
    assert found.findings[0] == Finding(
        "/src/web/a.js", 1, 7, None, 13, "warning", "no-unused-vars",
        "'unused' is assigned a value but never used.", "eslint", url and url.format("no-unused-vars"),
    )  # fmt: skip
    assert [(one.line, one.column, one.end_line, one.end_column) for one in found.findings if one.rule == "semi"] == [
        (1, 17, None, None), (3, 24, None, 25), (4, 45, None, None), (1, 20, None, None),
    ]  # fmt: skip
    # `"😀😀"` before it is two characters and four UTF-16 units.
    assert [(one.column, one.end_column) for one in found.findings if one.rule == "no-debugger"] == [(23, 32)]
    (broken,) = (one for one in found.findings if one.path.endswith("broken.js"))
    assert (broken.rule, broken.severity, broken.line, broken.column) == ("parsing-error", "error", 1, 11)


def test_columns_by_the_repositorys_line_where_the_report_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('x = "😀😀"; debugger\n', encoding="utf-8")
    message = {"ruleId": "no-debugger", "severity": 2, "message": "m", "line": 1, "column": 13, "endColumn": 21}
    report = [{"filePath": "/app/a.js", "messages": [message]}]
    file = tmp_path / "eslint.json"
    file.write_text(json.dumps(report))
    (one,) = read.read_paths([file], root=tmp_path).findings
    assert (one.path, one.column, one.end_column) == ("a.js", 11, 19)
    (tmp_path / "a.js").unlink()
    (one,) = read.read_paths([file], root=tmp_path).findings
    assert (one.column, one.end_column) == (13, 21)


def test_suppressed_messages_are_left_out_and_cut_reports_keep_the_rest(tmp_path: Path) -> None:
    one = {"ruleId": "r", "severity": 1, "message": "m", "line": 1, "column": 1}
    file = tmp_path / "eslint.json"
    file.write_text(json.dumps([{"filePath": "a.js", "messages": [], "suppressedMessages": [one]}]))
    assert read.read_paths([file], root=NOWHERE).findings == ()
    text = json.dumps([{"filePath": "a.js", "messages": [one, one]}])
    file.write_text(text[: text.rindex("{") - 2])
    found = read.read_paths([file], root=NOWHERE)
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (1, ["unreadable"])


def test_only_a_file_that_could_not_be_parsed_is_a_parsing_error(tmp_path: Path) -> None:
    messages = [
        {
            "ruleId": None,
            "fatal": True,
            "severity": 2,
            "message": "Parsing error: Unexpected token",
            "line": 1,
            "column": 1,
        },
        {"ruleId": None, "severity": 1, "message": "Unused eslint-disable directive", "line": 2, "column": 1},
        {
            "ruleId": None,
            "fatal": False,
            "severity": 1,
            "message": "File ignored because of a matching ignore pattern.",
        },
    ]
    file = tmp_path / "eslint.json"
    file.write_text(json.dumps([{"filePath": "a.js", "messages": messages}]))
    found = sorted((one.line or 0, one.rule) for one in read.read_paths([file], root=NOWHERE).findings)
    assert found == [(0, "warning"), (1, "parsing-error"), (2, "warning")]
