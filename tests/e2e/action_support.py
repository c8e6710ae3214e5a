"""Runs a caller's workflow under act against this checkout's action, and reads what happened from act's JSON log."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import repositories

from ci_buildkit.act import command as act_command
from ci_buildkit.act import docker, images, program
from ci_buildkit.act.prepare import Request
from ci_buildkit.act.record import parse as parse_record
from ci_buildkit.act.session import execute
from ci_buildkit.act.view import PlainView
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
ACTION = "org/ci-buildkit@v1"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02"
SCRIPT = "actions/github-script@ed597411d8f924073f98dfc5c65a23a2325f34cd"
# act copies the caller's own checkout instead of running this action; the commit only has to look like one.
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
SECONDS = 480

WORKFLOW = """
name: CI
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
        WORKFLOW.format(checkout=CHECKOUT, action=ACTION, inputs=lines),
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
        ended = (record for record in self.records if record.get("jobResult", "skipped") != "skipped")
        return {record["jobID"]: record["jobResult"] for record in ended}

    @property
    def text(self) -> str:
        """Everything that was logged, one record a line."""
        return "\n".join(str(record.get("msg", "")).rstrip("\n") for record in self.records)

    def step_results(self) -> dict[str, str]:
        """The result of each step by its id path, such as `ci/run` for a step inside the action."""
        ended = (record for record in self.records if record.get("stage") == "Main")
        results = {"/".join(record["stepID"]): record["stepResult"] for record in ended if "stepResult" in record}
        return {step: result for step, result in results.items() if result != "skipped"}

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

    @property
    def uses(self) -> dict[str, Path]:
        """The folders that stand for the actions of the action."""
        return {ACTION: self.exported, UPLOAD: self.upload, SCRIPT: self.exported / "lab" / "github-script"}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of act: nothing of this user's own settings or caches of act."""
        own = {"XDG_CONFIG_HOME": str(self.work / "config"), "XDG_CACHE_HOME": str(self.work / "cache")}
        return {**os.environ, **self.lab, **own}

    def command(self, port: int, artifacts: Path) -> list[str]:
        """The command line for one run of act without `ci-buildkit act` around it."""
        environ = self.environment
        cancellation = Cancellation()
        event = self.work / "event.json"
        event.write_text("{}")
        variables, _ = act_command.environment(environ, "acme/buildme", "support")
        del variables["GITHUB_REPOSITORY"]  # which act then takes from the repository
        return act_command.words(
            act_command.Call(
                act=program.find(environ, cancellation, offline=True).path,
                event="push",
                workflows=Path(".github/workflows"),
                event_file=event,
                platforms=tuple(images.images((), environ, {}).flags(())),
                repositories=[f"--local-repository={name}={folder}" for name, folder in self.uses.items()],
                docker=docker.look(Buildx(environ)),
                port=port,
                artifacts=artifacts,
                cache=self.work / "cache" / "act",
                environment=variables,
                secrets=(),
                variables=(),
                mounts=act_command.mounts(environ),
                matrix=(),
                passed=("--action-cache-path", str(self.work / "actions"), "--verbose=false"),
            )
        )

    def run(
        self,
        repository: Path,
        event: str = "push",
        payload: Mapping[str, Any] | None = None,
        uses: Mapping[str, Path] | None = None,
        passed: Sequence[str] = (),
    ) -> ActRun:
        """Run the repository's workflows for an event; `uses` are further folders for actions, `passed` words for act."""
        records: list[dict[str, Any]] = []
        cancellation = Cancellation()
        told = io.StringIO()
        file = None
        if payload is not None:
            file = self.work / f"{repository.name}.json"
            file.write_text(json.dumps(payload))
        request = Request(
            folder=repository,
            event=event,
            event_file=file,
            uses=[f"{name}={folder}" for name, folder in {**self.uses, **(uses or {})}.items()],
            offline=True,
            passed=passed,
        )
        timer = threading.Timer(SECONDS, cancellation.cancel)
        timer.start()
        try:
            finished = execute(
                request, self.environment, cancellation, PlainView(stream=told), lambda one: records.append(one.as_json)
            )
        finally:
            timer.cancel()
        code = 0 if finished.outcome.outcome == "passed" else 1
        return ActRun(code, records, finished.log.parent / "artifacts", told.getvalue())


def parse(log: str) -> Iterator[dict[str, Any]]:
    """The records of act's JSON log; other lines become records of their own."""
    return (parse_record(line.encode()).as_json for line in log.splitlines())


def free_port() -> int:
    """A port that nothing listens on now."""
    return docker.free_port("")


def remove_builder(name: str, lab: Mapping[str, str]) -> None:
    """Remove a docker-container builder whose record is gone with the job's container: its container and volume."""
    container = f"buildx_buildkit_{name}0"
    for command in (["rm", "--force", container], ["volume", "rm", "--force", f"{container}_state"]):
        subprocess.run(["docker", *command], env={**os.environ, **lab}, check=False, capture_output=True)
