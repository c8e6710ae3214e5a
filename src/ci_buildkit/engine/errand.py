"""A build of our own beside the user's: bounded in time, and of interest for what its RUN prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, Deadline, Ended, run
from ci_buildkit.engine.progress import Line, Progress

MOST = 1 << 20  # characters of what is printed that are kept, the first ones


class Errand(Struct):
    """How such a build went. `printed` are the lines of its RUN steps, `expired` says that it was ended for its time."""

    ended: Ended
    progress: Progress
    printed: list[str] = field(default_factory=list)
    expired: bool = False


def build(buildx: Buildx, builder: str, flags: Sequence[str], cancellation: Cancellation, seconds: float) -> Errand:
    """Run `docker buildx build FLAGS` to its end, for `seconds` at most. Failing is an outcome, never an exception."""
    deadline, progress, printed = Deadline(seconds), Progress(), list[str]()
    kept = 0

    def keep(lines: Iterable[Line]) -> None:
        nonlocal kept
        for line in lines:
            if line.step.is_run and kept < MOST:
                printed.append(line.text[: MOST - kept])
                kept += len(line.text) + 1

    def on_line(line: bytes) -> bool:
        new = progress.feed(line)
        keep(new or ())
        return new is not None

    try:
        ended = run(
            [*buildx.buildx, "build", "--builder", builder, "--progress=rawjson", *flags],
            env=buildx.build_environment,
            cancellation=cancellation,
            on_line=on_line,
            on_start=deadline.start,
        )
    finally:
        deadline.stop()
    keep(progress.finish())
    return Errand(ended, progress, printed, deadline.expired)
