"""One build of one stage on the builder: started, watched, its log written, its reports taken out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ci_buildkit.engine import recover, search
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.engine.progress import FAILED, Line, Progress, Step
from ci_buildkit.engine.runc import Mark

# The line of a log that another attempt begins with. No step can print it: its lines begin with a number.
MARKER = "# attempt "


@dataclass(slots=True)
class Solved:
    """How a build went. `text` is what buildx said besides the status, `metadata` its metadata file.

    `lost` says which machine died, where that is why nobody can build it now.
    """

    returncode: int
    text: str
    progress: Progress
    metadata: Mapping[str, Any] = field(default_factory=dict)
    recovered: recover.Recovered | None = None
    lost: str = ""


class LogFile:
    """The plain log of a stage, in the shape of `--progress=plain`: `#N name`, then `#N SECONDS text`.

    `attempts` is the number of the one that is written, from 1.
    """

    def __init__(self, out: TextIO) -> None:
        """`out` is written to and not closed."""
        self.attempts = 1
        self._out = out
        self._numbers: dict[str, int] = {}

    def lines(self, lines: Sequence[Line], now: float) -> None:
        """Write lines that steps print `now`, in seconds since 1970 by the builder's clock."""
        for line in lines:
            number = self._number(line.step)
            since = max(0.0, now - (line.step.first or now))
            self._out.write(f"#{number} {since:.3f} {line.text}\n")

    def steps(self, steps: Sequence[Step]) -> None:
        """Write what became of steps that ended."""
        for step in steps:
            number = self._number(step)
            ending = f"ERROR: {step.error}" if step.error else "CACHED" if step.cached else f"DONE {step.seconds:.1f}s"
            self._out.write(f"#{number} {ending}\n")

    def another(self, why: str) -> None:
        """Begin the log of another attempt."""
        self.attempts += 1
        self.text(f"{MARKER}{self.attempts}: {' '.join(why.split())}")

    def text(self, text: str) -> None:
        """Write lines that belong to no step."""
        if text:
            self._out.write(text.rstrip("\n") + "\n")
        self._out.flush()

    def _number(self, step: Step) -> int:
        number = self._numbers.get(step.digest)
        if number is None:
            number = self._numbers[step.digest] = len(self._numbers) + 1
            self._out.write(f"#{number} {step.name}\n")
        return number


def bake_command(buildx: Buildx, builder: str, file: Path, target: str) -> list[str]:
    """`docker buildx bake` of one target of a bake file."""
    return [*buildx.buildx, "bake", "--builder", builder, "--progress=rawjson", "--file", str(file), target]


def debug_command(buildx: Buildx, builder: str, flags: Sequence[str], script: str, *, on: str) -> list[str]:
    """`docker buildx debug ... build` that runs `script` in the step's file system, on `error` or `always`."""
    debug = ["debug", "--builder", builder, f"--on={on}", "--invoke", search.invoke(script)]
    return [*buildx.buildx, *debug, "build", "--progress=rawjson", *flags]


@dataclass(slots=True)
class Watch:
    """Who hears of a build: new lines, that something moved, and at its start how to kill it. `mark` marks its steps.

    `elapsed` tells the seconds since what the build belongs to began.
    """

    lines: Callable[[Sequence[Line]], None]
    moved: Callable[[Progress], None]
    started: Callable[[Callable[[], None]], object] = lambda _: None
    mark: Mark | None = None
    elapsed: Callable[[], float] = lambda: 0.0


def solve(
    command: Sequence[str],
    buildx: Buildx,
    cancellation: Cancellation,
    log: LogFile,
    watch: Watch,
    metadata: Path,
    terminal: recover.Terminal | None = None,
) -> Solved:
    """Run a build command to its end. `metadata` is where it may write its metadata file."""
    progress, mask = Progress(watch.elapsed), buildx.mask

    def masked(lines: Iterable[Line]) -> list[Line]:
        return [Line(line.step, mask(line.text), line.stream) for line in lines] if mask.pattern else list(lines)

    def on_line(line: bytes) -> bool:
        new = progress.feed(line)
        if new is None:
            return False
        lines = masked(new)
        if lines:
            log.lines(lines, progress.now)
            watch.lines(lines)
        ended = progress.ended()
        log.steps(ended)
        if terminal and any(FAILED in step.error for step in ended):
            terminal.expect()
        watch.moved(progress)
        return True

    def on_start(kill: Callable[[], None]) -> None:
        watch.started(kill)
        if terminal:
            terminal.attach(kill)

    position = command.index("--progress=rawjson")
    full = [*command[:position], f"--metadata-file={metadata}", *command[position:]]
    done: Ended = run(
        full,
        env=watch.mark.environment(buildx.build_environment) if watch.mark else buildx.build_environment,
        cancellation=cancellation,
        on_line=on_line,
        terminal=terminal.slave if terminal else None,
        on_start=on_start,
    )
    rest = masked(progress.finish())
    log.lines(rest, progress.now)
    watch.lines(rest)
    said = mask(done.text)
    log.text(said)
    content: Mapping[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(metadata.read_text(encoding="utf-8"))
    return Solved(done.returncode, said, progress, content, terminal.close() if terminal else None)
