"""From the path a tool saw in its container to the path in the repository.

A build runs in `/src`, `/app` or wherever the Dockerfile puts it; an annotation needs `cmd/server/main.go`. Rules that
the user gives (`--path-map FROM=TO`) win, then the folders of the container that are known to hold the repository;
else the longest end of the path that a file of the repository has is it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.text import name
from ci_buildkit.tree import Tree, leads_out

# Folders of toolchains and of downloaded dependencies: a file there is never the repository's file of the same name.
_FOREIGN = re.compile(
    r"^/(?:usr/local/go|usr/(?:local/)?(?:include|lib|lib64|share)|lib|nix|root/\.cargo|go/pkg/mod)/"
    r"|/(?:site-packages|dist-packages|node_modules|pkg/mod|\.?cargo/registry|rustlib/src)/"
)
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
# RFC 8089: `file:/path`, `file:///path`, `file://host/path`; before a drive letter the slash is none of the path.
_FILE_URI = re.compile(r"^file:(?://[^/]*)?(?=/)(?:/(?=[A-Za-z]:/))?", re.IGNORECASE)
# A file directly in what is usually a WORKDIR.
_WORKDIR = re.compile(r"^/(?:[^/]+|usr/src/app)/[^/]+$")
_MAX_PARTS = 64


class PathMap(Struct, frozen=True):
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
            rules.append((source.strip(), target.strip()))
        return cls.of(rules)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> PathMap:
        """The map of these rules."""
        rules = ((_normal(source), _normal(target or ".")) for source, target in pairs)
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

    def __init__(
        self,
        path_map: PathMap | None = None,
        root: Path | None = None,
        workdirs: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`root` is the repository's root, by default the working directory.

        `workdirs` are pairs of a folder of the container and the folder of the repository that was copied there, `.`
        for its root: a stage's WORKDIR and context. A tool's relative paths begin in one of them.
        """
        self.path_map = path_map or PathMap()
        self.root = (root or Path.cwd()).absolute()
        self._tree = Tree(self.root)
        self._workdirs = PathMap.of(workdirs)
        self._known: dict[str, Mapped] = {}

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
            inside = self._relative(ruled)
            return Mapped(inside, known=not leads_out(inside))
        inside = self._relative(normal)
        for candidate in (*self._in_workdirs(normal), inside):
            if self._tree.has(candidate):
                return Mapped(candidate, known=True)
        if inside == normal and not is_foreign(normal):
            found = self._same_end(normal)
            if found:
                return Mapped(found, known=True)
        return Mapped(inside, known=False)

    def _relative(self, path: str) -> str:
        for root in self._tree.roots():
            if path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) + 1 :]
        return path

    def _in_workdirs(self, path: str) -> list[str]:
        """Where the file is by the folders of the container that are known."""
        if path.startswith("/"):
            found = self._workdirs.apply(path)
            return [] if found is None else [found]
        return [
            found
            for folder, _ in self._workdirs.rules
            if (found := self._workdirs.apply(posixpath.normpath(posixpath.join(folder, path)))) is not None
        ]

    def _same_end(self, path: str) -> str | None:
        """The file of the repository that has the longest end of `path`, where there is one alone.

        Of several with the same end the one whose whole path it is counts. A base name alone tells little: it must be
        the only one of the repository and either lie in its root or be all of `path`, or else be that of a file in the
        repository's root and in a folder that is the container's own (`/src/main.go`).
        """
        parts = _parts(path)
        anchored = self._longest_suffix(parts)
        files = self._tree.named(parts[-1]) if parts else []
        if files is None:
            return anchored if anchored and "/" in anchored else None
        ends = [(_common(parts, file.split("/")), file) for file in files]
        longest = max((end for end, _ in ends), default=0)
        best = [file for end, file in ends if end == longest]
        if anchored and len(_parts(anchored)) >= longest:
            return anchored if "/" in anchored or len(best) < 2 or _WORKDIR.match(path) else None
        alone = len(best) == 1 and (longest > 1 or len(parts) == 1) and self._tree.has(best[0])
        return best[0] if alone else None

    def _longest_suffix(self, parts: list[str]) -> str | None:
        """The longest end that is a file's whole path in the repository."""
        suffixes = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((suffix for suffix in suffixes if self._tree.has(suffix)), None)

    def go_file(self, package: str, file: str) -> Mapped:
        """Where `file` (a base name) of the Go package with this import path is.

        The import path minus the module path, as the repository's go.mod files say; without one that fits, the
        longest end of it that holds the file. Not found: `file` itself.
        """
        for module, folder in self._tree.go_modules():
            if not f"{package}/".startswith(f"{module}/"):
                continue
            path = posixpath.normpath(posixpath.join(folder, package[len(module) :].lstrip("/"), file))
            if not leads_out(path):
                return Mapped(path, known=True)
        suffix = self._longest_suffix(_parts(f"{package}/{file}")) if "/" in package else None
        if suffix and "/" in suffix:
            return Mapped(suffix, known=True)
        return Mapped(file, known=False)

    def holding(self, base: str, data: bytes | None) -> str | None:
        """The one file of this base name in the repository, or the one of several that holds exactly `data`."""
        return self._tree.holding(base, data)

    def source_line(self, path: str, line: int) -> str:
        """Line `line` (1-based) of a known file of the repository; "" where there is none."""
        return self._tree.source_line(path, line)


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
    if path[:5].lower() == "file:" and (uri := _FILE_URI.match(path)):
        # What was percent-encoded may be any character.
        path = name(unquote(path[uri.end() :]))
    if _DRIVE.match(path) or ("\\" in path and "/" not in path):
        path = path.replace("\\", "/")
    # Two slashes at the start mean something to POSIX and nothing to us.
    return posixpath.normpath(path).replace("//", "/") if path else ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "..", "."}][-_MAX_PARTS:]


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many parts at the end of both are the same."""
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count
