"""Images run as containers, by the docker daemon."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable

from msgspec import Struct

from ci_buildkit.engine.builder import PREFIX
from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.process import Cancellation, Deadline, run
from ci_buildkit.errors import EngineError

DOCKER_HELP = "Run 'docker run --help'"  # behind what docker says of a command that it cannot start


class Ran(Struct, frozen=True):
    """How a container ended. `text` is the tail of what it printed, `timed_out` says that it was ended for its time."""

    returncode: int
    text: str
    timed_out: bool


def native(buildx: Buildx, builders: Iterable[str]) -> frozenset[str]:
    """The platforms that the docker daemon's machine executes itself. Raises EngineError where there is no daemon.

    `builders` are the platforms that the builder's machines execute: of an amd64 machine they tell its levels, and
    whether it has 386.
    """
    try:
        daemon = buildx.call("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    except EngineError as error:
        raise EngineError(
            f"the pushed images cannot be tried out: {error.message}",
            hint=error.hint or "start the Docker daemon, or leave --smoke out",
        ) from error
    beside = {"linux/amd64": "linux/386"}.get(daemon)
    return frozenset({daemon, *(p for p in builders if p.startswith(f"{daemon}/v") or p == beside)})


class Container(Struct, frozen=True):
    """An image and a command to run in it as `docker run IMAGE COMMAND` does, for `seconds` at most."""

    reference: str
    platform: str
    command: tuple[str, ...]
    seconds: float

    def pull(self, buildx: Buildx, cancellation: Cancellation) -> None:
        """Have the image on docker's machine. Raises EngineError where it cannot be pulled."""
        words = ["pull", "--quiet", "--platform", self.platform, self.reference]
        ended = run(
            [*buildx.command, *words], env=buildx.environment, cancellation=cancellation, on_line=lambda _: False
        )
        if ended.returncode:
            raise explain(ended.text, words)

    def run(self, buildx: Buildx, cancellation: Cancellation, on_line: Callable[[str], object]) -> Ran:
        """Run it to its end once it is pulled; `on_line` gets each line that it prints."""
        name = f"{PREFIX}smoke-{secrets.token_hex(4)}"
        flags = ["--rm", "--name", name, "--pull=never", "--platform", self.platform]
        deadline = Deadline(self.seconds)

        def line(raw: bytes) -> bool:
            text = buildx.mask(raw.decode(errors="replace").rstrip("\r\n"))
            on_line(text)
            return text.startswith(DOCKER_HELP)

        try:
            ended = run(
                [*buildx.command, "run", *flags, self.reference, *self.command],
                env=buildx.environment,
                cancellation=cancellation,
                on_line=line,
                on_start=deadline.start,
                stdout=True,
            )
        finally:
            deadline.stop()
        if deadline.expired or cancellation.cancelled:  # docker's command is gone, its container may go on
            with contextlib.suppress(EngineError):
                buildx.call("rm", "--force", "--volumes", name)
        return Ran(ended.returncode, buildx.mask(ended.text), deadline.expired)


def forget(buildx: Buildx, reference: str) -> None:
    """Remove an image that was pulled, where nothing else uses it."""
    with contextlib.suppress(EngineError):
        buildx.call("image", "rm", reference)
