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


def on_demand(*module: str) -> str:
    """What a command of the lab prints. The first call may build for minutes; workers wait for each other's build."""
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@pytest.fixture(scope="session")
def cosign() -> Path:
    """The program cosign."""
    return Path(on_demand("lab.tools", "cosign"), "cosign")


@pytest.fixture(scope="session")
def syft() -> Path:
    """The program syft."""
    return Path(on_demand("lab.tools", "syft"), "syft")


@pytest.fixture(scope="session")
def scanner(lab: dict[str, str]) -> str:
    """The image that `--sbom=true` asks for, in the lab's registry."""
    assert lab["CI_BUILDKIT_LAB_REGISTRY"], "the machine's own Docker is in use: set CI_BUILDKIT_LAB=always"
    return on_demand("lab.scanner")


@pytest.fixture(scope="session")
def rust(lab: dict[str, str]) -> str:
    """The image of Rust, in the lab's registry."""
    assert lab["CI_BUILDKIT_LAB_REGISTRY"], "the machine's own Docker is in use: set CI_BUILDKIT_LAB=always"
    return on_demand("lab.languages", "rust")


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
