"""The files of a folder: which there are, and the text of those that say what a project is."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct, field

DEPTH = 5  # folders below the top that are looked into
MOST = 20_000  # files that are listed
LONGEST = 1 << 20  # bytes of a file whose text is kept; a lock file with more is known by its name alone
# Folders whose projects are somebody else's, or outputs.
NOT_LOOKED_INTO = frozenset((
    "__pycache__", "bazel-out", "bower_components", "build", "dist", "node_modules", "out", "site-packages", "target",
    "testdata", "third_party", "vendor", "venv", "virtualenv",
))  # fmt: skip
LOOKED_INTO = frozenset([".github", ".mvn", ".cargo"])  # though their names begin with a dot
# The names of files whose text is read, anywhere.
READ = (
    "*.csproj", "*.gradle", "*.gradle.kts", ".dockerignore", ".gitignore", ".go-version", ".golangci.*", ".java-version",
    ".mocharc*", ".node-version", ".nvmrc", ".python-version", ".yarnrc.yml", "CMakeLists.txt", "Cargo.lock",
    "Cargo.toml", "Dockerfile", "Makefile", "Pipfile", "__main__.py", "build.rs", "ci-buildkit.yml", "conanfile.*",
    "docker-bake.hcl", "docker-bake.json", "go.mod", "go.work", "libs.versions.toml", "meson.build",
    "package.json", "pnpm-lock.yaml", "pom.xml", "pyproject.toml", "requirements*.txt", "rust-toolchain",
    "rust-toolchain.toml", "setup.cfg", "setup.py", "tox.ini", "tsconfig.json", "*Dockerfile*",
)  # fmt: skip
# Paths whose text is read too: requirements in a folder, where a Go program begins, whether Rust has tests, and what
# scripts a Python project has.
READ_PATHS = re.compile(
    r"(?:.+/)?(?:requirements/[^/]+\.txt|cmd/[^/]+/[^/]+\.go|(?:src|tests|benches)/(?:[^/]+/)?[^/]+\.rs|[^/]+\.go)"
    r"|(?:[^/]+/){0,2}[^/]+\.py"
)


class Tree(Struct, frozen=True):
    """Files by path relative to the folder, with `/`; `texts` has the content of some of them."""

    files: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)

    def first(self, *names: str) -> str:
        """The first of these files that is there, "" where none is."""
        return next((name for name in names if name in self.files), "")

    def text(self, *names: str) -> str:
        """The text of the first of these files that is there, "" where none is."""
        return self.texts.get(self.first(*names), "")

    def line(self, *names: str) -> str:
        """The first line of such a file that says something, without comment and space around it."""
        lines = (line.partition("#")[0].strip() for line in self.text(*names).splitlines())
        return next(filter(None, lines), "")

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The files whose whole path matches one of these shell patterns, sorted; `*` does not end at a `/`."""
        return tuple(sorted(file for file in self.files if any(fnmatchcase(file, one) for one in patterns)))

    def at_top(self, *patterns: str) -> tuple[str, ...]:
        """The same of files that lie in no folder."""
        return tuple(file for file in self.matching(*patterns) if "/" not in file)

    def below(self, folder: str) -> Tree:
        """What a folder holds, as a tree of its own; the tree itself for ""."""
        if not folder:
            return self
        prefix = f"{folder}/"
        inside = {file: file.removeprefix(prefix) for file in self.files if file.startswith(prefix)}
        return Tree(
            frozenset(inside.values()), {inside[file]: text for file, text in self.texts.items() if file in inside}
        )

    def folders(self) -> tuple[str, ...]:
        """Every folder that holds a file, the outer ones first; the top itself is ""."""
        found = {""}
        for file in self.files:
            while file := posixpath.dirname(file):
                found.add(file)
        return tuple(sorted(found, key=lambda folder: (folder.count("/") + bool(folder), folder)))


def read(root: Path) -> Tree:
    """What a folder holds now; what cannot be read is left out. Links are listed and not followed."""
    files: dict[str, Path] = {}
    for name, path in _walk(root, "", DEPTH):
        if len(files) >= MOST:
            break
        files[name] = path
    wanted = {name: path for name, path in files.items() if _is_read(name)}
    texts = {name: text for name, path in wanted.items() if (text := _text(path)) is not None}
    return Tree(frozenset(files), texts)


def _walk(folder: Path, below: str, depth: int) -> Iterator[tuple[str, Path]]:
    """Files before folders, so that a huge folder takes no place from what lies beside it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name))
    except OSError:
        return
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            yield below + entry.name, Path(entry.path)
        elif depth > 0 and _is_looked_into(entry.name):
            yield from _walk(Path(entry.path), f"{below}{entry.name}/", depth - 1)


def _is_looked_into(name: str) -> bool:
    return name in LOOKED_INTO or not (name.startswith(".") or name in NOT_LOOKED_INTO)


def _is_read(name: str) -> bool:
    base = posixpath.basename(name)
    return any(fnmatchcase(base, pattern) for pattern in READ) or READ_PATHS.fullmatch(name) is not None


def _text(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > LONGEST:
            return None
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None
