"""One build of one stage on the builder: started, watched, its log written, its reports taken out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from msgspec import Struct, field

from ci_buildkit.engine import recover, search
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.engine.progress import FAILED, Line, Progress, Status, Step, status_of
from ci_buildkit.engine.runc import Mark
from ci_buildkit.engine.secrets import Mask

# The line of a log that another attempt begins with. No step can print it: its lines begin with a number.
MARKER = "# attempt "


class Solved(Struct):
    """How a build went. `text` is what buildx said besides the status, `metadata` its metadata file.

    `lost` says which machine died, where that is why nobody can build it now. `seconds` is what it took by its steps, where
    it was built with others and only the end of all is known; None elsewhere.
    """

    returncode: int
    text: str
    progress: Progress
    metadata: Mapping[str, Any] = field(default_factory=dict)
    recovered: recover.Recovered | None = None
    lost: str = ""
    seconds: float | None = None


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


def bake_command(buildx: Buildx, builder: str, file: Path, *targets: str, jobs: str = "") -> list[str]:
    """`docker buildx bake` of targets of a bake file; `jobs` says what becomes of the others when one fails."""
    execution = [f"--jobs={jobs}"] if jobs else []
    flags = ["--builder", builder, *execution, "--progress=rawjson", "--file", str(file)]
    return [*buildx.buildx, "bake", *flags, *targets]


def debug_command(buildx: Buildx, builder: str, flags: Sequence[str], script: str, *, on: str) -> list[str]:
    """`docker buildx debug ... build` that runs `script` in the step's file system, on `error` or `always`."""
    debug = ["debug", "--builder", builder, f"--on={on}", "--invoke", search.invoke(script)]
    return [*buildx.buildx, *debug, "build", "--progress=rawjson", *flags]


class Watch(Struct):
    """Who hears of a build: new lines, that something moved, and at its start how to kill it. `mark` marks its steps.

    `elapsed` tells the seconds since what the build belongs to began.
    """

    lines: Callable[[Sequence[Line]], None]
    moved: Callable[[Progress], None]
    started: Callable[[Callable[[], None]], object] = lambda _: None
    mark: Mark | None = None
    elapsed: Callable[[], float] = lambda: 0.0


class Hearing:
    """What is heard of a build: its log is written, its steps are folded, and who watches it is told."""

    def __init__(self, mask: Mask, log: LogFile, watch: Watch, terminal: recover.Terminal | None = None) -> None:
        """`terminal` is where its reports are taken out."""
        self.progress = Progress(watch.elapsed)
        self._watch = watch
        self._mask, self._log, self._terminal = mask, log, terminal

    def began(self, kill: Callable[[], None]) -> None:
        """The build has begun, which `kill` ends."""
        self._watch.started(kill)
        if self._terminal:
            self._terminal.attach(kill)

    def line(self, line: bytes) -> bool:
        """Take what buildx printed; whether it is a status."""
        status = status_of(line)
        if status is not None:
            self.status(status)
        return status is not None

    def status(self, status: Status) -> None:
        """Take a status of the build."""
        self._lines(self.progress.take(status))
        ended = self.progress.ended()
        self._log.steps(ended)
        if self._terminal and any(FAILED in step.error for step in ended):
            self._terminal.expect()
        self._watch.moved(self.progress)

    def solved(self, ended: Ended, metadata: Mapping[str, Any]) -> Solved:
        """The build, which is over."""
        self._lines(self.progress.finish())
        said = self._mask(ended.text)
        self._log.text(said)
        recovered = self._terminal.close() if self._terminal else None
        return Solved(ended.returncode, said, self.progress, metadata, recovered)

    def _lines(self, new: Iterable[Line]) -> None:
        mask = self._mask
        lines = [Line(line.step, mask(line.text), line.stream) for line in new] if mask.pattern else list(new)
        if lines:
            self._log.lines(lines, self.progress.now)
            self._watch.lines(lines)


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
    hearing = Hearing(buildx.mask, log, watch, terminal)
    done = run(
        noting(command, metadata),
        env=watch.mark.environment(buildx.build_environment) if watch.mark else buildx.build_environment,
        cancellation=cancellation,
        on_line=hearing.line,
        terminal=terminal.slave if terminal else None,
        on_start=hearing.began,
    )
    return hearing.solved(done, noted(metadata))


def noting(command: Sequence[str], metadata: Path) -> list[str]:
    """The command that writes its metadata file, too."""
    position = command.index("--progress=rawjson")
    return [*command[:position], f"--metadata-file={metadata}", *command[position:]]


def noted(metadata: Path) -> Mapping[str, Any]:
    """What a build wrote into its metadata file; empty where it wrote none."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(metadata.read_text(encoding="utf-8")))
    return {}
