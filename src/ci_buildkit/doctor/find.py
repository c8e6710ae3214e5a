"""Which files of a folder the doctor looks at. Reads names, and asks Git which are ignored."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from ci_buildkit.checkout import git
from ci_buildkit.doctor.nearest import words

# Folders of others' files.
FOREIGN = frozenset({".git", "node_modules", "vendor", ".venv", "venv", "site-packages"})
MOST = 100_000  # files of a folder whose names are looked at
LARGEST = 1 << 20  # bytes of a file that is read
DOCKERFILE = re.compile(r"(?:Dockerfile|Containerfile)(?:\.(?P<end>.+))?|.+\.(?i:dockerfile)")
# What a name ends in that begins like a Dockerfile's and is none: another language, or a template of one.
OTHER = words(
    """
    dockerignore md rst txt html tmpl template tpl in j2 jinja jinja2 erb mustache gotmpl ejs orig bak rej swp old go py rs js ts
    rb java c cpp h lua vim sh yml yaml json toml xml lock tmlanguage tmpreferences nanorc cue jsonnet
    """
)
BAKE = re.compile(r"(?:docker-bake|bake)[\w.-]*\.(?:hcl|json)|.+[.-]bake\.(?:hcl|json)")
# Files that say which stages are built: in whatever way, or behind the word "target".
SCRIPT = re.compile(
    r"(?i)(?:gnu)?makefile|.+\.(?:mk|mak|sh|bash|yml|yaml|toml|hcl|ps1|bat|groovy)|(?:just|jenkins|earth|tilt|rake|vagrant)file|"
    r"taskfile.*|package\.json|devcontainer\.json|skaffold.*|docker-bake.*"
)
OTHER_SPEAKER = re.compile(r"(?i).+\.(?:go|py|ts|js|mjs|cjs|rb|rs|java|kt|cs|md|json|txt|rst)")
LARGEST_SPEAKER = 256 << 10  # bytes; what is larger was made by a program


class Files(Struct, frozen=True):
    """The paths below a folder, relative to it, with `/`."""

    root: Path
    all: tuple[str, ...]

    @property
    def dockerfiles(self) -> tuple[str, ...]:
        """Those that are called like a Dockerfile."""
        return tuple(path for path in self.all if is_dockerfile(path))

    @property
    def bake_files(self) -> tuple[str, ...]:
        """Those that are called like a bake file."""
        return tuple(path for path in self.all if BAKE.fullmatch(path.rpartition("/")[2]))

    @property
    def scripts(self) -> tuple[str, ...]:
        """Those that build things, the nearest to the root first."""
        return self._like(SCRIPT)

    @property
    def others(self) -> tuple[str, ...]:
        """Programs and prose that may tell of builds."""
        return self._like(OTHER_SPEAKER)

    def _like(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        found = [path for path in self.all if pattern.fullmatch(path.rpartition("/")[2])]
        return tuple(sorted(found, key=lambda path: path.count("/")))

    def read(self, path: str, most: int = LARGEST) -> str | None:
        """The text of a file, line ends as they are; None where it cannot be read, is too large or no text."""
        try:
            file = self.root / path
            if file.stat().st_size > most:
                return None
            data = file.read_bytes()
        except OSError:
            return None
        return None if b"\0" in data else data.decode("utf-8", "surrogateescape")


def is_dockerfile(path: str) -> bool:
    """Whether a file is called like a Dockerfile."""
    found = DOCKERFILE.fullmatch(path.rpartition("/")[2])
    return bool(found) and (found["end"] or "").rpartition(".")[2].lower() not in OTHER  # type: ignore[index]


def files(root: Path) -> Files:
    """The files of a folder but for others' ones and those that Git ignores."""
    known = None if git.ignores(root, ".") else git.files(root, "*")
    paths = known or _walked(root)
    kept = [path for path in paths if not FOREIGN & set(path.split("/")[:-1]) and (root / path).is_file()]
    return Files(root, tuple(sorted(kept)))


def _walked(root: Path) -> list[str]:
    found: list[str] = []
    for where, folders, names in os.walk(root):
        folders[:] = sorted(folder for folder in folders if folder not in FOREIGN)
        inside = Path(where).relative_to(root).as_posix()
        found += [name if inside == "." else f"{inside}/{name}" for name in names]
        if len(found) > MOST:
            break
    return found[:MOST]
