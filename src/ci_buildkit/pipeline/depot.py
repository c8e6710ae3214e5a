"""Archives of earlier runs, kept by what their bytes follow from: compressing takes longer than all else that is done to them.

Everything about the folder may fail: then the archive is written anew.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ci_buildkit.artifacts.lists import digest
from ci_buildkit.engine import answers

LIMIT = 512 << 20  # bytes of all archives together; the least used go


class Depot:
    """The folder `archives` of the cache; a file's name is the archive's identity and the hash of its bytes."""

    def __init__(self, environ: Mapping[str, str], limit: int = LIMIT) -> None:
        """Nothing is read or made yet."""
        self._folder = answers.folder(environ) / "archives"
        self._limit = limit

    def take(self, identity: str, target: Path) -> bool:
        """Copy the archive of that identity to `target`, where it is there and undamaged; whether it was."""
        for kept in self._folder.glob(f"{identity}-*"):
            with contextlib.suppress(OSError):
                shutil.copyfile(kept, target)
                if digest(target) == kept.name.rpartition("-")[2]:
                    os.utime(kept)
                    return True
                kept.unlink()
        return False

    def keep(self, identity: str, archive: Path) -> None:
        """Keep a copy of an archive, and remove of the others what is too much."""
        with contextlib.suppress(OSError):
            if archive.stat().st_size > self._limit:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as own:
                copy = Path(own, archive.name)
                shutil.copyfile(archive, copy)
                copy.replace(self._folder / f"{identity}-{digest(archive)}")
            self._prune()

    def _prune(self) -> None:
        kept = [(path.stat(), path) for path in self._folder.iterdir() if path.is_file()]
        left = self._limit
        for stat, path in sorted(kept, key=lambda one: one[0].st_mtime, reverse=True):
            left -= stat.st_size
            if left < 0:
                path.unlink(missing_ok=True)
