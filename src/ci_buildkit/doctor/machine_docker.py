"""Docker: whether its command is there, its daemon answers, and buildx can do what is asked of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine, Reply
from ci_buildkit.engine.nodes import CONTAINER

# `build --call` is v0.15 and works with all that is asked of it since v0.16; `bake --list=...,format=json` is v0.20
# (docker/buildx, release notes and pull request 2900).
OLDEST = (0, 16)
OLDEST_FOR_BAKE = (0, 20)
VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
MOST_SKEW = 30.0  # seconds; tokens of registries and signatures are good for minutes


class Docker(Struct, frozen=True):
    """What docker said. A version is "" where that part does not answer, and then `*_trouble` says why.

    `endpoint` is where the command looks for the daemon. `skew` is how many seconds the daemon's clock is ahead.
    """

    client: str
    server: str = ""
    server_trouble: str = ""
    endpoint: str = ""
    buildx: str = ""
    buildx_trouble: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    skew: float = 0.0

    @property
    def local(self) -> bool:
        """Whether the daemon runs on this machine itself, where its folders can be looked at."""
        desktop = "desktop" in str(self.info.get("OperatingSystem", "")).lower()
        return not desktop and (not self.endpoint or self.endpoint.startswith("unix://"))


def look(machine: Machine) -> Docker | None:
    """Ask docker; None where there is no such command."""
    if not machine.find("docker"):
        return None
    began = time.time()
    with ThreadPoolExecutor(max_workers=4) as pool:
        versions = pool.submit(machine.ask, "docker", "version", "--format", "{{json .}}")
        plugin = pool.submit(machine.ask, "docker", "buildx", "version")
        context = pool.submit(_endpoint, machine)
        about = pool.submit(machine.ask, "docker", "info", "--format", "{{json .}}")
        info = _json(about.result().out)
        ended = time.time()
    told = _json(versions.result().out)
    client = str((told.get("Client") or {}).get("Version") or "unknown")
    server = str((told.get("Server") or {}).get("Version") or "")
    trouble = "" if server else versions.result().said
    skew = _skew(str(info.get("SystemTime") or ""), began, ended)
    return Docker(client, server, trouble, context.result(), *_buildx(plugin.result()), info, skew)


def _endpoint(machine: Machine) -> str:
    """Where the command looks for the daemon: at DOCKER_HOST, else where the context in use leads."""
    if host := machine.environ.get("DOCKER_HOST", ""):
        return host
    words = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    return machine.ask("docker", *words).out.strip()


def _buildx(reply: Reply) -> tuple[str, str]:
    """The version of buildx, and why there is none. Podman calls its own command `docker` and answers with buildah's."""
    match = VERSION.search(reply.out) if reply.good and "buildah" not in reply.out else None
    if match:
        return match[0].removeprefix("v"), ""
    return ("unknown", "") if reply.good and "buildx" in reply.out else ("", reply.said)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _skew(told: str, began: float, ended: float) -> float:
    """How far the daemon's clock is ahead, as far as the time of the question does not explain it."""
    try:
        there = datetime.fromisoformat(told).timestamp()
    except ValueError:
        return 0.0
    return min(0.0, there - began) or max(0.0, there - ended)


def command(docker: Docker | None) -> Iterator[Flaw]:
    """Whether there is the command."""
    if docker is None:
        yield Flaw(None, "there is no docker command on PATH; install Docker Engine with buildx, or Docker Desktop")


def daemon(docker: Docker | None, driver: str) -> Iterator[Flaw]:
    """Whether the daemon answers. Builders of other drivers do without it."""
    if docker is None or docker.server:
        return
    severity: Severity = "error" if driver in {"", CONTAINER, "docker"} else "notice"
    yield Flaw(None, f"the Docker daemon does not answer: {docker.server_trouble}; {_next(docker)}", severity=severity)


def _next(docker: Docker) -> str:
    said = docker.server_trouble.lower()
    if "permission denied" in said:
        return "let this user talk to it: sudo usermod -aG docker $USER, then log in anew"
    where = f" at {docker.endpoint}" if docker.endpoint else ""
    if docker.endpoint and not docker.endpoint.startswith("unix:///var/run/docker.sock"):
        return f"start it{where}, or unset DOCKER_HOST, or take another context with docker context use"
    return f"start it{where}: sudo systemctl start docker, or Docker Desktop"


def plugin(docker: Docker | None, config: str) -> Iterator[Flaw]:
    """Whether docker has buildx. `config` is the folder of docker's settings."""
    if docker is not None and not docker.buildx:
        yield Flaw(
            None,
            f"docker has no buildx plugin ({docker.buildx_trouble}); install docker-buildx-plugin, or put docker-buildx into "
            f"{config}/cli-plugins",
        )


def outdated(docker: Docker | None, *, bake: bool) -> Iterator[Flaw]:
    """Whether buildx is new enough; a bake file asks for more."""
    match = re.match(r"(\d+)\.(\d+)", docker.buildx) if docker else None
    if docker is None or match is None:
        return
    found = (int(match[1]), int(match[2]))
    if (0, 0) < found < OLDEST:
        yield Flaw(None, f"buildx {docker.buildx} is too old; update it to {_dotted(OLDEST)} or later")
    elif (0, 0) < found < OLDEST_FOR_BAKE and bake:
        said = f"buildx {docker.buildx} cannot list a bake file's targets; update it to {_dotted(OLDEST_FOR_BAKE)} or later"
        yield Flaw(None, said)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def clock(docker: Docker | None) -> Iterator[Flaw]:
    """Whether this machine and the daemon's have the same time."""
    if docker is not None and abs(docker.skew) > MOST_SKEW:
        way = "ahead of" if docker.skew > 0 else "behind"
        yield Flaw(
            None,
            f"the daemon's clock is {abs(docker.skew):.0f} s {way} this machine's: logins and signatures are refused, and "
            "caches look old or new; set both by NTP",
        )
