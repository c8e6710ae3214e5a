"""From the path a tool saw in its container to the path in the repository.

A build runs in `/src`, `/app` or wherever the Dockerfile puts it; an annotation needs `cmd/server/main.go`. Rules that
the user gives (`--path-map FROM=TO`) win; else the longest end of the path that exists in the repository is it.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Folders of toolchains and of downloaded dependencies: a file there is never the repository's file of the same name.
_FOREIGN = re.compile(
    r"^/(?:usr/local/go|usr/lib|usr/share|nix|root/\.cargo|go/pkg/mod)/|/(?:site-packages|node_modules|pkg/mod)/"
)
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_NO_MODULES = frozenset({"vendor", "node_modules", "testdata"})
_MODULE_DEPTH = 3
_MAX_PARTS = 64
_MAX_SOURCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PathMap:
    """Rules (FROM, TO), the longest FROM first. FROM is a folder or a file; TO is relative to the repository."""

    rules: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> PathMap:
        """The map of rules written FROM=TO; an empty TO is the repository's root.

        Raises:
            ConfigurationError: a rule has no `=` or nothing before it.
        """
        rules = []
        for text in texts:
            source, separator, target = text.partition("=")
            if not separator or not source.strip():
                message = f"path map {text!r} is not FROM=TO"
                raise ConfigurationError(message, hint="for example --path-map /src=. or --path-map /src=services/api")
            rules.append((_normal(source.strip()), _normal(target.strip() or ".")))
        return cls(tuple(sorted(rules, key=lambda rule: -len(rule[0]))))

    def apply(self, path: str) -> str | None:
        """`path` by the first rule whose FROM it is or lies in; None where no rule applies."""
        for source, target in self.rules:
            if path == source:
                return target
            folder = source if source.endswith("/") else source + "/"
            if path.startswith(folder):
                return posixpath.normpath(posixpath.join(target, path[len(folder) :]))
        return None


class Mapped(NamedTuple):
    """A path, and whether it is known to be the repository's (a rule said so, or the file exists)."""

    path: str
    known: bool


class PathMapper:
    """Maps paths by one PathMap and one repository root; remembers what it has looked up.

    It only asks whether files exist below `root`, and never answers with a path that leads out of it as known.
    """

    def __init__(self, path_map: PathMap | None = None, root: Path | None = None) -> None:
        """`root` is the repository's root, by default the working directory."""
        self.path_map = path_map or PathMap()
        self.root = (root or Path.cwd()).absolute()
        self._roots = tuple({self.root.as_posix(), Path(os.path.realpath(self.root)).as_posix()})
        self._known: dict[str, Mapped] = {}
        self._modules: tuple[tuple[str, str], ...] | None = None
        self._sources: dict[str, list[str]] = {}

    def map(self, path: str) -> Mapped:
        """Where `path` is in the repository; not found: the same path with `/`, and `known` False."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._map(path)
        return found

    def __call__(self, path: str) -> str:
        """The mapped path, or the same path with `/`."""
        return self.map(path).path

    def _map(self, path: str) -> Mapped:
        normal = _normal(path)
        ruled = self.path_map.apply(normal)
        if ruled is not None:
            return Mapped(self._relative(ruled), known=True)
        inside = self._relative(normal)
        if self._exists(inside):
            return Mapped(inside, known=True)
        if inside == normal and not is_foreign(normal):
            suffix = self._longest_suffix(normal)
            if suffix:
                return Mapped(suffix, known=True)
        return Mapped(inside, known=False)

    def _relative(self, path: str) -> str:
        for root in self._roots:
            if path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) + 1 :]
        return path

    def _exists(self, path: str) -> bool:
        return not _leads_out(path) and os.path.isfile(posixpath.join(self.root, path))  # noqa: PTH113 - false, not an error, for any text

    def _longest_suffix(self, path: str) -> str | None:
        parts = [part for part in path.split("/") if part not in {"", "..", "."}][-_MAX_PARTS:]
        for start in range(len(parts)):
            suffix = "/".join(parts[start:])
            if self._exists(suffix):
                return suffix
        return None

    def go_file(self, package: str, file: str) -> Mapped:
        """Where `file` (a base name) of the Go package with this import path is.

        The import path minus the module path, as the repository's go.mod files say; without one that fits, the
        longest end of it that holds the file. Not found: `file` itself.
        """
        for module, folder in self._modules_of(package):
            path = posixpath.normpath(posixpath.join(folder, package[len(module) :].lstrip("/"), file))
            if not _leads_out(path):
                return Mapped(path, known=True)
        suffix = self._longest_suffix(f"{package}/{file}") if "/" in package else None
        if suffix and "/" in suffix:
            return Mapped(suffix, known=True)
        return Mapped(file, known=False)

    def _modules_of(self, package: str) -> list[tuple[str, str]]:
        if self._modules is None:
            self._modules = _go_modules(self.root)
        return [(module, folder) for module, folder in self._modules if f"{package}/".startswith(f"{module}/")]

    def holding(self, base: str, data: bytes | None) -> str | None:
        """The one file of this base name in the repository, or the one of several that holds exactly `data`."""
        found = _named(self.root, base)
        if len(found) == 1:
            return found[0]
        same = [path for path in found if data is not None and _holds(self.root / path, data)]
        return same[0] if len(same) == 1 else None

    def source_line(self, path: str, line: int) -> str:
        """Line `line` (1-based) of a known file of the repository; "" where there is none."""
        lines = self._sources.get(path)
        if lines is None:
            lines = self._sources[path] = _source_lines(self.root / path) if not _leads_out(path) else []
        return lines[line - 1] if 0 < line <= len(lines) else ""


def map_path(path: str, path_map: PathMap | None = None, root: Path | None = None) -> str:
    """Where `path` is in the repository at `root` (default: the working directory); not found: the path with `/`."""
    return PathMapper(path_map, root)(path)


def is_foreign(path: str) -> bool:
    """Whether `path` lies in a toolchain or a downloaded dependency, so that it is never the repository's."""
    return bool(_FOREIGN.search(path))


def display(path: Path) -> str:
    """`path` relative to the working directory where it lies in it, with `/`, as text that can be printed."""
    try:
        return name(path.absolute().relative_to(Path.cwd()).as_posix())
    except ValueError:
        return name(path.as_posix())


def _normal(path: str) -> str:
    path = path.removeprefix("file://")
    if _DRIVE.match(path) or ("\\" in path and "/" not in path):
        path = path.replace("\\", "/")
    # Two slashes at the start mean something to POSIX and nothing to us.
    return posixpath.normpath(path).replace("//", "/") if path else ""


def _leads_out(path: str) -> bool:
    return not path or path == ".." or path.startswith(("/", "../"))


def _named(root: Path, base: str) -> list[str]:
    """The files called `base`, at most _MODULE_DEPTH folders deep."""
    return [Path(os.path.relpath(folder, root), base).as_posix() for folder, files in _folders(root) if base in files]


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.stat().st_size == len(data) and file.read_bytes() == data
    except OSError:
        return False


def _folders(root: Path) -> Iterator[tuple[str, list[str]]]:
    """(folder, names of its files) of the repository, at most _MODULE_DEPTH deep, without dependencies."""
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        deep = inside != "." and inside.count(os.sep) >= _MODULE_DEPTH - 1
        folders[:] = [] if deep else [one for one in folders if one not in _NO_MODULES and not one.startswith(".")]
        yield folder, files


def _source_lines(file: Path) -> list[str]:
    try:
        if file.stat().st_size > _MAX_SOURCE:
            return []
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return []


def _go_modules(root: Path) -> tuple[tuple[str, str], ...]:
    """(module path, folder) of the go.mod files at most three folders deep, the longest module path first."""
    modules = []
    for folder, files in _folders(root):
        if "go.mod" not in files:
            continue
        text = "\n".join(_source_lines(Path(folder, "go.mod")))
        found = re.search(r"^\s*module\s+\"?([^\s\"]+)", text, re.MULTILINE)
        if found:
            modules.append((found[1], Path(os.path.relpath(folder, root)).as_posix()))
    return tuple(sorted(modules, key=lambda module: -len(module[0])))
