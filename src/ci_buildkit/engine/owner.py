"""Who made a builder, and whether that process still lives."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

FOREIGN_AGE = 6 * 3600.0  # seconds after which a builder of another host or container counts as left behind


class Owner(Struct, frozen=True):
    """A process, told apart from later ones with the same number by the ticks at which it started.

    `where` names the machine's boot and the process namespace: only there can the number be looked up.
    """

    VARIABLE: ClassVar[str] = "CI_BUILDKIT_OWNER"

    where: str
    pid: int
    ticks: int
    since: int

    def __str__(self) -> str:
        """The form that is written into the builder's environment."""
        return f"{self.where}:{self.pid}:{self.ticks}:{self.since}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read that form; None where it is none."""
        parts = text.split(":")
        if len(parts) != 4 or not all(part.isdecimal() for part in parts[1:]):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]), int(parts[3]))

    @classmethod
    def of(cls, variables: Iterable[str]) -> Owner | None:
        """The owner that a container's environment (`NAME=value` each) names; None where it names none."""
        prefix = f"{cls.VARIABLE}="
        return next((cls.parse(v.removeprefix(prefix)) for v in variables if v.startswith(prefix)), None)

    @classmethod
    def here(cls) -> Owner:
        """This process."""
        return cls(_where(), os.getpid(), _ticks(os.getpid()) or 0, int(time.time()))

    def alive(self) -> bool:
        """Whether the process still runs. Where that cannot be seen, young builders count as alive."""
        if self.where != _where():
            return time.time() - self.since < FOREIGN_AGE
        return _ticks(self.pid) == self.ticks


def _where() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return os.uname().nodename.replace(":", "-")


def _ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot: field 22 of proc(5) stat; None where it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])
