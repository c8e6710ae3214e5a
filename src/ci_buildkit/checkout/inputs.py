"""What a build context holds, as one short fingerprint a file: enough to tell two runs apart. Reads Git and files.

A fingerprint is what BuildKit's content checksum looks at (cache/contenthash): the content, as Git's blob id, and the
permissions; never the time.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from ci_buildkit.checkout import git, ignore
from ci_buildkit.checkout.ignore import Ignore

MAX_FILES = 50_000  # files that are looked at; a context with more is not complete
MAX_ENTRIES = 2000  # more are told by folder
MAX_BYTES = 64 << 20  # of files that Git does not know as they are; the rest goes by size and time
DIGITS = 12
GIT = ".git"


class Files(Struct, frozen=True):
    """Fingerprints by path relative to the context; the path of a whole folder ends in `/`."""

    files: dict[str, str]
    complete: bool


def look(context: Path, dockerfile: Path | None = None, named: Iterable[str] = ()) -> Files:
    """The files of a context that its `.dockerignore`, or the Dockerfile's own, leaves in.

    `named` are paths that keep an entry of their own where folders stand for the others.
    """
    leaves_out = _ignore(context, dockerfile)
    reader = _Reader(git.clean_files(context))
    found: dict[str, str] = {}
    complete = True
    for path, entry in _walk(str(context), "", leaves_out):
        if len(found) >= MAX_FILES:
            complete = False
            break
        try:
            found[_readable(path)] = reader.fingerprint(path, entry)
        except OSError:  # it went while we looked, or is not ours to read: BuildKit will say so
            continue
    if (context / GIT).exists() and not leaves_out(GIT):
        found[f"{GIT}/"] = repository(context / GIT)
    return Files(folded(found, frozenset(named)), complete)


def walk(context: Path, dockerfile: Path | None = None) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files and links of a context that are not left out, each with its path relative to the context."""
    return _walk(str(context), "", _ignore(context, dockerfile))


def _readable(path: str) -> str:
    """A path that can be written as UTF-8."""
    return path if path.isascii() else os.fsencode(path).decode(errors="replace")


def _ignore(context: Path, dockerfile: Path | None) -> Ignore:
    file = own_ignore(dockerfile) or context / ".dockerignore"
    return ignore.parse(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else Ignore()


def own_ignore(dockerfile: Path | None) -> Path | None:
    """The file beside a Dockerfile that wins over the context's (docs.docker.com/build/concepts/context)."""
    file = dockerfile.with_name(f"{dockerfile.name}.dockerignore") if dockerfile else None
    return file if file and file.is_file() else None


def _walk(folder: str, below: str, leaves_out: Ignore) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files and links, each with its path relative to the context, folders in order of their names."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = below + entry.name
        out = leaves_out(path)
        if entry.is_dir(follow_symlinks=False):
            if path != GIT and (not out or leaves_out.has_exceptions):
                yield from _walk(entry.path, f"{path}/", leaves_out)
        elif not out:
            yield path, entry


class _Reader:
    """Makes fingerprints; knows what Git knows, and how much it may still read."""

    def __init__(self, known: dict[str, str]) -> None:
        """`known` are the blob ids of files that need not be read."""
        self._known = known
        self._left = MAX_BYTES
        # A repository has one kind of ids; SHA-256 where they are longer (gitformat-hash-function-transition).
        self._kind = "sha256" if any(len(blob) == 64 for blob in known.values()) else "sha1"

    def fingerprint(self, path: str, entry: os.DirEntry[str]) -> str:
        about = entry.stat(follow_symlinks=False)
        mode = f"{stat.S_IMODE(about.st_mode):o}"
        if stat.S_ISLNK(about.st_mode):
            return f"{self._blob(os.fsencode(Path(entry.path).readlink()))}:link"
        if not stat.S_ISREG(about.st_mode):
            return f"{'0' * DIGITS}:{mode}"
        if blob := self._known.get(path):
            return f"{blob[:DIGITS]}:{mode}"
        if about.st_size > self._left:
            return f"~{about.st_size}.{about.st_mtime_ns}:{mode}"
        self._left -= about.st_size
        return f"{self._blob(Path(entry.path).read_bytes())}:{mode}"

    def _blob(self, content: bytes) -> str:
        """Git's blob id of a content."""
        digest = hashlib.new(self._kind, b"blob %d\0" % len(content), usedforsecurity=False)
        digest.update(content)
        return digest.hexdigest()[:DIGITS]


def repository(folder: Path) -> str:
    """One fingerprint for a `.git` that is in the context. Objects go by their names, which say what they hold."""
    digest = hashlib.sha256()
    for path, entry in _walk(str(folder), "", Ignore()):
        digest.update(os.fsencode(path) + b"\0")
        if not path.startswith("objects/") and entry.is_file(follow_symlinks=False):
            digest.update(Path(entry.path).read_bytes())
    return digest.hexdigest()[:DIGITS]


def folded(files: dict[str, str], named: frozenset[str], most: int = MAX_ENTRIES) -> dict[str, str]:
    """At most about `most` entries: folders stand for all that is below them, the deepest first; `named` files stay."""
    depth = max((path.count("/") for path in files), default=0)
    told = files
    while len(told) > most and depth > 0:
        depth -= 1
        told = _at_depth(files, depth)
    if told is not files:
        told |= {path: files[path] for path in named if path in files}
    return told


def _at_depth(files: dict[str, str], depth: int) -> dict[str, str]:
    told: dict[str, str] = {}
    folders: dict[str, list[str]] = {}
    for path, fingerprint in files.items():
        parts = path.split("/")
        if path.endswith("/") or len(parts) <= depth + 1:
            told[path] = fingerprint
        else:
            folders.setdefault("/".join(parts[: depth + 1]) + "/", []).append(f"{path}\0{fingerprint}")
    for folder, lines in folders.items():
        content = "\n".join(sorted(lines)).encode(errors="surrogateescape")
        told[folder] = hashlib.sha256(content).hexdigest()[:DIGITS]
    return told
