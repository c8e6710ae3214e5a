"""One command as a process of its own: how long it took, and how much of the processors and of the memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LAUNCH = Path(__file__).with_name("launch.py")


class Spent(NamedTuple):
    """What a command took: seconds, processor seconds of it and of all that it waited for, bytes of the largest of these."""

    seconds: float
    processor: float
    memory: int


def spent(
    command: Sequence[object],
    output: Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    answers: Sequence[int] = (0, 1),
) -> Spent:
    """What a command took that is run in `folder`; what it printed goes to `output`. Any exit code but `answers` ends us."""
    words = [sys.executable, "-I", "-S", str(LAUNCH), str(output), *map(str, command)]
    done = subprocess.run(words, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True)
    seconds, processor, memory, code = done.stdout.split()
    if int(code) not in answers:
        sys.exit(f"bench: {command} failed\n{output.read_text('utf-8', 'replace')[-2000:]}")
    return Spent(float(seconds), float(processor), int(memory))
