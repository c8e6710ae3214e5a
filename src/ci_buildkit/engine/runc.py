"""The RUN steps of a build as the processes that they are on a builder's machine, and how they are ended there.

A step whose process is killed has failed: its build says so, and its file system can be looked into. One whose build is
cancelled has vanished. BuildKit starts each step in a container of its own by runc, and does not tell which; but it hands the
trace state of a build on to its steps (W3C Trace Context; moby/buildkit util/tracing/exec), which no cache depends on.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import subprocess
from collections.abc import Mapping

from msgspec import Struct, field

from ci_buildkit.engine.builder import CONTAINER_PREFIX, Builder
from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.nodes import CONTAINER
from ci_buildkit.engine.process import Cancellation, answer
from ci_buildkit.errors import EngineError

SECONDS = 15.0  # for one question to docker
PARENT, STATE = "TRACEPARENT", "TRACESTATE"
VALID = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Mark(Struct, frozen=True):
    """What tells the steps of one build from those of all others."""

    text: str = field(default_factory=lambda: f"ci-buildkit={secrets.token_hex(8)}")

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of a build that carries the mark; a trace that there is goes on."""
        parent, state = environ.get(PARENT, ""), environ.get(STATE, "")
        if not VALID.fullmatch(parent):  # without one, nobody reads the state
            parent, state = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00", ""
        return {**environ, PARENT: parent, STATE: f"{self.text},{state}".strip(",")}

    def marks(self, environment: str) -> bool:
        """Whether an entry of a process' environment, `NAME=VALUE`, carries the mark."""
        name, _, state = environment.partition("=")
        return name == STATE and self.text in state.split(",")


def kill(buildx: Buildx, builder: Builder, mark: Mark) -> bool:
    """Kill the RUN steps of one build that run now; whether there were any that could be killed.

    Where the builder is no container of docker's nobody can.
    """
    killed = False
    if builder.driver == CONTAINER:
        for machine in builder.living:
            with contextlib.suppress(EngineError, OSError, subprocess.TimeoutExpired):
                for identity in _marked(buildx, machine, mark):
                    _inside(buildx, machine, "buildkit-runc", "kill", identity, "KILL")
                    killed = True
    return killed


def _marked(buildx: Buildx, machine: Machine, mark: Mark) -> list[str]:
    """The identities of the containers that runc runs on a machine and that carry a mark."""
    try:
        listed = json.loads(_inside(buildx, machine, "buildkit-runc", "list", "--format", "json")) or []
        running = [one for one in listed if one["status"] == "running"]
        return [one["id"] for one in running if any(map(mark.marks, _environment(buildx, machine, one["bundle"])))]
    except (ValueError, LookupError, TypeError) as error:
        raise EngineError(f"what runc says cannot be read: {error}") from error


def _environment(buildx: Buildx, machine: Machine, bundle: str) -> list[str]:
    """The environment of a container, by the configuration that runc has of it; empty where it has just ended."""
    try:
        text = _inside(buildx, machine, "cat", f"{bundle}/config.json")
    except EngineError:
        return []
    return list(json.loads(text)["process"]["env"])


def _inside(buildx: Buildx, machine: Machine, *words: str) -> str:
    """What a command prints in the container of a machine. Raises EngineError where it fails."""
    command = [*buildx.command, *_where(machine.endpoint), "exec", f"{CONTAINER_PREFIX}{machine.name}", *words]
    # Not under the run's cancellation: this is what ends something.
    done = answer(command, env=buildx.environment, cancellation=Cancellation(), seconds=SECONDS)
    if done.returncode:
        raise explain(done.stderr, words)
    return done.stdout


def _where(endpoint: str) -> list[str]:
    """docker's flag for the endpoint of a node, which is the name of a context or an address."""
    if endpoint in {"", "default"}:
        return []
    return ["--host" if "://" in endpoint else "--context", endpoint]
