"""pylint's text in all of its formats, and those who imitate it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "pylint"


def findings(name: str, root: Path) -> tuple[Finding, ...]:
    found = read.read_paths([DATA / f"{name}.txt"], root=root)
    assert found.problems == ()
    return found.findings


@pytest.mark.parametrize("name", ["pylint", "pylint-colour", "pylint-parseable", "pylint-msvs"])
def test_every_format_says_the_same(name: str, shop: Path) -> None:
    found = findings(name, shop)
    assert Counter(one.severity for one in found) == {"error": 8, "warning": 7, "notice": 13}
    assert {one.tool for one in found} == {"pylint"}
    said = sorted((one.path, one.line or 0, one.rule, one.message.split("\n")[0]) for one in found)
    assert said == sorted(
        (one.path, one.line or 0, one.rule, one.message.split("\n")[0]) for one in findings("pylint", shop)
    )
    duplicate = found[-1]
    assert (duplicate.path, duplicate.line, duplicate.rule) == ("app/two.py", 1, "duplicate-code")
    assert duplicate.message.split("\n")[:3] == ["Similar lines in 2 files", "==one:[5:14]", "==two:[5:14]"]


def test_columns_begin_at_one(shop: Path) -> None:
    first = findings("pylint", shop)[0]
    assert first == Finding(
        "app/broken.py", 1, 8, None, None, "error", "syntax-error",
        "Parsing failed: 'invalid syntax (broken, line 1)'", "pylint",
    )  # fmt: skip
    assert findings("pylint-parseable", shop)[0].column is None


def test_a_clean_report(shop: Path) -> None:
    assert findings("pylint-clean", shop) == ()


def test_imitators(shop: Path) -> None:
    found = findings("ruff-pylint", shop)
    assert len(found) == 13
    assert (found[0].rule, found[0].tool, found[0].severity) == ("invalid-syntax", "ruff", "error")
    assert found[3].rule == "F401"


def test_copied_code_that_never_ends_is_bounded(tmp_path: Path) -> None:
    lines = [
        "a.py:1:0: R0801: Similar lines in 2 files",
        "==a:[1:99]",
        *["    code"] * 5_000,
        "b.py:2:0: C0114: m (x-y)",
    ]
    first, second = read.read_log(lines, name="log", root=tmp_path).findings
    assert (first.rule, first.message.count("\n")) == ("R0801", 30)
    assert first.message.endswith(" more lines")
    assert second.rule == "x-y"
