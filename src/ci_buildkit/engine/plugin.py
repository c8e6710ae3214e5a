"""Where buildx itself is: docker runs itself and the plugin once more to find that out, at every call."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "docker-buildx"
# In docker's order, behind the user's own (docker/cli cli-plugins/manager/manager.go and manager_unix.go).
FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


def find(environ: Mapping[str, str]) -> str | None:
    """The program that `docker buildx` would run with this environment; None where only docker knows.

    A `docker` that is a script, or another program by that name, is somebody's way to an engine, and is left in between.
    """
    docker = shutil.which("docker", path=environ.get("PATH"))
    if docker is None or not _is_docker(Path(docker)):
        return None
    return next((str(path) for path in _candidates(environ) if path.exists() and os.access(path, os.X_OK)), None)


def _is_docker(command: Path) -> bool:
    try:
        with command.open("rb") as file:
            return command.resolve().name == "docker" and file.read(2) != b"#!"
    except OSError:
        return False


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    own = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", ""), ".docker"))
    try:
        settings = json.loads((own / "config.json").read_text(encoding="utf-8"))
        extra = [str(folder) for folder in settings.get("cliPluginsExtraDirs") or ()]
    except (OSError, ValueError, AttributeError, TypeError):
        extra = []
    for folder in (*extra, str(own / "cli-plugins"), *FOLDERS):
        yield Path(folder, NAME)
