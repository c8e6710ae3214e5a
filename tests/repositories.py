"""Git repositories that tests make: with an author and a date of their own, and no configuration of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *words: str, date: str) -> str:
    """What a git command prints, without the last line end. `date` is that of commits and tags, as git takes it."""
    identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.com", f"GIT_{role}_DATE": date}
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **identity})
    return done.stdout.strip()
