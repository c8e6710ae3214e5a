"""When findings are a failure."""

from __future__ import annotations

import pytest

from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.policy import FailOn, count, verdict


def findings(*severities: Severity) -> list[Finding]:
    return [Finding("a", 1, None, None, None, severity, "r", "m", "t") for severity in severities]


@pytest.mark.parametrize(
    ("severities", "fail_on", "most", "expected"),
    [
        ([], "error", None, None),
        ([], "notice", 0, None),
        (["warning", "notice"], "error", None, None),
        (["error", "warning", "error"], "error", None, "2 errors"),
        (["error"], "error", 0, "1 error"),
        (["warning", "notice", "notice"], "warning", None, "1 warning, 2 notices"),
        (["notice"], "warning", None, "1 notice"),
        (["notice"], "notice", None, "1 notice"),
        (["error", "warning"], "nothing", None, None),
        (["error", "warning"], "nothing", 1, None),
        (["error", "warning"], "nothing", 0, "1 warning, 0 allowed"),
        (["warning"] * 1200, "error", 1100, "1,200 warnings, 1,100 allowed"),
        (["warning"] * 3, "error", 3, None),
        (["notice"] * 3, "error", 0, None),
    ],
)
def test_verdict(severities: list[Severity], fail_on: FailOn, most: int | None, expected: str | None) -> None:
    assert verdict(findings(*severities), fail_on, most) == expected


def test_errors_fail_unless_asked_otherwise() -> None:
    assert verdict(findings("error", "warning")) == "1 error"
    assert verdict(findings("warning")) is None


def test_count_is_in_the_order_of_severity() -> None:
    assert list(count(findings("notice", "error", "notice")).items()) == [("error", 1), ("warning", 0), ("notice", 2)]
