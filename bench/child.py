"""One command as a process of its own: how long it took, and the most memory that it had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def spent(
    command: Sequence[object],
    output: Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    answers: Sequence[int] = (0, 1),
) -> tuple[float, int]:
    """Seconds and bytes of a command; what it printed goes to `output`. an exit code that is no answer ends us."""
    with output.open("wb") as file:
        began = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], cwd=folder, env=env, stdout=file, stderr=file)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in answers:
        sys.exit(f"bench: {command} failed\n{output.read_text('utf-8', 'replace')[-2000:]}")
    return seconds, usage.ru_maxrss * 1024
