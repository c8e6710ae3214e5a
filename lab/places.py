"""Where things are kept: the cache of outputs, the running lab's folder, sockets, and one checkout's notes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .console import LabError, say
from .mounts import unmount_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# sockaddr_un.sun_path holds 108 bytes (unix(7)); the longest socket name below a run folder takes about 45 of them.
LONGEST_RUN_FOLDER = 60
SPACE_TO_BUILD = 6 * 1024**3
SPACE_TO_START = 1024**3
KINDS = ("debian", "images", "layers", "tools")
DAYS_KEPT = 30.0


def digest(*parts: str | bytes | Path) -> str:
    """Return the hexadecimal sha256 of the parts; a Path stands for its file's content."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


@dataclass(frozen=True)
class Places:
    """The folders of one lab. A lab belongs to one cache folder, whatever the checkout."""

    cache: Path

    @classmethod
    def of_user(cls) -> Places:
        """Return the lab of this user: ``$XDG_CACHE_HOME`` or ``~/.cache`` (XDG base directory specification)."""
        base = os.environ.get("XDG_CACHE_HOME") or ""
        # The specification tells programs to ignore a relative path.
        root = Path(base) if base.startswith("/") else Path.home() / ".cache"
        return cls(root / "ci-buildkit" / "lab")

    @property
    def identity(self) -> str:
        """Return eight characters that tell this lab from any other on the machine."""
        return digest(str(self.cache))[:8]

    @property
    def run(self) -> Path:
        """Return the folder of everything that belongs to the running engine."""
        return self.cache / "run"

    @property
    def sockets(self) -> Path:
        """Return the folder for sockets and runtime state, short enough for a socket address."""
        near = self.run / "exec"
        return near if len(str(near)) <= LONGEST_RUN_FOLDER else Path("/run") / f"ci-buildkit-{self.identity}"

    @property
    def bin(self) -> Path:
        """Return the folder that goes first on PATH."""
        return self.cache / "bin"

    @contextlib.contextmanager
    def locked(self, what: str = "") -> Iterator[None]:
        """Hold the lab's lock, or that of one output on demand; a second caller waits for the first."""
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            handle = (self.cache / (f"lock-{what}" if what else "lock")).open("a")
        except OSError as error:
            raise LabError(
                what=f"cannot use the cache folder {self.cache}",
                why=str(error),
                then="set XDG_CACHE_HOME to a writable folder",
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another call that is at work on {what or 'this lab'}")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class Store:
    """Outputs kept under the hash of what defines them; an output is whole or absent."""

    def __init__(self, places: Places, what: str = "") -> None:
        """Use the cache folder of ``places``; the caller holds its lock, the one named ``what``."""
        self.root = places.cache
        self.partial = self.root / (f"partial-{what}" if what else "partial")

    def sweep(self) -> None:
        """Remove what an interrupted call left half-made (debootstrap may leave mounts in its root)."""
        unmount_below(self.partial)
        shutil.rmtree(self.partial, ignore_errors=True)

    def prune(self, days: float) -> None:
        """Remove outputs that no call has used for so many days (of older versions of the lab)."""
        oldest = time.time() - days * 86400
        for kind in KINDS:
            for output in (self.root / kind).glob("*"):
                if output.stat().st_mtime < oldest:
                    shutil.rmtree(output, ignore_errors=True)

    def path(self, kind: str, name: str, key: str) -> Path:
        """Return where the output is or will be."""
        return self.root / kind / f"{name}-{key[:16]}"

    def ensure(self, kind: str, name: str, key: str, make: Callable[[Path], None]) -> Path:
        """Return the output's folder, made by ``make`` in a temporary folder and renamed when it is not there yet."""
        final = self.path(kind, name, key)
        if final.is_dir():
            os.utime(final)  # when it was last used, for prune
            return final
        self.partial.mkdir(parents=True, exist_ok=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.partial))
        work.chmod(0o755)
        try:
            make(work)
            work.rename(final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return final


def require_space(folder: Path, needed: int) -> None:
    """Raise LabError when the file system of ``folder`` has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LabError(
            what=f"not enough disk space for the lab in {folder}",
            why=f"{free / 1024**3:.1f} GiB are free, {needed / 1024**3:.0f} GiB are needed",
            then="free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
        )
