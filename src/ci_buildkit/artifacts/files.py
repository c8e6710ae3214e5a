"""Exported files, moved out of the folder that BuildKit wrote."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from ci_buildkit.errors import said
from ci_buildkit.problem import Problem

# What a name in a zip file for Windows must not have: there `..\x` leads out of the folder, and the rest are no names.
NOT_ON_WINDOWS = frozenset('<>:"|?*\\') | frozenset(map(chr, range(32)))


class Taken(Struct):
    """What was moved to `folder`, by path, files and links; and what was not, and why. Messages call the folder `shown`."""

    folder: Path
    shown: str
    paths: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def miss(self, relative: Path, reason: str) -> None:
        """Say that a file is not there as it was exported."""
        shown = f"{self.shown}/{relative}".encode(errors="backslashreplace").decode()
        self.problems.append(Problem(shown, "inconsistent", reason))


def take(source: Path, taken: Taken, *, windows: bool) -> None:
    """Move every file below `source` to `taken.folder`, each with mode 755 or 644; what is there already must be equal.

    Links are kept where they lead to something inside. Raises OSError where the disk fails.
    """
    fit: list[Path] = []
    top = source.resolve()
    for relative in sorted(path.relative_to(source) for path in _walk(source, taken)):
        if reason := _unfit(source / relative, top, str(relative), windows=windows):
            taken.miss(relative, reason)
        else:
            fit.append(relative)
    for relative in fit:  # only now: a link is looked at while what it leads to is still there
        _move(source / relative, relative, taken)


def _move(path: Path, relative: Path, taken: Taken) -> None:
    target = taken.folder / relative
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        taken.miss(relative, "another binaries target exports a file that is a folder here")
        return
    if not (target.exists() or target.is_symlink()):
        shutil.move(path, target)
    elif not _same(path, target):
        reason = "two binaries targets export different files of this name; {target} in --archive-name keeps them apart"
        taken.miss(relative, reason)
        return
    taken.paths.append(target)


def _walk(source: Path, taken: Taken) -> Iterator[Path]:
    """Everything but folders. Folders that BuildKit made unreadable, as they were in the build, are opened first."""

    def unreadable(error: OSError) -> None:
        taken.problems.append(Problem(taken.shown, "unreadable", said(error)))

    source.chmod(0o755)
    for name, folders, files in os.walk(source, onerror=unreadable):
        at = Path(name)
        for folder in folders:
            if (at / folder).is_symlink():
                yield at / folder
            else:
                (at / folder).chmod(0o755)
        for file in files:
            path = at / file
            kind = path.lstat()
            if stat.S_ISREG(kind.st_mode):
                path.chmod(0o755 if kind.st_mode & 0o111 else 0o644)
            yield path


def _unfit(path: Path, top: Path, name: str, *, windows: bool) -> str:
    """Why a file cannot go into an archive; "" where it can."""
    leads = str(path.readlink()) if path.is_symlink() else ""
    for text, what in ((name, "the name"), (leads, "the name of what it is a link to")):
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"{what} is no valid UTF-8"
    if windows and NOT_ON_WINDOWS.intersection(name):
        return "Windows has no file of this name"
    if leads:
        if Path(leads).is_absolute():
            # BuildKit put the platform's folder before it.
            return (
                f"is a link to {leads.removeprefix(f'/{top.name}')}; make it relative, to where the archive is unpacked"
            )
        if not path.exists():
            return f"is a link to {leads}, which is not there"
        return "" if path.resolve().is_relative_to(top) else f"is a link to {leads}, out of the exported folder"
    return "" if path.is_file() else "is neither a file nor a link"


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
