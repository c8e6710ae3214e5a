"""Hadolint's JSON, as Hadolint wrote it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "hadolint"
NOWHERE = Path("/nonexistent")


def test_what_hadolint_wrote() -> None:
    found = read.read_paths([DATA / "hadolint.json"], root=NOWHERE)
    assert found.problems == ()
    assert Counter(one.severity for one in found.findings) == {"error": 3, "warning": 5, "notice": 2}
    assert found.findings[0] == Finding(
        "Broken.Dockerfile", 2, 4, None, None, "error", "DL1000", "missing whitespace", "hadolint",
        "https://github.com/hadolint/hadolint/wiki/DL1000",
    )  # fmt: skip
    shell = found.findings[-1]
    assert (shell.rule, shell.url) == ("SC2086", "https://github.com/koalaman/shellcheck/wiki/SC2086")
