"""Lines and fields: the comma-separated grammar."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.jsnumber import number
from ci_buildkit.tags.records import BLANK, fields, halves, lines

GRAMMAR = st.text(alphabet='ab,"=#\n\r \\é', max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n", []),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("# a comment\na # no comment\n#x", ["a # no comment"]),
        ("a,#b", ["a,#b"]),
        ("type=match,\"pattern=a,b\"\n'x'", ['type=match,"pattern=a,b"', "'x'"]),
        ('"one,field"', ["one,field"]),
        ('"over\ntwo rows"\nc', ["over\ntwo rows", "c"]),
        ('mid"quote,"x"', ['mid"quote,"x"']),
        ('"a" b', ['"a" b']),
        ("\ufeff a ", ["a"]),
    ],
)
def test_lines(text: str, expected: list[str]) -> None:
    assert lines([text]) == expected


def test_labels_are_no_fields() -> None:
    assert lines(['key={"a":1,"b":2}', "l=a,b"], fields_follow=False) == ['key={"a":1,"b":2}', "l=a,b"]


@pytest.mark.parametrize("line", ['a"b', '"a"b', '"a'])
def test_quotes_out_of_place(line: str) -> None:
    with pytest.raises(ConfigurationError):
        fields(line)


@pytest.mark.parametrize(
    ("field", "expected"), [("a", None), ("A = b ", ("a", "b")), ("a=b=c", ("a", "b")), ("=", ("", ""))]
)
def test_halves(field: str, expected: tuple[str, str] | None) -> None:
    assert halves(field) == expected


@settings(deadline=None)
@given(st.lists(st.text(alphabet='ab,"=# é', min_size=1, max_size=8).filter(lambda f: f.strip(BLANK)), min_size=2))
def test_fields_survive_a_line(values: list[str]) -> None:
    """What is quoted as the hint says comes back as it was, but for white space around it."""
    line = ",".join('"' + value.replace('"', '""') + '"' for value in values)
    assert fields(line) == [value.strip(BLANK) for value in values]
    assert fields(lines([line])[0]) == [value.strip(BLANK) for value in values]


@settings(deadline=None)
@given(GRAMMAR)
def test_every_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        for line in lines([text]):
            assert line == line.strip(BLANK)
            assert fields(line)


@pytest.mark.parametrize(
    ("text", "value"), [("", 0), (" 7 ", 7), ("0x10", 16), ("1e3", 1000), (".5", 0.5), ("-1", -1), ("0b11", 3)]
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["abc", "1_000", "-0x1", "1 2", "٣", "inf", "nan"])
def test_no_numbers(text: str) -> None:
    assert number(text) != number(text)
