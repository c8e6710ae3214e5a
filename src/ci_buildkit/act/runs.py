"""The folders that runs of act leave: the log, the artifacts, and, while one runs, which jobs have containers."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from ci_buildkit import jsontext
from ci_buildkit.act.leftovers import Container, Docker, remove
from ci_buildkit.act.outcome import Artifact
from ci_buildkit.engine.owner import Owner

KEPT = 10  # runs; older ones go
JOBS, OWNER = "jobs", "owner"


class Run(Struct, frozen=True):
    """One run's folder. Its name ends in the run's token."""

    folder: Path
    token: str

    @classmethod
    def make(cls, home: Path, token: str) -> Run:
        """A new folder that only this user can look into. Raises OSError."""
        folder = home / f"{time.strftime('%Y%m%d-%H%M%S')}-{token}"
        folder.mkdir(parents=True, mode=0o700)
        (folder / OWNER).write_text(str(Owner.here()), encoding="utf-8")
        return cls(folder, token)

    @property
    def log(self) -> Path:
        """All that act and the jobs said."""
        return self.folder / "act.log"

    @property
    def artifacts(self) -> Path:
        """The folder of act's artifact server."""
        return self.folder / "artifacts"

    def note(self, container: Container) -> None:
        """Write down that a job has a container, in case nobody is left to remove it."""
        with (self.folder / JOBS).open("ab") as file:
            file.write(jsontext.dumps(asdict(container)) + b"\n")

    def containers(self) -> Iterator[Container]:
        """Those that were written down."""
        with contextlib.suppress(OSError, jsontext.Broken, KeyError, TypeError):
            for line in (self.folder / JOBS).read_bytes().splitlines():
                found = jsontext.loads(line)
                yield Container(found["job"], found["id"], tuple(found["services"]))

    def clean(self, docker: Docker) -> list[str]:
        """Remove from Docker what the run left there; returns the names."""
        removed = remove(docker, tuple(self.containers()), self.token)
        (self.folder / JOBS).unlink(missing_ok=True)
        return removed


def sweep(home: Path, docker: Docker) -> None:
    """Remove what killed runs left in Docker, and the folders of old runs."""
    folders = sorted(path for path in home.glob("*") if path.is_dir())
    for place, folder in enumerate(folders):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            owner = Owner.parse((folder / OWNER).read_text(encoding="utf-8"))
            if owner and owner.alive():
                continue
            if (folder / JOBS).exists():
                Run(folder, folder.name.rpartition("-")[2]).clean(docker)
            if place < len(folders) - KEPT:
                shutil.rmtree(folder)


def artifacts(folder: Path) -> tuple[Artifact, ...]:
    """What jobs uploaded: RUN/NAME/NAME.zip, or the files of an old version's upload below RUN/NAME (pkg/artifacts)."""
    found = []
    for place in sorted(folder.glob("*/*")):
        archive = place / f"{place.name}.zip"
        path = archive if archive.is_file() else place
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        found.append(Artifact(place.name, path, sum(file.stat().st_size for file in files)))
    return tuple(found)


def unpack(artifact: Artifact, to: Path) -> None:
    """Put the files of an artifact into a folder. Raises OSError, zipfile.BadZipFile."""
    if artifact.path.is_dir():
        shutil.copytree(artifact.path, to, dirs_exist_ok=True)
        return
    to.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(artifact.path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > shutil.disk_usage(to).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))  # before the disk is full
        archive.extractall(to)  # which leaves out what would go elsewhere
