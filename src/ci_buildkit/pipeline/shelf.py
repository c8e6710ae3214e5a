"""The folder that keeps what cache mounts hold between runs: a tar file each, and `index.json`.

A file's name has its content's hash, and the index is replaced as a whole. So of two runs at once none reads half of
what the other one writes; where one removes what the other is about to read, that one's mounts begin empty.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from ci_buildkit import atomic
from ci_buildkit.artifacts.lists import digest
from ci_buildkit.plan.mounts import Mount

INDEX = "index.json"
FILE = re.compile(r"[\w.-]{1,60}-[0-9a-f]{16}\.tar", re.ASCII)
NEW = ".ci-buildkit-"  # of folders that a run fills
STALE = 24 * 3600.0  # seconds; what a run left behind that died is older
MOST_STEPS = 500  # whose times are remembered


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A kept mount: what makes it one (as in `Mount`), its file, the key of the lock files it was used with, and when.

    `fingerprint` and `root` are what the engine says of it; `size` is in bytes.
    """

    id: str
    namespace: str = ""
    uid: str = ""
    gid: str = ""
    mode: str = ""
    key: str = ""
    file: str
    size: int
    sha256: str
    fingerprint: str
    root: str
    saved: str

    @property
    def mount(self) -> Mount:
        """Whose content it is."""
        return Mount(self.id, self.namespace, self.uid, self.gid, self.mode)


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """`index.json`. `empty` has the seconds that RUN steps took when their mounts were empty."""

    schema: Literal[1] = 1
    mounts: tuple[Entry, ...] = ()
    empty: dict[str, float] = {}


class Shelf:
    """The folder. `warn` hears of what is damaged or foreign; that is left alone and counts for nothing."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Nothing is read yet."""
        self.folder = folder
        self._warn = warn

    def index(self) -> Index:
        """What is there now; an empty index where there is none that can be read."""
        try:
            found = msgspec.json.decode((self.folder / INDEX).read_bytes(), type=Index)
        except FileNotFoundError:
            return Index()
        except (OSError, ValueError) as error:
            self._warn(f"{self.folder / INDEX} is not readable and counts for nothing: {error}")
            return Index()
        return msgspec.structs.replace(found, mounts=tuple(e for e in found.mounts if FILE.fullmatch(e.file)))

    def has(self, entry: Entry) -> bool:
        """Whether its file is there, as large as it was saved."""
        path = self.folder / entry.file
        try:
            return not path.is_symlink() and path.stat().st_size == entry.size
        except OSError:
            return False

    def is_sound(self, entry: Entry) -> bool:
        """Whether its file is there and holds what was saved."""
        path = self.folder / entry.file
        try:
            sound = self.has(entry) and digest(path) == entry.sha256
        except OSError:
            sound = False
        if not sound:
            self._warn(f"{path} is missing or damaged; the cache mount {entry.id} begins empty")
        return sound

    @contextlib.contextmanager
    def making(self) -> Iterator[Path]:
        """A new folder on the same disk, gone afterwards. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=NEW, dir=self.folder))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def keep(self, path: Path, mount: Mount, key: str, fingerprint: str, root: str) -> Entry:
        """Move a file that was made in the folder of `making` to its place. Raises OSError."""
        checksum = digest(path)
        name = re.sub(r"[^\w.-]+", "-", mount.id, flags=re.ASCII).strip("-.")[-60:] or "mount"
        file = f"{name}-{checksum[:16]}.tar"
        size = path.stat().st_size
        path.chmod(0o644)
        path.replace(self.folder / file)
        return Entry(
            id=mount.id,
            namespace=mount.namespace,
            uid=mount.uid,
            gid=mount.gid,
            mode=mount.mode,
            key=key,
            file=file,
            size=size,
            sha256=checksum,
            fingerprint=fingerprint,
            root=root,
            saved=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        )

    def put(self, index: Index) -> None:
        """Write the index and remove what no longer belongs to it. Raises OutputError."""
        steps = dict(list(index.empty.items())[-MOST_STEPS:])
        text = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(index, empty=steps)), indent=2)
        before = {entry.file for entry in self.index().mounts}
        atomic.write(self.folder / INDEX, text + b"\n")
        named = {entry.file for entry in index.mounts}
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                old = time.time() - path.lstat().st_mtime > STALE
                if FILE.fullmatch(path.name) and path.name not in named and (old or path.name in before):
                    path.unlink()
                elif path.name.startswith(NEW) and old:
                    shutil.rmtree(path)


def fitting(entries: Iterable[Entry], own: Iterable[Mount], limit: int) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries that fit into `limit` bytes, and those that do not: the smallest of this run's first, then the newest."""
    mine = set(own)
    used = sorted((e for e in entries if e.mount in mine), key=lambda e: e.size)
    others = sorted((e for e in entries if e.mount not in mine), key=lambda e: e.saved, reverse=True)
    kept: list[Entry] = []
    lost: list[Entry] = []
    for entry in (*used, *others):
        if entry.size <= limit:
            limit -= entry.size
            kept.append(entry)
        else:
            lost.append(entry)
    return tuple(sorted(kept, key=lambda e: e.mount)), tuple(lost)


def merged(entries: Iterable[Entry], changes: Mapping[Mount, Entry | None]) -> list[Entry]:
    """Entries with changed ones in their places, without those that a None stands for."""
    found: dict[Mount, Entry | None] = {**{entry.mount: entry for entry in entries}, **changes}
    return [entry for entry in found.values() if entry is not None]
