"""What a run of act left in Docker, found by the names of its jobs, and removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from subprocess import TimeoutExpired

from msgspec import Struct

from ci_buildkit.engine.builder import CONTAINER_PREFIX, PREFIX
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, answer

MARK = "CI_BUILDKIT_ACT"  # in the environment of builders that jobs make: the run's token
LONGEST = 63  # of a name before its hash
SECONDS = 60.0  # for one docker command


class Container(Struct, frozen=True):
    """A job's container and what goes with it, by name."""

    job: str
    id: str
    services: tuple[str, ...]

    @property
    def name(self) -> str:
        """The container's own."""
        return name("act", self.job)

    @property
    def volumes(self) -> tuple[str, str]:
        """The working directory and act's own files."""
        return self.name, f"{self.name}-env"

    @property
    def network(self) -> str:
        """The one that it has where it has services."""
        return f"{self.name}-{self.id}-network"

    @property
    def service_names(self) -> tuple[str, ...]:
        """The containers of its services."""
        return tuple(name(self.name, service) for service in self.services)


def name(*parts: str) -> str:
    """How act names a container (nektos/act pkg/runner/run_context.go, `createContainerName`)."""
    joined = re.sub(r"[^a-zA-Z0-9]", "-", "-".join(parts)).replace("--", "-")
    return f"{joined[:LONGEST].strip('-')}-{hashlib.sha256(joined.encode()).hexdigest()}"


def remove(docker: Docker, containers: Iterable[Container], token: str) -> list[str]:
    """Remove all that is left of jobs, and of builders that they made; returns the names of what was there.

    What cannot be removed stays, without a word: docker itself is gone then.
    """
    containers = tuple(containers)
    there = set(docker.lines("ps", "--all", "--format", "{{.Names}}"))
    volumes = set(docker.lines("volume", "ls", "--format", "{{.Name}}"))
    networks = set(docker.lines("network", "ls", "--format", "{{.Name}}"))
    found: list[str] = []
    for one in containers:
        # Containers of steps mount the job's volume.
        beside = docker.lines("ps", "--all", "--format", "{{.Names}}", "--filter", f"volume={one.volumes[1]}")
        found += docker.remove("rm", there.intersection((one.name, *one.service_names, *beside)))
    for one in containers:
        found += docker.remove("volume rm", volumes.intersection(one.volumes))
        found += docker.remove("network rm", networks.intersection([one.network]))
    for builder in _builders(docker, token):
        found += docker.remove("rm", [builder])
        docker.remove("volume rm", [f"{builder}_state"])
    return found


class Docker:
    """Short docker commands in sessions of their own: a Ctrl-C that comes now must not end them."""

    def __init__(self, buildx: Buildx) -> None:
        """The same docker as `buildx` has."""
        self._command = buildx.command
        self._environment = buildx.environment

    def lines(self, *words: str) -> list[str]:
        """The words that a command prints; none where it fails."""
        try:
            done = answer([*self._command, *words], env=self._environment, cancellation=Cancellation(), seconds=SECONDS)
        except (OSError, TimeoutExpired):
            return []
        return done.stdout.split() if done.returncode == 0 else []

    def remove(self, words: str, names: Iterable[str]) -> list[str]:
        """Remove what has these names, in spite of everything that uses it; returns the names."""
        found = sorted(names)
        force = ["--force"] if words != "network rm" else []
        anonymous = ["--volumes"] if words == "rm" else []
        if found:
            self.lines(*words.split(), *force, *anonymous, *found)
        return found


def _builders(docker: Docker, token: str) -> Iterator[str]:
    """Containers of builders that runs of ci-buildkit in jobs made for themselves."""
    form = "{{.Name}}{{range .Config.Env}} {{.}}{{end}}"
    for found in docker.lines("ps", "--all", "--quiet", "--filter", f"name={CONTAINER_PREFIX}{PREFIX}"):
        container, *environment = docker.lines("inspect", "--format", form, found) or [""]
        if f"{MARK}={token}" in environment:
            yield container.removeprefix("/")
