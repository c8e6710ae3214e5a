"""Text that any program may have printed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit import lines, text


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("never \x1b]0;ended", "never 0;ended"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("\ud800x\ufffe\x00\x7f\x85", "\ufffdx\x85"),
        ("#x1B[31mred#x1B[0m", "red"),
        ("tab\tstays", "tab\tstays"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_clean(dirty: str, clean: str) -> None:
    assert text.clean(dirty) == clean


@given(st.text())
def test_clean_is_final_and_can_be_written(any_text: str) -> None:
    once = text.clean(any_text)
    assert text.clean(once) == once
    once.encode("utf-8")
    assert "\x1b" not in once
    assert "\r" not in once


@given(st.lists(st.text(max_size=50), max_size=30), st.integers(2, 60))
def test_an_excerpt_keeps_both_ends(pieces: list[str], limit: int) -> None:
    kept = text.Excerpt(limit)
    for piece in pieces:
        kept.add(piece)
    whole = "".join(pieces)
    if len(whole) <= limit // 2 * 2:
        assert kept.text() == whole
    else:
        assert kept.text().startswith(whole[: limit // 2])
        assert kept.text().endswith(whole[-(limit // 2) :])
        assert f" {len(whole) - limit // 2 * 2} characters left out " in kept.text()


def test_names_and_first_lines_are_one_line() -> None:
    assert text.name("a\nb\tc") == "a b c"
    assert len(text.name("x" * 10_000)) == text.MAX_NAME
    assert text.first_line("\n  \n  first \nsecond") == "first"
    assert text.block("\n\n  a\n b \n\n") == "  a\n b"


def test_lines_of_any_file() -> None:
    assert list(lines.lines(io.BytesIO(b"a\r\nb\xff\n\nlast"))) == ["a", "b\ufffd", "", "last"]
    assert list(lines.lines(io.BytesIO("a\nb".encode("utf-16")))) == ["a", "b"]
    with pytest.raises(lines.TooLong):
        list(lines.lines(io.BytesIO(b"x" * 100), 50))
    assert lines.without_progress_prefix("#12 0.345 main.go:1: x") == "main.go:1: x"
    assert lines.without_progress_prefix("# heading") == "# heading"
