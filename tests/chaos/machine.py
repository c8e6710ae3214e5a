"""What a machine holds that runs may leave behind: containers, volumes, builders, processes, mounts, temporary files."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

OURS = ("ci_buildkit", "docker-buildx", "docker buildx")


@dataclass(frozen=True)
class Machine:
    """Names of what is there, each with its kind."""

    things: frozenset[str]

    @classmethod
    def look(cls, environment: Mapping[str, str]) -> Machine:
        """What is there now."""
        found = {
            *(f"container {name}" for name in _docker(environment, "ps", "--all", "--format", "{{.Names}}")),
            *(f"volume {name}" for name in _docker(environment, "volume", "ls", "--format", "{{.Name}}")),
            *(f"network {name}" for name in _docker(environment, "network", "ls", "--format", "{{.Name}}")),
            *(f"builder {path.name}" for path in _instances(environment)),
            *(
                f"mount {line.split()[1]}"
                for line in Path("/proc/mounts").read_text().splitlines()
                if "ci-buildkit" in line
            ),
            *(f"file {path}" for path in Path(tempfile.gettempdir()).glob("*ci-buildkit*")),
            *(f"process {process.pid}" for process in processes()),
        }
        return cls(frozenset(found))

    def left(self, environment: Mapping[str, str], seconds: float = 15) -> list[str]:
        """What is there now and was not then; what is still going gets `seconds` to go."""
        end = time.monotonic() + seconds
        while (more := Machine.look(environment).things - self.things) and time.monotonic() < end:
            time.sleep(0.3)
        return sorted(more)


def _docker(environment: Mapping[str, str], *words: str) -> list[str]:
    done = subprocess.run(["docker", *words], env=dict(environment), capture_output=True, text=True, check=True)
    return done.stdout.split()


def _instances(environment: Mapping[str, str]) -> list[Path]:
    config = environment.get("BUILDX_CONFIG") or Path(environment.get("DOCKER_CONFIG", ""), "buildx")
    folder = Path(config, "instances")
    return list(folder.iterdir()) if folder.is_dir() else []


def processes() -> list[psutil.Process]:
    """Processes of runs, without this one and those that started it; zombies count."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.pid not in own and any(word in line for word in OURS) and "pytest" not in line:
            found.append(process)
    return found
