"""Room on the disks that a run writes to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.machine_docker import Docker
from ci_buildkit.report.text import size

MB = 1_000_000
# Images and caches, and what a run stages and reports.
ENOUGH = {"docker": 5000 * MB, "run": 500 * MB}
TOO_LITTLE = {"docker": 500 * MB, "run": 50 * MB}
FEW_FILES = 1000


class Disk(Struct, frozen=True):
    """A folder's disk: `what` is kept there, `kind` how much that is; `free` bytes and `files` (None: no limit)."""

    what: str
    kind: str
    path: str
    free: int
    files: int | None = None


def look(machine: Machine) -> tuple[Disk, ...]:
    """The disks of the workspace and of temporary files."""
    folders = {
        "the workspace": machine.root,
        "temporary files": Path(machine.environ.get("TMPDIR") or tempfile.gettempdir()),
    }
    return tuple(disk for what, path in folders.items() if (disk := _disk(what, "run", path)))


def of_docker(docker: Docker | None) -> tuple[Disk, ...]:
    """The disk of docker's images, containers and volumes, where it is one of this machine."""
    root = str(docker.info.get("DockerRootDir") or "") if docker and docker.local else ""
    found = _disk("images and caches of docker", "docker", Path(root)) if root else None
    return (found,) if found else ()


def _disk(what: str, kind: str, path: Path) -> Disk | None:
    try:
        told = os.statvfs(path)
    except OSError:
        return None
    return Disk(what, kind, str(path), told.f_bavail * told.f_frsize, told.f_favail if told.f_files else None)


def full(disks: Sequence[Disk]) -> Iterator[Flaw]:
    """Disks on which too little is left."""
    for disk in disks:
        advice = "; remove what is old: docker system prune" if disk.kind == "docker" else "; remove something"
        if disk.free < ENOUGH[disk.kind]:
            severity: Severity = "error" if disk.free < TOO_LITTLE[disk.kind] else "warning"
            yield Flaw(None, f"{size(disk.free)} are left for {disk.what} ({disk.path}){advice}", severity=severity)
        elif disk.files is not None and disk.files < FEW_FILES:
            yield Flaw(None, f"room for {disk.files} more files only is left for {disk.what} ({disk.path}){advice}")
