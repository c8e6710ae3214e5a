"""Runs the command as a user would and gives back what it left."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tests import repositories

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


def run(
    project: Path, environment: Mapping[str, str], *words: str, seconds: float = 500, report: str = "ci-report"
) -> Run:
    """Run `ci-buildkit run WORDS` in a project; the report goes beside the project."""
    folder = project.parent / report
    done = command(["run", "--report-dir", str(folder), *words], environment, cwd=project, seconds=seconds)
    return Run(done.returncode, done.stdout + done.stderr, folder)


@dataclass(frozen=True)
class Started:
    """A run that goes on in a session of its own, as under a terminal or a CI runner."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: Path

    @property
    def pid(self) -> int:
        """The process of `ci-buildkit` itself."""
        return self.process.pid

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = 90) -> None:
        """Wait until it has printed a text."""
        end = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < end, self.output
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        """The processes that it started and that run now."""
        return psutil.Process(self.pid).children(recursive=True)

    def interrupt(self, number: signal.Signals) -> None:
        """Ctrl-C goes to everything in the foreground, any other signal to `ci-buildkit` alone."""
        if number == signal.SIGINT:
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)

    def finish(self, seconds: float) -> Run:
        """Wait for its end; it is killed where it has not ended in time."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            raise
        return Run(code, self.output, self.folder)


def start(project: Path, environment: Mapping[str, str], *words: str, report: str = "ci-report") -> Started:
    """Start `ci-buildkit run WORDS` in a project."""
    folder, log = project.parent / report, project.parent / f"{report}.log"
    command_line = [sys.executable, "-m", "ci_buildkit", "run", "--report-dir", str(folder), *words]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command_line, cwd=project, env=dict(environment), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    return Started(process, folder, log)


def git(folder: Path, *words: str) -> str:
    """Run git with a fixed author and date."""
    return repositories.git(folder, *words, date=DATE)


def commit(folder: Path, tag: str | None = None) -> None:
    """Commit everything in a folder, making it a repository where it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "state")
    if tag:
        git(folder, "tag", tag)


def checkout(folder: Path, example: str = "buildme") -> Path:
    """A copy of an example as a repository of its own, tagged v1.2.3."""
    outputs = shutil.ignore_patterns("ci-report", "bake-out", "node_modules", "target", ".venv", "__pycache__")
    shutil.copytree(ROOT / "examples" / example, folder, ignore=outputs)
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


def tags(lab: Mapping[str, str], name: str) -> list[str]:
    """The tags of a repository in the lab's registry; none where nothing was pushed to it."""
    try:
        with urllib.request.urlopen(
            f"http://{lab['CI_BUILDKIT_LAB_REGISTRY']}/v2/{name}/tags/list", timeout=30
        ) as answer:
            return list(json.loads(answer.read())["tags"] or ())
    except urllib.error.HTTPError as error:  # 404: no such repository
        if error.code != 404:
            raise
        return []


def platform_of(entry: Mapping[str, Any]) -> str:
    """The platform of an index's entry; `unknown/unknown` for an attestation."""
    where = entry["platform"]
    return "/".join(filter(None, (where["os"], where["architecture"], where.get("variant"))))


def image_files(lab: Mapping[str, str], name: str, digest: str) -> dict[str, bytes]:
    """Every regular file of one platform's image, by path; layers are laid over each other."""
    image, _ = manifest(lab, name, digest)
    files: dict[str, bytes] = {}
    for layer in image["layers"]:
        with tarfile.open(fileobj=io.BytesIO(blob(lab, name, layer["digest"]))) as archive:
            for member in archive:
                if member.isfile() and (content := archive.extractfile(member)):
                    files[member.name] = content.read()
    return files
