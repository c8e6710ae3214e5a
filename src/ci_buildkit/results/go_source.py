"""Where a Go test is declared, for failures that name no line: an example, a parent of subtests, a bare t.Fail."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ci_buildkit.paths import PathMapper

_FUNCTION = re.compile(r"^func ((?:Test|Example|Fuzz|Benchmark)\w*)\(", re.MULTILINE)
_MAX_FILES = 1_000
_MAX_SIZE = 4 * 1024 * 1024


def declared(package: str, test_name: str, mapper: PathMapper) -> tuple[str | None, int | None]:
    """The file and the 1-based line of the function that `test_name` or its parent is; (None, None) if not found."""
    return _functions(package, mapper).get(test_name.partition("/")[0], (None, None))


@lru_cache(maxsize=256)
def _functions(package: str, mapper: PathMapper) -> dict[str, tuple[str, int]]:
    """The tests of a package whose folder is known, by name."""
    inside = mapper.go_file(package, "x_test.go")
    folder = inside.path.rpartition("/")[0]
    found: dict[str, tuple[str, int]] = {}
    if not inside.known:
        return found
    for file in _test_files(mapper.root / folder):
        path = f"{folder}/{file.name}" if folder else file.name
        text = _text(file)
        for function in _FUNCTION.finditer(text):
            found.setdefault(function[1], (path, text.count("\n", 0, function.start()) + 1))
    return found


def _test_files(folder: Path) -> Iterator[Path]:
    try:
        files = sorted(folder.glob("*_test.go"))
    except OSError:
        return
    yield from files[:_MAX_FILES]


def _text(file: Path) -> str:
    try:
        if file.is_symlink() or file.stat().st_size > _MAX_SIZE:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
