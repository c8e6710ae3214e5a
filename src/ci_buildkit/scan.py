"""The files that the PATH arguments of `results` and `findings` name: files, folders (recursive) and globs.

Nothing outside of a folder that was named is read: symbolic links that lead out of it are reported, not followed.
"""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.paths import display
from ci_buildkit.problem import Problem
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_FILES = 100_000
"""Files looked at for one command; more is a problem of kind `limit`."""
_MAX_JSON = 64 * 1024 * 1024
_SKIPPED = frozenset({".git", "__pycache__"})


class Head(Struct, frozen=True):
    """The start of a file, by which a reader knows its format: its bytes, and the same as text."""

    data: bytes
    text: str


class Found(Struct, frozen=True):
    """A regular file. `name` is how reports call it; `explicit` says that the user named it and no folder did."""

    path: Path
    name: str
    explicit: bool


class Scan(Struct, frozen=True):
    """Every file once, in the order of the arguments and then of names, and what could not be looked at."""

    files: tuple[Found, ...]
    problems: tuple[Problem, ...]


def scan(paths: Sequence[str | Path], *, limit: int = MAX_FILES) -> Scan:
    """The files that `paths` name. A path that names nothing is a problem of kind `missing`."""
    files: list[Found] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for found in (item for path in paths for item in _expand(str(path))):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        real = os.path.realpath(found.path)
        if real in seen:
            continue
        if len(files) == limit:
            problems.append(Problem(found.name, "limit", f"more than {limit} files; name the reports more closely"))
            break
        seen.add(real)
        files.append(found)
    return Scan(tuple(files), tuple(problems))


def _expand(text: str) -> Iterator[Found | Problem]:
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except ValueError:
        yield Problem(name(text), "missing", "the path holds a NUL byte")
    except OSError as error:
        if isinstance(error, PermissionError):
            yield Problem(name(text), "unreadable", f"cannot be looked at: {error.strerror}")
        elif glob.has_magic(text):
            yield from _glob(text)
        elif path.is_symlink():
            yield Problem(name(text), "missing", "is a symbolic link to nothing")
        else:
            yield Problem(name(text), "missing", "no such file or folder")
    else:
        yield from _folder(path) if stat.S_ISDIR(mode) else _file(path, mode, explicit=True)


def _file(path: Path, mode: int, *, explicit: bool) -> Iterator[Found | Problem]:
    if stat.S_ISREG(mode):
        yield Found(path, display(path), explicit)
    elif explicit:
        yield Problem(display(path), "unreadable", "is neither a regular file nor a folder")


def _glob(pattern: str) -> Iterator[Found | Problem]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        yield Problem(name(pattern), "missing", "matches no file")
    base = Path(*_before_magic(Path(pattern).parts))
    seen: set[Path] = set()
    told: set[Problem] = set()
    for path in map(Path, matches):
        # glob follows links, and one that leads to a folder above it without an end.
        place = Path(os.path.realpath(path.parent), path.name)
        if place in seen:
            continue
        seen.add(place)
        problems = [problem for link in _links(path, base) for problem in _link(link, base)]
        if problems:
            yield from (problem for problem in problems if problem not in told)
            told.update(problems)
        elif not path.is_dir():
            yield from _inside(path, base, explicit=True)
        elif not pattern.rstrip("/").endswith("**"):
            yield from _folder(path)


def _links(path: Path, base: Path) -> Iterator[Path]:
    """The symbolic links that lead from `base` to `path`."""
    return (
        one for one in (*reversed(path.parents), path) if one != base and one.is_relative_to(base) and one.is_symlink()
    )


def _before_magic(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        if glob.has_magic(part):
            return
        yield part


def _folder(folder: Path) -> Iterator[Found | Problem]:
    failed: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=failed.append):
        for error in failed:
            yield Problem(display(Path(error.filename)), "unreadable", f"cannot be listed: {error.strerror}")
        failed.clear()
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        for folder_name in folders:
            link = Path(where, folder_name)
            if link.is_symlink():
                yield from _link(link, folder)
        for file in sorted(files):
            yield from _inside(Path(where, file), folder, explicit=False)
    for error in failed:
        yield Problem(display(Path(error.filename)), "unreadable", f"cannot be listed: {error.strerror}")


def _inside(path: Path, base: Path, *, explicit: bool) -> Iterator[Found | Problem]:
    if path.is_symlink():
        outside = list(_link(path, base))
        if outside:
            yield from outside
            return
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield Problem(display(path), "unreadable", f"cannot be looked at: {error.strerror}")
        return
    yield from _file(path, mode, explicit=explicit)


def _link(path: Path, base: Path) -> Iterator[Problem]:
    """A problem where the link leads out of `base` or to nothing; none where its target is found without it."""
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(base))
    if not real.is_relative_to(root):
        yield Problem(display(path), "unreadable", "is a symbolic link out of the folder and was not followed")
    elif not real.exists():
        yield Problem(display(path), "missing", "is a symbolic link to nothing")


def is_json(path: Path) -> bool:
    """Whether a file is JSON, or JSON line by line. One that is too large to try is taken for it."""
    try:
        if path.stat().st_size > _MAX_JSON:
            return True
        data = path.read_bytes()
    except OSError:
        return False
    return _parses(data) or all(_parses(line) for line in data.splitlines() if line.strip())


def _parses(data: bytes) -> bool:
    try:
        jsontext.loads(data)
    except jsontext.Broken:
        return False
    return True
