"""What a log's readers collect: each finding and problem once, in order, and not without end."""

from __future__ import annotations

from pathlib import Path

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source


def collector(limit: int = 10) -> Findings:
    return Findings(Source("log", PathMapper(None, Path("/nonexistent")), Limits(findings=limit)))


def finding(line: int, message: str = "m") -> Finding:
    return Finding("a.py", line, None, None, None, "error", "r", message, "t")


def test_each_once_findings_before_problems() -> None:
    kept = collector()
    cut, odd = Problem("log", "unreadable", "is cut off"), Problem("log", "inconsistent", "is odd")
    kept.extend([finding(2), cut, finding(1), odd, finding(2), cut])
    kept.add(finding(1))
    assert list(kept) == [finding(2), finding(1), cut, odd]


def test_one_more_than_the_limit_tells_that_it_was_passed() -> None:
    kept = collector(3)
    kept.extend(finding(line) for line in range(1, 10))
    assert list(kept) == [finding(line) for line in (1, 2, 3, 4)]


def test_a_very_long_message_keeps_its_start_and_end_and_one_that_fits_is_the_same_object() -> None:
    kept = collector()
    short = finding(1)
    kept.add(short)
    kept.add(finding(2, "start" + "x" * 200_000 + "end"))
    one, two = kept
    assert one is short
    assert isinstance(two, Finding)
    assert two.line == 2
    assert two.message.startswith("startx")
    assert two.message.endswith("xend")
    assert len(two.message) < 70_000
