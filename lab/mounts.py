"""Mounts that killed daemons leave behind: found and removed before their folders are deleted."""

from __future__ import annotations

from pathlib import Path

from .console import LabError, run

ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))  # proc(5), mountinfo


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """Return the mount points in and below ``folder``, newest first."""
    found = []
    for line in mountinfo.splitlines():
        point = line.split()[4]
        for escape, char in ESCAPES:
            point = point.replace(escape, char)
        if point == str(folder) or point.startswith(f"{folder}/"):
            found.append(point)
    return found[::-1]


def unmount_below(folder: Path) -> None:
    """Unmount everything in and below ``folder``; raises LabError when a mount stays, before anything is deleted."""
    mountinfo = Path("/proc/self/mountinfo")
    for point in mounts_below(folder, mountinfo.read_text()):
        run(["umount", "-l", point])
    left = mounts_below(folder, mountinfo.read_text())
    if left:
        raise LabError(
            what=f"{left[0]} is still mounted",
            why="umount did not remove it",
            then=f"unmount it, then try again: umount -l {left[0]}",
        )
