"""Text made harmless, and how quantities are written."""

from __future__ import annotations

import io
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.report import text
from ci_buildkit.report.logfile import failure, head_and_tail, read_tail, tail

if TYPE_CHECKING:
    from pathlib import Path

NASTY = st.text(alphabet=st.sampled_from("\x1b\x9b\x07\r\n\t[]0;31mHJ\\P\u202ea \x00\udc80##[::"), max_size=40)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]never ended", "never ended"),
        ("\x1bP1$r\x1b\\dcs", "dcs"),
        ("\x1b(Bascii\x1b7", "ascii"),
        ("a\r\nb", "a\nb"),
        ("a\u202eb\u2066c\u2028d\x85e", "abcde"),
        ("bad\udc80byte", "bad\ufffdbyte"),
        ("nul\x00bell\x07", "nulbell"),
        ("plain ünïcödé 名前 🙂", "plain ünïcödé 名前 🙂"),
    ],
)
def test_plain_takes_control_away_and_leaves_text(raw: str, shown: str) -> None:
    assert text.plain(raw) == shown


@settings(deadline=None)
@given(NASTY)
def test_plain_leaves_nothing_that_controls(raw: str) -> None:
    shown = text.plain(raw)
    assert all(char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2069")
    shown.encode()


@settings(deadline=None)
@given(NASTY)
def test_one_line_and_inert_are_one_line(raw: str) -> None:
    assert "\n" not in text.one_line(raw)
    line = text.inert(raw)
    assert "\n" not in line
    assert "##[" not in line
    assert not line.lstrip().startswith("::")


def test_a_progress_bar_leaves_its_last_redraw() -> None:
    assert text.log_line("10%\r20%\r\x1b[2K100% done\r\n") == "100% done"
    assert text.log_line("\r\n") == ""
    assert text.log_line("10%\r  \r\n") == "10%"
    assert text.log_line("a\tb") == "a   b"
    assert text.log_line("\tindented  \n") == "    indented"
    assert text.log_line("two\nlinesX\r\n") == "two linesX"


def test_a_long_line_is_cut() -> None:
    assert len(text.log_line("x" * 100_000)) == 2000
    assert text.one_line("word " * 1000, 12) == "word word w…"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"), (0.0004, "0 s"), (0.0005, "0 s"), (0.0006, "1 ms"), (0.042, "42 ms"), (0.0994, "99 ms"),
        (0.0995, "0.1 s"), (0.5, "0.5 s"), (3.24, "3.2 s"), (59.94, "59.9 s"), (59.95, "1 min 00 s"), (60.4, "1 min 00 s"),
        (125, "2 min 05 s"), (3599.4, "59 min 59 s"), (3599.9, "1 h 00 min"), (3720, "1 h 02 min"), (7265, "2 h 01 min"),
        (float("inf"), "?"), (float("nan"), "?"),
    ],
)  # fmt: skip
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1449, "1.4 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (999_949_999, "999.9 MB"),
        (999_950_000, "1.0 GB"),
        (8_126_464, "8.1 MB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_size(count: int, shown: str) -> None:
    assert text.size(count) == shown


@pytest.mark.parametrize(
    ("raw", "lines", "characters", "shown"),
    [
        ("a\nb\nc\nd\n", 2, 100, "a\nb\n… 2 more lines"),
        ("\n\na\nb\nc\n\n", 2, 100, "a\nb\n… 1 more line"),
        ("a\nb", 5, 100, "a\nb"),
        ("a\nb", 2, 3, "a\nb"),
        ("a  \n\t\nb", 5, 100, "a\n\nb"),
        ("\n  Xa\nbX  \n", 5, 100, "  Xa\nbX"),
        ("\nXa\nbX\n", 5, 100, "Xa\nbX"),
        (" \na\nX\n", 1, 100, "\n… 2 more lines"),
        ("\x1b[31mred\x1b[0m", 5, 100, "red"),
        ("abcdef", 5, 6, "abcdef"),
        ("abcdefg", 5, 6, "abcde…\n…"),
        ("ab\ncdefghij\nk", 5, 6, "ab\ncd…\n… 1 more line"),
    ],
)
def test_excerpt_says_how_much_it_leaves_out(raw: str, lines: int, characters: int, shown: str) -> None:
    assert text.excerpt(raw, lines, characters) == shown


@pytest.mark.parametrize(
    ("raw", "characters", "shown"),
    [
        ("\nabcd\n", 6, "abcd"),
        ("abcdef", 6, "abcdef"),
        ("\n  XaX  \n", 20, "  XaX  "),
        ("\nXaX\n", 20, "XaX"),
        ("\nXbc" + "c" * 8 + "ddX\n", 8, "Xbc\n… 8 characters left out …\nddX"),
        ("\n Xb" + "c" * 8 + "dX \n", 8, " Xb\n… 8 characters left out …\ndX "),
        ("abcdefg", 6, "abc\n… 1 character left out …\nefg"),
        ("abcdefg", 5, "ab\n… 3 characters left out …\nfg"),
        ("\na\n" + "b" * 2000 + "\nc\n", 6, "a\n… 2,000 characters left out …\nc"),
        ("\x1b[1mab" + "c" * 10 + "d\x1b[0m", 12, "ab\n… 9 characters left out …\ncd"),
    ],
)
def test_of_a_longer_text_both_ends_are_shown(raw: str, characters: int, shown: str) -> None:
    assert text.ends(raw, characters) == shown


@pytest.mark.parametrize(
    ("raw", "lines", "characters", "shown"),
    [
        ("a\nb\n\n", 2, 100, ("a\nb", False)),
        ("a\nb\nc\n", 2, 100, ("b\nc", True)),
        ("a\nb", 2, 3, ("a\nb", False)),
        ("ab\nc", 2, 3, ("b\nc", True)),
        ("1%\r2%\n\x1b[31mred", 2, 100, ("2%\nred", False)),
    ],
)
def test_last_lines(raw: str, lines: int, characters: int, shown: tuple[str, bool]) -> None:
    assert text.last_lines(raw, lines, characters) == shown


@pytest.mark.parametrize(
    ("raw", "limit", "shown"),
    [("abcd", 4, "abcd"), ("abcde", 4, "abc…"), ("ab  cd", 5, "ab…"), ("  abc", 4, "  a…")],
)
def test_cut(raw: str, limit: int, shown: str) -> None:
    assert text.cut(raw, limit) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("::error::x", "\u00b7 ::error::x"),
        (" \t::error::x", "\u00b7 ::error::x"),
        ("a ::error::x", "a ::error::x"),
        ("##[error]x and ##vso[task.x]", "## [error]x and ## vso[task.x]"),
        ("## a [title]", "## a [title]"),
        ("\x1b[0m::error::x", "\u00b7 ::error::x"),
        ("a\nb", "a b"),
    ],
)
def test_what_a_runner_would_execute_is_inert(raw: str, shown: str) -> None:
    assert text.inert(raw) == shown


@pytest.mark.parametrize(
    ("raw", "limit", "shown"),
    [
        ("  a \t b\n\nc ", 0, "a b c"),
        ("x" * 5000, 0, "x" * 5000),
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        (" " * 30 + "abc", 4, "abc"),
        ("#x1B[31mred", 0, "red"),
    ],
)
def test_one_line(raw: str, limit: int, shown: str) -> None:
    assert text.one_line(raw, limit) == shown
    if limit == 0:
        assert text.one_line(raw) == shown


def test_place() -> None:
    assert text.place("a.go", 3, 7) == "a.go:3:7"
    assert text.place("a.go", 3) == "a.go:3"
    assert text.place("a\nb.go", 3) == "a b.go:3"
    assert text.place("x" * 301, 3) == "x" * 299 + "…:3"
    assert text.place("a.go") == "a.go"
    assert text.place("a.go", None, 7) == "a.go"
    assert text.place(None, 3) == ""


def test_say_survives_a_closed_stream_and_a_poor_encoding() -> None:
    poor = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert text.say(poor, "ok ✓")
    poor.seek(0)
    assert poor.read() == "ok \\u2713\n"
    poor.close()
    assert not text.say(poor, "gone")


def test_what_is_said_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("w", encoding="utf-8") as stream:
        assert text.say(stream, "not utf-8: \udc80")
        assert file.read_text("utf-8") == "not utf-8: \\udc80\n"
    none = io.StringIO()
    assert text.say(none, "ok ✓ \udc80")
    assert none.getvalue() == "ok ✓ \\udc80\n"


def test_a_stream_that_fails_ends_nothing() -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    assert text.say(Full(), "x") is False


class TestLogFile:
    def test_short_file_is_whole(self, tmp_path: Path) -> None:
        log = tmp_path / "lint.log"
        log.write_bytes(b"one\ntwo \xff\n\x1b[31mthree\x1b[0m")
        assert list(head_and_tail(log, 2, 2)) == ["one", "two \ufffd", "three"]
        assert tail(log, 2) == ["two \ufffd", "three"]
        assert read_tail(log) == "one\ntwo \ufffd\n\x1b[31mthree\x1b[0m"

    def test_a_long_file_says_what_is_left_out(self, tmp_path: Path) -> None:
        log = tmp_path / "lint.log"
        log.write_text("".join(f"line {number:06d}\n" for number in range(200_000)))
        lines = list(head_and_tail(log, 3, 4))
        assert lines[:3] == ["line 000000", "line 000001", "line 000002"]
        assert lines[3] == "… 2.4 MB left out here; the whole log is logs/lint.log in the report …"
        assert lines[4:] == ["line 199996", "line 199997", "line 199998", "line 199999"]

    def test_one_endless_line_costs_little(self, tmp_path: Path) -> None:
        log = tmp_path / "lint.log"
        with log.open("wb") as stream:
            stream.truncate(200_000_000)
        lines = list(head_and_tail(log, 2, 10))
        assert sum(len(line) for line in lines) < 20_000

    def test_a_failure_is_what_the_steps_printed(self, tmp_path: Path) -> None:
        log = tmp_path / "lint.log"
        steps = ["#9 [lint] RUN lint", "#9 1.0 a.go:1:2: wrong", '#9 1.1 {"Action":"run"}', "#9 ERROR: exit code: 1"]
        log.write_text(
            "\n".join([*steps, "Dockerfile:29", "----", "29 | >>> RUN lint", "ERROR: failed to build"]) + "\n"
        )
        assert failure(log, 2) == ["#9 1.0 a.go:1:2: wrong", "#9 ERROR: exit code: 1"]
        # Without a failed step, what buildx says is all there is.
        log.write_text("#1 DONE\nERROR: no such builder\n")
        assert failure(log, 5) == ["#1 DONE", "ERROR: no such builder"]
        assert failure(tmp_path / "none", 5) == []

    def test_a_missing_file_is_said(self, tmp_path: Path) -> None:
        assert list(head_and_tail(tmp_path / "x.log", 1, 1)) == ["(the log cannot be read: No such file or directory)"]
        assert tail(tmp_path / "x.log", 1) == []
        assert read_tail(tmp_path / "x.log") == ""
