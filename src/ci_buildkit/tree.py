"""The files of the repository, as far as paths need them: what exists, what ends like a path, what a line says.

It never looks at anything outside of the root, where a symbolic link leads there neither.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILES = 200_000
"""Files looked at to find those of one name; in a larger repository no name is known to be the only one."""
_DEPENDENCIES = frozenset({"node_modules", "__pycache__", "site-packages"})
_NO_MODULES = frozenset({"vendor", "node_modules", "testdata"})
_MODULE_DEPTH = 3
_MAX_SOURCE = 4 * 1024 * 1024
_MODULE = re.compile(r"^[ \t]*module[ \t]+\"?([^\s\"]+)", re.MULTILINE)


class Tree:
    """The files below one folder; remembers what it has looked up."""

    def __init__(self, root: Path) -> None:
        """`root` is the repository's root."""
        self.root = root.absolute()
        self._real = os.path.realpath(self.root)
        self._names: dict[str, list[str]] | None = None
        self._complete = True
        self._modules: tuple[tuple[str, str], ...] | None = None
        self._sources: dict[str, list[str]] = {}

    def roots(self) -> tuple[str, ...]:
        """The root as it was given and without symbolic links, with `/`."""
        return tuple(dict.fromkeys((self.root.as_posix(), Path(self._real).as_posix())))

    def has(self, path: str) -> bool:
        """Whether `path`, relative to the root, is a file in it."""
        if leads_out(path):
            return False
        file = os.path.join(self.root, path)  # noqa: PTH118 - any text is a path or none
        try:
            # Most are asked for in vain, and to resolve links takes a call of the system for each folder.
            return os.path.isfile(file) and Path(os.path.realpath(file)).is_relative_to(self._real)  # noqa: PTH113
        except (OSError, ValueError):
            return False

    def named(self, base: str) -> list[str] | None:
        """The files called `base` anywhere but in dependencies and hidden folders; None where the tree is too large."""
        if self._names is None:
            self._names = {}
            for count, (folder, file) in enumerate(self._walk()):
                if count == MAX_FILES:
                    self._complete = False
                    break
                self._names.setdefault(file, []).append(f"{folder}/{file}" if folder != "." else file)
        return self._names.get(base, []) if self._complete else None

    def _walk(self) -> Iterator[tuple[str, str]]:
        for where, folders, files in os.walk(self.root):
            folders[:] = sorted(one for one in folders if one not in _DEPENDENCIES and not one.startswith("."))
            folder = os.path.relpath(where, self.root)
            yield from ((folder, file) for file in files)

    def holding(self, base: str, data: bytes | None) -> str | None:
        """The one file of this base name, at most three folders deep, or the one of several that holds exactly `data`."""
        found = [Path(folder, base).as_posix() for folder, files in self._folders() if base in files]
        if len(found) == 1:
            return found[0]
        same = [path for path in found if data is not None and _holds(self.root / path, data)]
        return same[0] if len(same) == 1 else None

    def source_line(self, path: str, line: int) -> str:
        """Line `line` (1-based) of a file of the repository; "" where there is none."""
        lines = self._sources.get(path)
        if lines is None:
            lines = self._sources[path] = source_lines(self.root / path) if self.has(path) else []
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def go_modules(self) -> tuple[tuple[str, str], ...]:
        """(module path, folder) of the go.mod files at most three folders deep, the longest module path first."""
        if self._modules is None:
            modules = []
            for folder, files in self._folders():
                if "go.mod" not in files:
                    continue
                found = _MODULE.search("\n".join(source_lines(self.root / folder / "go.mod")))
                if found:
                    modules.append((found[1], Path(folder).as_posix()))
            self._modules = tuple(sorted(modules, key=lambda module: -len(module[0])))
        return self._modules

    def _folders(self) -> Iterator[tuple[str, list[str]]]:
        """(folder, names of its files), at most three folders deep, without dependencies."""
        for where, folders, files in os.walk(self.root):
            inside = os.path.relpath(where, self.root)
            deep = inside != "." and inside.count(os.sep) >= _MODULE_DEPTH - 1
            folders[:] = [] if deep else [one for one in folders if one not in _NO_MODULES and not one.startswith(".")]
            yield inside, files


def leads_out(path: str) -> bool:
    """Whether a normal path with `/` is absolute, empty, or begins with `..`."""
    return not path or path == ".." or path.startswith(("/", "../"))


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.stat().st_size == len(data) and file.read_bytes() == data
    except OSError:
        return False


def source_lines(file: Path) -> list[str]:
    """The lines of a file of sources; none where it cannot be read or is larger than 4 MiB."""
    try:
        if file.stat().st_size > _MAX_SOURCE:
            return []
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return []
