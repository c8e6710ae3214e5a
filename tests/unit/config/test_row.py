"""One line of comma-separated values."""

from __future__ import annotations

import pytest

from ci_buildkit.config.row import fields, written
from ci_buildkit.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n", []),
        ("a=b, c", ["a=b", "c"]),
        ('a, "b=1,2"', ["a", "b=1,2"]),
        ('"a\nb"', ["a\nb"]),
        ('"open', ["open"]),
    ],
)
def test_values(text: str, found: list[str]) -> None:
    assert fields(text, "--x") == found


def test_several_lines_are_refused_without_telling_them() -> None:
    with pytest.raises(ConfigurationError, match="--login: it is not one line") as caught:
        fields("canary\nb", "--login")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("values", [["a=b"], ["a,b", 'c"d', "e"], ["a\nb", "c"], ["", "x"]])
def test_what_is_written_is_read_again(values: list[str]) -> None:
    assert fields(written(values), "--x") == values
