"""Runs the command as a user would and gives back what it left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATE = "2024-05-06T07:08:09Z"  # of the commits that tests make


@dataclass(frozen=True)
class Run:
    """A finished `ci-buildkit run`: exit code, what it printed, the report folder and its record."""

    code: int
    output: str
    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """run.json."""
        return dict(json.loads((self.folder / "run.json").read_text()))

    def stage(self, name: str) -> dict[str, Any]:
        """A stage of the record."""
        return next(stage for stage in self.record["stages"] if stage["name"] == name)

    def steps(self, name: str) -> list[dict[str, Any]]:
        """The timeline of a stage."""
        return list(self.stage(name)["timeline"])

    def log(self, name: str) -> str:
        """The log of a stage."""
        return (self.folder / "logs" / f"{name}.log").read_text()


def user_environment(lab: Mapping[str, str]) -> dict[str, str]:
    """This process' environment with the engine's variables, and without those of a CI that may run the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_BUILDKIT_"))}
    return {**own, **lab}


def command(
    words: Sequence[str], environment: Mapping[str, str], *, cwd: Path = ROOT, check: bool = False, seconds: float = 500
) -> subprocess.CompletedProcess[str]:
    """Run `ci-buildkit WORDS`."""
    done = subprocess.run(
        [sys.executable, "-m", "ci_buildkit", *words],
        cwd=cwd, env=dict(environment), capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
    )  # fmt: skip
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def run(project: Path, environment: Mapping[str, str], *words: str, seconds: float = 500, report: str = "ci-report") -> Run:
    """Run `ci-buildkit run WORDS` in a project; the report goes beside the project."""
    folder = project.parent / report
    done = command(["run", "--report-dir", str(folder), *words], environment, cwd=project, seconds=seconds)
    return Run(done.returncode, done.stdout + done.stderr, folder)


def git(folder: Path, *words: str) -> str:
    """Run git with a fixed author and date."""
    who = {"NAME": "Test", "EMAIL": "test@example.com", "DATE": DATE}
    env = {**os.environ, **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}}
    return subprocess.run(["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, tag: str | None = None) -> None:
    """Commit everything in a folder, making it a repository where it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "state")
    if tag:
        git(folder, "tag", tag)


def checkout(folder: Path) -> Path:
    """A copy of examples/buildme as a repository of its own, tagged v1.2.3."""
    shutil.copytree(ROOT / "examples" / "buildme", folder, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
    commit(folder, "v1.2.3")
    return folder


def manifest(lab: Mapping[str, str], name: str, reference: str) -> tuple[dict[str, Any], str]:
    """What the lab's registry holds: the manifest or index, and its digest."""
    kinds = ("index", "manifest")
    accept = ",".join(f"application/vnd.oci.image.{kind}.v1+json" for kind in kinds)
    address = f"http://{lab['CI_BUILDKIT_LAB_REGISTRY']}/v2/{name}/manifests/{reference}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": accept}), timeout=30) as answer:
        return json.loads(answer.read()), answer.headers["Docker-Content-Digest"]


def blob(lab: Mapping[str, str], name: str, digest: str) -> bytes:
    """A blob of the lab's registry."""
    address = f"http://{lab['CI_BUILDKIT_LAB_REGISTRY']}/v2/{name}/blobs/{digest}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return bytes(answer.read())
