"""The engine for every end-to-end test, and one warm builder for those that can share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import support

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


@pytest.fixture(scope="session")
def environment(lab: dict[str, str]) -> dict[str, str]:
    """The environment of a user's shell after `. .lab/env`."""
    return support.user_environment(lab)


@pytest.fixture(scope="session")
def builder(environment: dict[str, str]) -> Iterator[str]:
    """A builder for the whole session: what one test built is in the cache of the next."""
    name = f"e2e-{os.getpid()}"
    support.command(["builder", "create", name], environment, check=True)
    yield name
    support.command(["builder", "rm", name], environment, check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty repository folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def buildme(tmp_path: Path) -> Path:
    """A fresh checkout of examples/buildme, clean and tagged v1.2.3."""
    return support.checkout(tmp_path / "buildme")
