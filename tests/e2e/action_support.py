"""Runs a caller's workflow under act against this checkout's action, and reads what happened from act's JSON log."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import repositories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
ACTION = "org/ci-buildkit@v1"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02"
SCRIPT = "actions/github-script@ed597411d8f924073f98dfc5c65a23a2325f34cd"
# act copies the caller's own checkout instead of running this action; the commit only has to look like one.
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
SECONDS = 480
PUBLIC_IMAGE = "catthehacker/ubuntu:act-latest"  # where the engine is not the lab's

# act names a job's container after workflow and job, and removes one of that name: runs side by side need names of their own.
WORKFLOW = """
name: {name}
on: push
permissions:
  contents: read
jobs:
  pipeline:
    runs-on: ubuntu-latest
    steps:
      - uses: {checkout}
      - id: ci
        uses: {action}
        with:
{inputs}
      - name: tell
        if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.ci.outputs) }}}}
          OUTCOME: ${{{{ steps.ci.outcome }}}}
        run: |
          printf 'outcome=%s\\n' "$OUTCOME"
          printf 'outputs=%s\\n' "$(printf '%s' "$OUTPUTS" | tr -d '\\n')"
"""


def export_checkout(target: Path) -> Path:
    """Copy what would be committed of this checkout: tracked and new files, nothing that Git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return target


def stand_in() -> Path:
    """The folder of the upload-artifact stand-in, bundled by the lab on first use."""
    command = [sys.executable, "-m", "lab.upload_artifact"]
    return Path(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip())


def git(folder: Path, *words: str) -> None:
    """Run git with a date of its own."""
    repositories.git(folder, *words, date="2026-01-02T03:04:05Z")


def caller(folder: Path, project: Path, inputs: Mapping[str, str], files: Mapping[str, str]) -> Path:
    """A repository with a copy of `project`, further `files`, and a workflow that uses the action; tagged v1.2.3."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("ci-report", ".lab"))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    lines = "\n".join(f"          {name}: {json.dumps(value)}" for name, value in inputs.items())
    workflow = folder / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.write_text(
        WORKFLOW.format(name=f"CI-{uuid.uuid4().hex[:8]}", checkout=CHECKOUT, action=ACTION, inputs=lines),
        encoding="utf-8",
    )
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", "https://github.com/acme/buildme.git")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Use ci-buildkit")
    git(folder, "tag", "--annotate", "--message=v1.2.3", "v1.2.3")
    return folder


@dataclass(frozen=True)
class ActRun:
    """One finished run of act: its exit code, its log as records, and the folder of its artifact server."""

    code: int
    records: list[dict[str, Any]]
    artifact_folder: Path
    stderr: str = field(repr=False)

    @property
    def job_results(self) -> dict[str, str]:
        """The result of each job that ran; a job that act skipped silently is missing here."""
        return {record["jobID"]: record["jobResult"] for record in self.records if "jobResult" in record}

    @property
    def text(self) -> str:
        """Everything that was logged, one record a line."""
        return "\n".join(str(record.get("msg", "")).rstrip("\n") for record in self.records)

    def step_results(self) -> dict[str, str]:
        """The result of each step by its id path, such as `ci/run` for a step inside the action."""
        ended = (record for record in self.records if "stepResult" in record and record.get("stage") == "Main")
        return {"/".join(record["stepID"]): record["stepResult"] for record in ended}

    def commands(self, name: str) -> list[dict[str, Any]]:
        """The workflow commands of one kind that steps gave."""
        return [record for record in self.records if record.get("command") == name]

    @cached_property
    def told(self) -> dict[str, str]:
        """What the last step printed: the outcome of the action's step, and its outputs as JSON."""
        found: dict[str, str] = {}
        for record in self.records:
            for line in str(record.get("msg", "")).splitlines():
                name, equals, value = line.partition("=")
                if record.get("step") == "tell" and equals and name in {"outcome", "outputs"}:
                    found[name] = value
        return found

    @property
    def outputs(self) -> dict[str, str]:
        """The action's outputs."""
        result: dict[str, str] = json.loads(self.told["outputs"])
        return result

    @property
    def summary(self) -> str:
        """The job summary of the pipeline's step."""
        return "\n".join(
            record["content"] for record in self.commands("summary") if record.get("stepID", [])[-1:] == ["run"]
        )

    def artifacts(self) -> dict[str, zipfile.ZipFile]:
        """The uploaded artifacts by name (the server keeps RUN/NAME/NAME.zip)."""
        return {
            path.stem: zipfile.ZipFile(io.BytesIO(path.read_bytes())) for path in self.artifact_folder.rglob("*.zip")
        }


@dataclass(frozen=True)
class Act:
    """act on the lab's engine, with the action taken from `exported`; no network but for package registries."""

    lab: Mapping[str, str]
    exported: Path
    upload: Path
    work: Path

    def command(self, port: int, artifacts: Path) -> list[str]:
        """The command line for one run."""
        builder = ("CI_BUILDKIT_BUILDER_IMAGE", "CI_BUILDKIT_BUILDKITD_CONFIG", "CI_BUILDKIT_BUILDER_DRIVER_OPTS")
        passed = {name: self.lab[name] for name in builder if name in self.lab}
        # A package index of this machine's own holds inside the job too.
        passed |= {name: os.environ[name] for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX") if name in os.environ}
        # act's artifact server writes the blocks of an artifact in the order in which they arrive: one at a time, then.
        passed["ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY"] = "1"
        image = self.lab.get("CI_BUILDKIT_RUNNER_IMAGE", PUBLIC_IMAGE)
        return [
            str(Path(sys.executable).parent / "act"), "push", "--json", "--rm", "--pull=false", "--action-offline-mode",
            "--platform", f"ubuntu-latest={image}",
            "--local-repository", f"{ACTION}={self.exported}", "--local-repository", f"{UPLOAD}={self.upload}",
            "--local-repository", f"{SCRIPT}={self.exported / 'lab' / 'github-script'}",
            "--artifact-server-path", str(artifacts), "--artifact-server-addr", "127.0.0.1",
            "--artifact-server-port", str(port),
            "--cache-server-path", str(self.work / "cache"), "--cache-server-addr", "127.0.0.1",
            "--action-cache-path", str(self.work / "actions"),
            *self.engine(),
            *(f"--env={name}={value}" for name, value in passed.items()),
        ]  # fmt: skip

    def engine(self) -> Iterator[str]:
        """How the job reaches the lab's engine; nothing where it is the machine's own Docker, which act finds."""
        if "DOCKER_HOST" in self.lab:
            yield f"--container-daemon-socket={self.lab['DOCKER_HOST']}"
        if config := self.lab.get("CI_BUILDKIT_BUILDKITD_CONFIG"):
            yield f"--container-options=-v {config}:{config}:ro"

    def run(self, repository: Path) -> ActRun:
        """Run the repository's workflow for a push."""
        artifacts = self.work / "artifacts" / repository.name
        own = {"ACT_DISABLE_VERSION_CHECK": "1", "XDG_CONFIG_HOME": str(self.work / "config")}
        with subprocess.Popen(
            self.command(free_port(), artifacts), cwd=repository, env={**os.environ, **self.lab, **own},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                log, errors = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # act then removes the job's container
                log, errors = process.communicate(timeout=60)
        return ActRun(process.returncode, list(parse(log)), artifacts, errors)


def parse(log: str) -> Iterator[dict[str, Any]]:
    """The records of act's JSON log; other lines become records of their own."""
    for line in log.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        yield record if isinstance(record, dict) else {"msg": line}


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def remove_builder(name: str, lab: Mapping[str, str]) -> None:
    """Remove a docker-container builder whose record is gone with the job's container: its container and volume."""
    container = f"buildx_buildkit_{name}0"
    for command in (["rm", "--force", container], ["volume", "rm", "--force", f"{container}_state"]):
        subprocess.run(["docker", *command], env={**os.environ, **lab}, check=False, capture_output=True)
