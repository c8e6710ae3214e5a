"""Writes planned files, all of them or none."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from ci_buildkit import atomic
from ci_buildkit.errors import ConfigurationError, said
from ci_buildkit.scaffold.plan import File


class Change(Struct, frozen=True):
    """A file before and after; `before` is None where there is none."""

    file: File
    before: bytes | None
    after: bytes

    @property
    def same(self) -> bool:
        """Whether nothing would change."""
        return self.before == self.after

    @property
    def in_the_way(self) -> bool:
        """Whether something would be lost."""
        return self.file.mode == "write" and self.before is not None and not self.same


def changes(root: Path, files: Iterable[File]) -> tuple[Change, ...]:
    """What writing would do.

    Raises ConfigurationError where a folder, a link or something else is where a file would go, all of them named.
    """
    refused = [reason for file in files if (reason := _refused(root, file.path))]
    if refused:
        raise ConfigurationError("\n".join(refused), hint="move it away, or name another folder")
    return tuple(_change(root, file) for file in files)


def _refused(root: Path, name: str) -> str:
    """Why a file cannot be written at all, "" where it can. Links are refused, since they may lead anywhere."""
    path = root
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            return f"{path} is a link"
        if path != root / name and path.exists() and not path.is_dir():
            return f"{path} is no folder, and {name} would be in it"
    return f"{path} is no file" if path.exists() and not path.is_file() else ""


def _change(root: Path, file: File) -> Change:
    path = root / file.path
    try:
        before = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {said(error)}", hint="see who may read it") from error
    content = file.content.encode()
    return Change(file, before, (before or b"") + content if file.mode == "add" else content)


def write(root: Path, planned: Iterable[Change]) -> None:
    """Write. When one file cannot be written, those before it become again what they were.

    Raises OutputError.
    """
    done: list[Change] = []
    try:
        for change in planned:
            if not change.same:
                atomic.write(root / change.file.path, change.after)
                done.append(change)
    except BaseException:
        for change in reversed(done):
            _undo(root, change)
        raise


def _undo(root: Path, change: Change) -> None:
    path = root / change.file.path
    with contextlib.suppress(Exception):
        if change.before is not None:
            atomic.write(path, change.before)
            return
        path.unlink()
        for folder in path.relative_to(root).parents:
            if folder.parts:
                (root / folder).rmdir()  # only an empty one goes


def diff(change: Change) -> Iterator[str]:
    """The lines of a unified diff, without line ends."""
    before, after = ((part or b"").decode(errors="replace").splitlines() for part in (change.before, change.after))
    names = ("/dev/null" if change.before is None else f"a/{change.file.path}", f"b/{change.file.path}")
    yield from difflib.unified_diff(before, after, *names, lineterm="")
