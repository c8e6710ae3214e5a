"""The programs of `tests/data/binaries`."""

from __future__ import annotations

import lzma
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "binaries"
NAMES = sorted(path.stem for path in FOLDER.glob("*.xz"))


@cache
def sample(name: str) -> bytes:
    """A program as its linker wrote it, with zeros for code and data."""
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes())
