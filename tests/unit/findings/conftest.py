"""The project that the reports of linters in tests/data/findings are about, with its files' own names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "data" / "findings" / "shop"


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its root. In tests/data each name ends in `.txt`, so that nothing compiles or lints them."""
    root = tmp_path_factory.mktemp("shop")
    for source in SOURCES.rglob("*.txt"):
        target = root / source.relative_to(SOURCES).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return root
