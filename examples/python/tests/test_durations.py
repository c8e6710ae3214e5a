from __future__ import annotations

import pytest

from durations import DurationError, parse, write


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("1h30m", 5400), ("2d", 172800), ("1D 2H", 93600), ("0s", 0), ("90m", 5400)],
)
def test_parse(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1h 30", "1.5h", "-1h", "30m1h", "1h1h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(DurationError):
        parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (5400, "1h30m"), (90061, "1d1h1m1s")]
)
def test_write(seconds: int, text: str) -> None:
    assert write(seconds) == text


def test_nothing_is_less_than_nothing() -> None:
    with pytest.raises(DurationError, match="less than nothing"):
        write(-1)


@pytest.mark.parametrize("seconds", [1, 59, 60, 61, 3599, 86399, 86400, 10**9])
def test_what_was_written_can_be_read(seconds: int) -> None:
    assert parse(write(seconds)) == seconds
