"""What act has to know of Docker: where it listens, which address of this machine its containers reach, images."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable

from msgspec import Struct

from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.process import Cancellation, run
from ci_buildkit.errors import EngineError

DESKTOP = "Docker Desktop"
DESKTOP_SOCKET = "unix:///var/run/docker.sock"  # in the machine that Docker Desktop runs, where it is mounted from


class Docker(Struct, frozen=True):
    """The engine. `host` is its address, `socket` what jobs get as theirs, "" where act shall decide.

    `address` is one of this machine's that containers on any network reach and nobody outside does; "" where none is known.
    """

    host: str
    socket: str
    address: str
    architecture: str


def look(buildx: Buildx) -> Docker:
    """Ask docker. Raises EngineError where there is no docker, or it does not answer."""
    try:
        platform = buildx.call("version", "--format", "{{.Server.Arch}} {{.Server.Platform.Name}}")
    except EngineError as error:
        raise EngineError(f"act needs Docker: {error.message}", hint=error.hint or "start the Docker daemon") from error
    architecture, _, product = platform.partition(" ")
    # act knows DOCKER_HOST and some usual places, but no contexts.
    host = buildx.environment.get("DOCKER_HOST") or buildx.call(
        "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"
    )
    desktop = product.startswith(DESKTOP)
    local = host if host.startswith("unix://") else ""
    return Docker(
        host, DESKTOP_SOCKET if desktop else local, "" if desktop or not local else _gateway(buildx), architecture
    )


def _gateway(buildx: Buildx) -> str:
    """This machine's address on Docker's bridge, where the engine runs on this machine."""
    with contextlib.suppress(EngineError):
        told = buildx.call("network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}")
        return next((address for address in told.split() if ":" not in address and _free_port(address)), "")
    return ""


def free_port(address: str) -> int:
    """A port of this machine that nothing listens on now; any address of it where none is given. Raises EngineError."""
    if port := _free_port(address):
        return port
    raise EngineError(f"no port is free at {address}")


def _free_port(address: str) -> int:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
    return 0


def missing(buildx: Buildx, images: Iterable[str]) -> list[str]:
    """The images that the engine does not have."""
    found = []
    for image in images:
        try:
            buildx.call("image", "inspect", "--format", "{{.Id}}", image)
        except EngineError as error:
            if error.hint:  # the engine itself is in trouble
                raise
            found.append(image)
    return found


def pull(buildx: Buildx, image: str, cancellation: Cancellation, on_line: Callable[[str], object]) -> None:
    """Have an image; `on_line` gets what docker says meanwhile. Raises EngineError where it cannot be pulled."""

    def line(raw: bytes) -> bool:
        on_line(raw.decode(errors="replace").rstrip())
        return False

    words = ["pull", image]
    ended = run([*buildx.command, *words], env=buildx.environment, cancellation=cancellation, on_line=line, stdout=True)
    if ended.returncode and not cancellation.cancelled:
        error = explain(ended.text, words)
        raise EngineError(
            f"the image {image} cannot be pulled: {error.message}", hint=error.hint or "name another: --image"
        )
