"""ShellCheck's two forms of JSON, as ShellCheck 0.11 wrote them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "shellcheck"
NOWHERE = Path("/nonexistent")


def test_both_forms_tell_the_same() -> None:
    old, new = (read.read_paths([DATA / name], root=NOWHERE) for name in ("json.json", "json1.json"))
    assert old == new
    assert Counter(one.severity for one in new.findings) == {"error": 3, "warning": 2, "notice": 4}
    assert new.findings[3] == Finding(
        "run.sh", 2, 10, None, 21, "error", "SC2045", "Iterating over ls output is fragile. Use globs.", "shellcheck",
        "https://github.com/koalaman/shellcheck/wiki/SC2045",
    )  # fmt: skip


def test_a_tab_is_one_character_in_both(tmp_path: Path) -> None:
    (tmp_path / "tab.sh").write_text("#!/bin/sh\n\techo $1\n")
    for name in ("tab.json", "tab1.json"):
        (one,) = read.read_paths([DATA / name], root=tmp_path).findings
        assert (one.column, one.end_column) == (7, 9)


def test_a_clean_report() -> None:
    found = read.read_paths([DATA / "clean1.json"], root=NOWHERE)
    assert (found.findings, found.problems) == ((), ())
