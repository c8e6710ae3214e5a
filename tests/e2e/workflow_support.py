"""Runs callers of the reusable workflows under act, with this checkout in the place of org/ci-buildkit@v1."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import action_support as support

DOWNLOAD = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093"
# act fetches what a step with a false `if` uses, too. Nothing here wants these.
UNUSED = (
    "docker/setup-qemu-action@c7c53464625b32c7a7e944ae62b3e17d2b600130",
    "sigstore/cosign-installer@faadad0cce49287aee09b3a48701e75088a2c6ad",
    "actions/attest@1e69f48acb82d1966a394da916b4c1698aa569d6",
)
REFUSAL = """
name: Not wanted
description: A step that must not run
runs:
  using: composite
  steps:
    - shell: sh
      run: exit 1
"""
HEAD = """
name: {name}
on: {event}
permissions: {{}}
jobs:
  call:
    permissions:
      contents: write
      packages: write
      checks: write
      pull-requests: write
      actions: read
      id-token: write
      attestations: write
    uses: org/ci-buildkit/.github/workflows/{workflow}.yml@v1
"""
TELL = """
  tell:
    needs: call
    if: always()
    runs-on: ubuntu-latest
    steps:
      - name: tell
        env:
          OUTPUTS: ${{ toJSON(needs.call.outputs) }}
        run: |
          printf 'outputs=%s\\n' "$(printf '%s' "$OUTPUTS" | tr -d '\\n')"
"""


def called(
    workflow: str, inputs: Mapping[str, Any], secrets: Mapping[str, str] | None = None, event: str = "push"
) -> str:
    """A workflow that calls one of the reusable ones, and then tells its outputs."""
    text = HEAD.format(name=f"{workflow}-{uuid.uuid4().hex[:8]}", event=event, workflow=workflow)
    for key, values in (("with", inputs), ("secrets", secrets or {})):
        if values:
            text += f"    {key}:\n" + "".join(f"      {name}: {json.dumps(value)}\n" for name, value in values.items())
    return text + TELL


def repository(folder: Path, workflow: str, files: Mapping[str, str], *, tag: str = "") -> Path:
    """A repository with these files and a workflow, in one commit."""
    for name, text in {**files, ".github/workflows/ci.yml": workflow}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not (folder / ".git").exists():
        support.git(folder, "init", "--quiet", "--initial-branch=main")
        support.git(folder, "remote", "add", "origin", "https://github.com/octo/hello.git")
    support.git(folder, "add", "--all")
    support.git(folder, "commit", "--quiet", "--message=Change something")
    if tag:
        support.git(folder, "tag", "--annotate", f"--message={tag}", tag)
    return folder


@dataclass(frozen=True)
class Workflows:
    """act with all that the workflows use. `download` is the stand-in of actions/download-artifact."""

    act: support.Act
    download: Path

    def run(
        self,
        repository: Path,
        event: str = "push",
        payload: Mapping[str, Any] | None = None,
        words: Sequence[str] = (),
    ) -> support.ActRun:
        """Run the repository's workflow for an event."""
        artifacts = self.act.work / "artifacts" / repository.name
        program, _, *command = self.act.command(support.free_port(), artifacts)
        file = self.act.work / f"{repository.name}.json"
        file.write_text(json.dumps(payload or {}))
        unused = self.act.work / "unused"
        unused.mkdir(exist_ok=True)
        (unused / "action.yml").write_text(REFUSAL)
        mapped = {DOWNLOAD: self.download, **dict.fromkeys(UNUSED, unused)}
        places = [word for name, path in mapped.items() for word in ("--local-repository", f"{name}={path}")]
        own = {"ACT_DISABLE_VERSION_CHECK": "1", "XDG_CONFIG_HOME": str(self.act.work / "config")}
        with subprocess.Popen(
            [program, event, *command, *places, "--eventpath", str(file), *words],
            cwd=repository, env={**os.environ, **self.act.lab, **own},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                log, errors = process.communicate(timeout=support.SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # act then removes the jobs' containers
                log, errors = process.communicate(timeout=60)
        return support.ActRun(process.returncode, list(support.parse(log)), artifacts, errors)


def stand_in(name: str) -> Path:
    """The folder of a bundled stand-in for an action."""
    command = [sys.executable, "-m", "lab.upload_artifact", name]
    return Path(subprocess.run(command, cwd=support.ROOT, check=True, capture_output=True, text=True).stdout.strip())
