"""The only module that talks to docker and buildx, through python-on-whales."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit.engine import answers, plugin
from ci_buildkit.engine.secrets import Mask
from ci_buildkit.errors import BuildFailed, ConfigurationError, EngineError

if TYPE_CHECKING:
    from python_on_whales import DockerClient

# Outside the working directory bake asks for permission before it reads or writes; the user named these folders. The
# metadata file is read for digests only, and resolving provenance for it takes as long as a cached build.
ENVIRONMENT = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_EXPERIMENTAL": "1", "BUILDX_METADATA_PROVENANCE": "disabled"}
DAEMON_DOWN = (
    "cannot connect to the docker daemon",
    "is the docker daemon running",
    "error during connect",
    "failed to connect to the docker api",
)

# docker without the plugin takes `buildx` for nothing and stumbles over the first flag behind it.
NO_BUILDX = ("unknown command: docker buildx", "'buildx' is not a docker command", "usage:  docker [options] command")


VERSION = ("buildx", "version")


def inspection(builder: str) -> tuple[str, ...]:
    """The question what a builder is, in the words of `Buildx.call`."""
    return "buildx", "inspect", builder


class Buildx:
    """The docker command line. Raises EngineError where docker or buildx does not answer.

    python-on-whales makes and removes builders, containers and volumes. Questions and builds go to the same command
    without it: importing it takes longer (0.3 s) than docker's answers, and it keeps all that a build prints in memory.
    """

    def __init__(self, environ: Mapping[str, str], builder: str | None = None) -> None:
        """`environ` is the environment of docker's processes; `builder` is used for questions that need one.

        `mask` hides in what builds print what nobody may read.
        """
        self.builder = builder
        self.mask = Mask()
        self.command = ["docker"]
        self.environment = {**environ, **ENVIRONMENT}
        self._begun: dict[tuple[str, ...], subprocess.Popen[bytes]] = {}

    @cached_property
    def docker(self) -> DockerClient:
        """The python-on-whales client."""
        self.check()
        from python_on_whales import DockerClient

        return DockerClient(client_call=self.command)

    @property
    def build_environment(self) -> dict[str, str]:
        """The environment of builds. buildx would make SOURCE_DATE_EPOCH an argument of every target (buildx
        docs/reference/buildx_build.md); the plan says which targets get it.
        """
        return {name: value for name, value in self.environment.items() if name != "SOURCE_DATE_EPOCH"}

    def check(self) -> None:
        """Raise EngineError where there is no docker command."""
        if shutil.which(self.command[0], path=self.environment.get("PATH")) is None:
            raise EngineError(
                "there is no `docker` command on PATH",
                hint="install Docker with buildx, or run `make lab` for an engine",
            )

    @cached_property
    def buildx(self) -> list[str]:
        """What every buildx command begins with."""
        found = plugin.find(self.environment)
        return [found] if found else [*self.command, "buildx"]

    def line(self, *words: str) -> list[str]:
        """A docker command as it is started, which `words` say without `docker`."""
        first, *rest = words
        return [*self.buildx, *rest] if first == "buildx" else [*self.command, *words]

    def begin(self, *words: str) -> None:
        """Start a question that `call` asks later, in the same words: docker works on it while others are imported.

        `close` ends it, unless it was called for. Where it cannot be started, `call` tells why.
        """
        with contextlib.suppress(EngineError):
            self._begun[words] = self._start(words)

    def close(self) -> None:
        """End the questions that nobody called for."""
        while self._begun:
            _, process = self._begun.popitem()
            with process:
                process.kill()

    def call(self, *words: str, shielded: bool = False) -> str:
        """Output of a short docker command, which a Ctrl-C ends unless it is `shielded`.

        Raises EngineError with what docker said.
        """
        with self._begun.pop(words, None) or self._start(words, shielded=shielded) as process:
            try:
                out, errors = process.communicate()
            except BaseException:  # an interruption
                process.kill()
                raise
        if process.returncode:
            raise explain(errors.decode(errors="replace") or out.decode(errors="replace"), words)
        return out.decode(errors="replace").rstrip("\n")

    def _start(self, words: Sequence[str], *, shielded: bool = False) -> subprocess.Popen[bytes]:
        self.check()
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                self.line(*words), env=self.environment, stdout=pipe, stderr=pipe, start_new_session=shielded
            )
        except OSError as error:
            raise EngineError(f"docker could not be started: {error}") from error

    @cached_property
    def version(self) -> str:
        """The version of buildx, like "v0.38.2"."""
        words = self.call(*VERSION).split()
        return words[1] if len(words) > 1 else "unknown"

    def targets(self, context: Path, file: Path, build_args: Mapping[str, str]) -> list[dict[str, Any]]:
        """What `--call=targets` answers. Raises BuildFailed where the Dockerfile is wrong, with BuildKit's words."""
        args = [part for k, v in build_args.items() for part in ("--build-arg", f"{k}={v}")]
        known = answers.Answer(self.environment, ("targets", file.read_bytes(), *args))
        answer = known.get()
        if answer is None:
            answer = self._ask("build", "--call=targets,format=json", "--file", str(file), *args, str(context))
            known.put(answer)
        return list(json.loads(answer).get("targets") or ())

    def bake_targets(self, file: Path) -> list[str]:
        """The targets of a bake file by name. Raises ConfigurationError where the file is wrong."""
        answer = self._ask("bake", "--file", str(file), "--list=type=targets,format=json")
        return [str(entry["name"]) for entry in json.loads(answer) if not entry.get("group")]

    def bake_print(self, file: Path, targets: Sequence[str]) -> dict[str, Any]:
        """The resolved definition of targets. Raises ConfigurationError where the file is wrong."""
        return dict(json.loads(self._ask("bake", "--file", str(file), "--print", *targets)))

    def bake_default(self, file: Path) -> frozenset[str]:
        """The targets that a bare `docker buildx bake` builds: the group `default`, empty where there is none."""
        try:
            printed = self.bake_print(file, ())
        except ConfigurationError:  # bake fails where nothing is called default
            return frozenset()
        return frozenset(printed["target"])

    def _ask(self, *words: str) -> str:
        chosen = ["--builder", self.builder] if self.builder else []
        kind, *rest = words
        try:
            return self.call("buildx", kind, *chosen, "--progress=quiet", *rest)
        except EngineError as error:
            if error.hint:  # an engine trouble that `explain` knew
                raise
            if kind == "bake":
                raise ConfigurationError(f"the bake file is refused: {error.message}") from error
            raise BuildFailed(f"BuildKit refuses the Dockerfile: {error.message}") from error


def explain(text: str, words: Sequence[str] = ()) -> EngineError:
    """An EngineError for what docker printed, with the next step where the cause is known."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    lowered = text.lower()
    said = "\n".join(line.removeprefix("ERROR: ") for line in lines[-12:]) or f"docker {' '.join(words)} failed"
    if any(phrase in lowered for phrase in DAEMON_DOWN):
        return EngineError(
            "the Docker daemon does not answer", hint=f"start it, or set DOCKER_HOST; docker said: {said}"
        )
    if any(phrase in lowered for phrase in NO_BUILDX):
        return EngineError("docker has no buildx plugin", hint="install docker-buildx-plugin, or run `make lab`")
    if "no builder" in lowered:
        return EngineError(said, hint="make it with `ci-buildkit builder create`, or leave --builder out")
    return EngineError(said)
