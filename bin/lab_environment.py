"""The engine's variables, for the scripts beside this file."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def load() -> dict[str, str]:
    """This process' environment with what `.lab/env` exports; raises CalledProcessError where there is no such file."""
    done = subprocess.run(
        ["sh", "-c", "set -a; . .lab/env >&2; exec env -0"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
