"""What a checkout learns of the lab: ``.lab/env``; and whether the machine's own Docker does instead."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .console import LabError, run, step

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICE = "CI_BUILDKIT_LAB"
MACHINE = "the machine's Docker"
CHOICES = ("auto", "always", "never")
BUILDER_IMAGE = "moby/buildkit:buildx-stable-1"  # buildx's own default, so plain `buildx create` works too
RUNNER_IMAGE = "library/ci-buildkit-runner"
PROBE = """# syntax=docker/dockerfile:1
FROM scratch
COPY Dockerfile /
"""


def choice() -> str:
    """Return what the user wants: ``auto``, ``always`` or ``never`` (the lab instead of the machine's Docker)."""
    wanted = os.environ.get(CHOICE) or "auto"
    if wanted not in CHOICES:
        raise LabError(
            what=f"{CHOICE}={wanted} is not known", why=f"it can be {', '.join(CHOICES)}", then=f"set or unset {CHOICE}"
        )
    return wanted


def buildkitd_config(port: int) -> str:
    """Return buildkitd.toml: the registry is Docker Hub's mirror and speaks plain HTTP under each of its names.

    Four steps run at once at most: without a limit a build for five platforms starts ten compilers on two cores. The
    cache is not collected: a machine short of disk would lose cache mounts between two builds that are compared.
    """
    names = (f"localhost:{port}", f"127.0.0.1:{port}")
    entries = "".join(f'\n[registry."{name}"]\n  http = true\n  insecure = true\n' for name in names)
    worker = "[worker.oci]\n  gc = false\n  max-parallelism = 4\n\n"
    return f'{worker}[registry."docker.io"]\n  mirrors = ["{names[0]}"]\n{entries}'


def lines(values: Mapping[str, str], path_first: Path | None) -> str:
    """Return ``.lab/env``: shell lines that export the values, quoted, and put one folder first on PATH."""
    text = "# Written by `make lab`; use it with `. .lab/env`.\n"
    text += "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    return text + (f'export PATH={shlex.quote(str(path_first))}:"$PATH"\n' if path_first else "")


def write(checkout: Path, text: str, note: Mapping[str, str]) -> None:
    """Write ``.lab/env`` and the note of what it belongs to, each as a whole."""
    folder = checkout / ".lab"
    folder.mkdir(exist_ok=True)
    for name, content in (("env", text), ("note.json", json.dumps(dict(note), indent=1) + "\n")):
        part = folder / f".{name}.{os.getpid()}"
        part.write_text(content)
        part.replace(folder / name)


def uses_machine(checkout: Path) -> bool:
    """Tell whether the checkout was last set up for the machine's own Docker."""
    try:
        return MACHINE in (checkout / ".lab" / "note.json").read_text()
    except OSError:
        return False


def forget(checkout: Path) -> None:
    """Remove ``.lab`` from the checkout."""
    shutil.rmtree(checkout / ".lab", ignore_errors=True)


def why_no_docker(probed: Path) -> str:
    """Return an empty string when the machine's Docker can do the job, else the reason why not.

    It can when a docker-container builder starts and solves a Dockerfile whose syntax image comes from a registry.
    A success is remembered in ``probed`` for the same daemon, because the probe takes seconds.
    """
    if not shutil.which("docker"):
        return "there is no docker command on PATH"
    try:
        daemon = _output(["docker", "info", "--format", "{{.ID}}"], 20)
        if probed.exists() and probed.read_text() == daemon:
            return ""
        _output(["docker", "buildx", "version"], 20)
        with step("tried the machine's own Docker"):
            _probe_builder()
    except _NoDockerError as error:
        return str(error)
    probed.write_text(daemon)
    return ""


class _NoDockerError(Exception):
    """The machine's Docker cannot do the job; the text is the reason."""


def _probe_builder() -> None:
    name = f"ci-buildkit-probe-{os.getpid()}"
    with tempfile.TemporaryDirectory() as context:
        Path(context, "Dockerfile").write_text(PROBE)
        try:
            _output(["docker", "buildx", "create", "--name", name, "--driver", "docker-container", "--bootstrap"], 180)
            _output(["docker", "buildx", "build", "--builder", name, "--output", "type=cacheonly", context], 120)
        finally:
            subprocess.run(["docker", "buildx", "rm", "--force", name], capture_output=True, timeout=60, check=False)


def _output(command: list[str], seconds: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NoDockerError(str(error)) from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        msg = f"`{' '.join(command[:3])}`: {last}"
        raise _NoDockerError(msg)
    return done.stdout.strip()


def prepare_client(config: Path, plugin: Path) -> None:
    """Make the docker client's configuration folder: buildx as its plugin, instances apart from the user's."""
    link = config / "cli-plugins" / "docker-buildx"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not (link.is_symlink() and link.resolve() == plugin.resolve()):
        link.unlink(missing_ok=True)
        link.symlink_to(plugin)
    settings = config / "config.json"
    if not settings.exists():
        settings.write_text("{}\n")


def pull_builder(docker: Path | str, values: Mapping[str, str]) -> None:
    """Pull the BuildKit image into the daemon, so that the first builder starts at once."""
    run([docker, "pull", "--quiet", BUILDER_IMAGE], env={**os.environ, **values}, timeout=120)
