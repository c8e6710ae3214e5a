"""Daemons of the lab: started apart from the caller's terminal, recognised again, and ended without hitting others."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROC = Path("/proc")


def started(pid: int) -> int | None:
    """Return the start time of a living process in clock ticks since boot, None when there is none.

    With the pid it names one process for good (proc(5), field 22); a zombie counts as ended.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the command name before it may hold anything
    return None if fields[0] == "Z" else int(fields[19])


def executable(pid: int) -> str:
    """Return the path of the process's program; empty when it has ended or is not ours to see."""
    try:
        return str((PROC / str(pid) / "exe").readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""


def pids() -> Iterator[int]:
    """Yield the ids of all processes."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


@dataclass(frozen=True)
class PidFile:
    """The note of one daemon: its pid, start time and program, so that a reused pid is never taken for it."""

    path: Path

    def write(self, pid: int) -> None:
        """Note a process that was just started."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"pid": pid, "started": started(pid), "executable": executable(pid)}))

    def living(self) -> int | None:
        """Return the pid when the noted process still runs, else None."""
        try:
            note = json.loads(self.path.read_text())
            pid = int(note["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if note.get("started") is None or started(pid) != note["started"]:
            return None
        return pid if executable(pid) == note.get("executable") else None

    def remove(self) -> None:
        """Forget the process."""
        self.path.unlink(missing_ok=True)


def start(command: Sequence[str | Path], note: PidFile, log: Path, env: Mapping[str, str]) -> int:
    """Start a daemon in a session of its own with its output appended to ``log``; return its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd="/",
            start_new_session=True,
        )
    note.write(child.pid)
    return child.pid


def ended(pid: int) -> bool:
    """Tell whether the process has ended, collecting it when it is our child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return started(pid) is None


def stop(note: PidFile, seconds: float) -> None:
    """End the noted process if it is still that one: SIGTERM, then SIGKILL after ``seconds``."""
    pid = note.living()
    if pid is not None:
        end([pid], seconds)
    note.remove()


def signal_to_end(pid: int) -> None:
    """Ask the process to end (SIGTERM) without waiting for it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def end(targets: Sequence[int], seconds: float) -> None:
    """End processes: SIGTERM, then SIGKILL for those still there after ``seconds``; returns when all have ended."""
    for sent, limit in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10.0)):
        living = [pid for pid in targets if not ended(pid)]
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        deadline = time.monotonic() + limit
        while living and time.monotonic() < deadline:
            time.sleep(0.02)
            living = [pid for pid in living if not ended(pid)]


def daemons_in(tools: Path, names: frozenset[str]) -> list[int]:
    """Return the processes whose program has one of the names and lies in the lab's own folder of tools."""
    found = []
    for pid in pids():
        path = executable(pid)
        if path.startswith(f"{tools}/") and Path(path).name in names:
            found.append(pid)
    return found


def inside_containers(data: Path) -> list[int]:
    """Return the processes whose root file system is mounted from ``data``: those of the lab's containers."""
    own = (PROC / "self" / "mountinfo").read_text()
    found = []
    for pid in pids():
        try:
            mounts = (PROC / str(pid) / "mountinfo").read_text()
        except OSError:
            continue
        root = next((line for line in mounts.splitlines() if line.split()[4] == "/"), "")
        if f"{data}/" in root and mounts != own:
            found.append(pid)
    return found
