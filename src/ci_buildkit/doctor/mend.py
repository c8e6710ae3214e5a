"""Writes safe fixes into files: atomically, each line with the end it has, each file with the mode it has."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Protocol

from ci_buildkit import atomic
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.examine import Report
from ci_buildkit.doctor.lines import mended

PASSES = 25  # a fix may uncover the next mistake of its line


class Look(Protocol):
    """Examines. `asks` says whether docker and the machine are asked too, which have nothing that could be written."""

    def __call__(self, *, asks: bool) -> Report:
        """What is wrong now."""


def mend(look: Look) -> tuple[Report, dict[str, tuple[str, str]]]:
    """Apply what is safe until nothing changes. Returns what is left, and the texts before and after of changed files.

    Raises OutputError where a file cannot be written.
    """
    changed: dict[str, tuple[str, str]] = {}
    for _ in range(PASSES):
        report = look(asks=False)
        written = dict(_written(report.root, report.problems))
        for path, (before, after) in written.items():
            changed[path] = (changed.get(path, (before, after))[0], after)
        if not written:
            break
    return look(asks=True), {path: texts for path, texts in changed.items() if texts[0] != texts[1]}


def _written(root: Path, diagnoses: Iterable[Diagnosis]) -> Iterator[tuple[str, tuple[str, str]]]:
    safe = sorted((one for one in diagnoses if one.safe and one.fix is not None and one.path), key=lambda one: one.path)
    for path, fixes in groupby(safe, key=lambda one: one.path):
        file = _inside(root, path)
        if file is None:
            continue
        before = _text(file)
        after = mended(before, fixes)
        if after != before:
            mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
            atomic.write(file, after.encode("utf-8", "surrogateescape"))
            if mode is not None:
                file.chmod(mode)
            yield path, (before, after)


def _inside(root: Path, path: str) -> Path | None:
    """The file itself, links followed; None where it is not in the folder."""
    file = Path(os.path.realpath(root / path))
    return file if file.is_relative_to(os.path.realpath(root)) else None


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "surrogateescape") if file.exists() else ""


def diff(changed: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """The lines of a unified diff of what was changed."""
    for path, (before, after) in sorted(changed.items()):
        old = path if before else "/dev/null"
        yield from difflib.unified_diff(_rows(before), _rows(after), old, path, lineterm="")


def _rows(text: str) -> list[str]:
    """The lines; one without an end is told from the same with one."""
    rows = [row.removesuffix("\r") for row in text.split("\n")]
    return rows[:-1] if rows[-1] == "" else [*rows[:-1], f"{rows[-1]}\n\\ No newline at end of file"]
