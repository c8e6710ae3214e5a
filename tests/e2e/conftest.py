"""The engine for every end-to-end test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def lab() -> dict[str, str]:
    """The variables of `.lab/env`, after bringing the engine up. Tests pass them on, this process keeps its own."""
    subprocess.run([sys.executable, "lab/lab.py", "up", "--quiet"], cwd=ROOT, check=True)
    script = "set -a; . .lab/env >&2; exec env -0"
    bare = {name: value for name, value in os.environ.items() if name in {"HOME", "PATH"}}
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True, env=bare)
    variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    return {name: value for name, value in variables.items() if name == "PATH" or bare.get(name) != value}
