from __future__ import annotations

import pytest

from ci_buildkit.scaffold import ranges

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.10", "3.9")
NODES = ("24", "26", "22", "20")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (">=3.9", "3.11"),
        (">=3.12,<4", "3.12"),
        ("^3.12", "3.12"),
        ("~=3.13", "3.13"),
        ("~=3.13.1", "3.13"),
        ("==3.12.*", "3.12"),
        ("==3.9.18", "3.9"),
        (">=3.11,!=3.11.*", "3.12"),
        (">=3.11,!=3.11.2", "3.11"),
        (">3.11,<3.14", "3.12"),
        (">3.11.4", "3.11"),
        ("<3.11", "3.10"),
        ("<3.11.5,>3.10", "3.11"),
        (">= 3.14", "3.14"),
        (">=3.20", ""),
        ("<3", ""),
        ("", ""),
        ("whatever", ""),
    ],
)  # fmt: skip
def test_python(asked: str, chosen: str) -> None:
    assert ranges.choose(asked, PYTHONS) == chosen


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (">=18", "24"),
        ("^20.19.0 || ^22.13.0 || >=26", "26"),
        ("^20.19.0 || ^22.13.0", "22"),
        (">=20 <24", "22"),
        ("20 - 22", "22"),
        ("22.x", "22"),
        ("v22", "22"),
        ("~22.1", "22"),
        ("*", "24"),
        (">=25", "26"),
        ("<20", ""),
        ("lts/*", ""),
    ],
)
def test_node(asked: str, chosen: str) -> None:
    assert ranges.choose(asked, NODES) == chosen


@pytest.mark.parametrize(
    ("text", "version"),
    [("v22.11.0", "22.11.0"), ("3.12", "3.12"), ("24\n", "24"), ("20.x", ""), (">=3", ""), ("", "")],
)
def test_exact(text: str, version: str) -> None:
    assert ranges.exact(text) == version
