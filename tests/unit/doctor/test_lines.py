"""Fixes written into a text."""

from __future__ import annotations

import pytest

from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.lines import mended, split


def fix(line: int | None, text: str | None) -> Diagnosis:
    return Diagnosis("Dockerfile", line, "rule", "error", "message", text, safe=True)


def test_only_a_line_feed_ends_a_line() -> None:
    assert split("a\r\nb\x0cc\u2028d\n\ne") == ("a", "b\x0cc\u2028d", "", "e")
    assert split("") == ()


@pytest.mark.parametrize(
    ("text", "fixes", "result"),
    [
        ("a\nb\nc\n", [fix(2, "B")], "a\nB\nc\n"),
        ("a\r\nb\r\n", [fix(1, "x\ny")], "x\r\ny\r\nb\r\n"),
        ("a\nb", [fix(2, "b\n")], "a\nb\n"),
        ("a\r\nb", [fix(2, "b\n")], "a\r\nb\r\n"),
        ("a\n", [fix(1, "first"), fix(1, "second")], "first\n"),
        ("a\n", [fix(None, "new/")], "a\nnew/\n"),
        ("a", [fix(None, "new/")], "a\nnew/\n"),
        ("", [fix(None, "new/")], "new/\n"),
        ("new/\n", [fix(None, "new/")], "new/\n"),
        ("a\n", [fix(None, "x"), fix(None, "x"), fix(None, "y")], "a\nx\ny\n"),
        ("a\n", [fix(1, None), fix(9, "far away")], "a\n"),
    ],
)
def test_lines_are_replaced_or_added_with_the_ends_that_the_file_has(
    text: str, fixes: list[Diagnosis], result: str
) -> None:
    assert mended(text, fixes) == result
