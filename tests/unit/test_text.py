"""Words for quantities."""

from __future__ import annotations

from ci_buildkit import text


def test_plural() -> None:
    assert [text.plural(number, "test") for number in (0, 1, 2, 1024)] == [
        "0 tests",
        "1 test",
        "2 tests",
        "1,024 tests",
    ]
