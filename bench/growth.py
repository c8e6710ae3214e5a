"""How time and memory grow: targets, platforms, test cases, lines of a log, findings. Whole commands, on the real engine
where they need one.

Half of the sizes are near the largest, because that is where growth outweighs the start of a process (`bench/fit.py`).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import samples
from bench.child import Spent, spent
from bench.pipeline import Bench, engine
from bench.rows import Curve, Point

MIB = 1 << 20
OURS = (sys.executable, "-m", "ci_buildkit")
TURNS = 5
LONG = 20.0  # seconds; what takes longer is measured once


@dataclass(frozen=True)
class Sizes:
    """The sizes of every curve."""

    targets: tuple[int, ...]
    platforms: tuple[int, ...]
    cases: tuple[int, ...]
    go_lines: tuple[int, ...]
    lines: tuple[int, ...]
    findings: tuple[int, ...]


SHORT = Sizes(
    targets=(1, 8, 16, 32),
    platforms=(1, 8, 16),
    cases=(1_000, 50_000, 100_000, 200_000),
    go_lines=(1_000, 250_000, 500_000, 1_000_000),
    lines=(1_000, 25_000, 50_000, 100_000),
    findings=(100, 10_000, 20_000, 40_000),
)
FULL = Sizes(
    targets=(1, 10, 25, 50, 100, 200),
    platforms=(1, 5, 10, 20, 30, 40),
    cases=(1_000, 10_000, 100_000, 250_000, 500_000, 1_000_000),
    go_lines=(1_000, 10_000, 100_000, 300_000, 500_000, 1_000_000, 2_000_000),
    lines=(1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    findings=(100, 1_000, 10_000, 30_000, 60_000, 100_000),
)
# Go's own list has more; none of them is executed, only copied for.
ALL_PLATFORMS = tuple(
    f"{system}/{machine}"
    for system in ("linux", "windows", "darwin", "freebsd", "netbsd", "openbsd")
    for machine in ("amd64", "arm64", "386", "arm/v7", "riscv64", "ppc64le", "s390x")
)[:40]


def rows() -> list[Curve]:
    """Every curve, as far as minutes allow."""
    return curves(SHORT)


def full() -> list[Curve]:
    """Every curve to the largest size."""
    return curves(FULL)


def curves(sizes: Sizes) -> list[Curve]:
    """Every curve, measured now."""
    environment = engine()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, environment)
        with bench.builder(f"growth-{os.getpid()}") as builder:
            growing = Growing(folder, environment, builder)
            found = [
                curve("A plan", "targets", sizes.targets, growing.plan),
                curve("A run", "targets", sizes.targets, growing.run),
                curve("A run", "platforms", sizes.platforms, growing.platforms),
                curve("The log of a run", "lines", sizes.lines, growing.log),
            ]
        return [*found, *readers(folder, sizes)]


def readers(folder: Path, sizes: Sizes) -> list[Curve]:
    """The curves that need no engine."""
    return [
        curve("Reading JUnit", "cases", sizes.cases, lambda size: report(folder, size, "results", samples.junit)),
        curve(
            "Reading `go test -json`",
            "lines",
            sizes.go_lines,
            lambda size: report(folder, size, "results", samples.go_plain),
        ),
        curve(
            "Reading SARIF", "findings", sizes.findings, lambda size: report(folder, size, "findings", samples.sarif)
        ),
    ]


def curve(name: str, size: str, sizes: Sequence[int], prepared: Callable[[int], Callable[[], Spent]]) -> Curve:
    """The points of one curve. `prepared` makes what is measured of a size; the first measuring of all warms up."""
    prepared(sizes[0])()
    return Curve(name, size, tuple(point(one, prepared(one)) for one in sizes))


def point(size: int, once: Callable[[], Spent]) -> Point:
    """The medians of one size."""
    found = [once()]
    if found[0].seconds < LONG:
        found += [once() for _ in range(TURNS - 1)]
    seconds = tuple(round(one.seconds, 3) for one in found)
    memory = statistics.median(one.memory for one in found) / MIB
    return Point(size, statistics.median(seconds), round(memory, 1), seconds)


@dataclass(frozen=True)
class Growing:
    """Commands on projects of growing size. Each method makes the project and gives back what runs the command."""

    folder: Path
    env: Mapping[str, str]
    builder: str

    def _command(self, dockerfile: str, *words: object) -> Callable[[], Spent]:
        project = self.folder / "growing"
        project.mkdir(exist_ok=True)
        (project / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        (project / "file").write_text("x\n", encoding="utf-8")
        return lambda: spent([*OURS, *words], self.folder / "output", project, self.env, answers=(0,))

    def _run(self, dockerfile: str, *words: object) -> Callable[[], Spent]:
        report = ("--report-dir", self.folder / "report")
        return self._command(dockerfile, "run", "--builder", self.builder, *report, *words)

    def plan(self, targets: int) -> Callable[[], Spent]:
        """`ci-buildkit plan` of so many targets."""
        return self._command(_targets(targets), "plan")

    def run(self, targets: int) -> Callable[[], Spent]:
        """`ci-buildkit run` of so many targets, all in the builder's cache."""
        once = self._run(_targets(targets), "--no-oci-layout")
        once()
        return once

    def platforms(self, count: int) -> Callable[[], Spent]:
        """A run that exports and archives one file for so many platforms."""
        words = ("--platform", ",".join(ALL_PLATFORMS[:count]))
        return self._run("FROM scratch AS binaries\nCOPY file /\n", *words)

    def log(self, lines: int) -> Callable[[], Spent]:
        """A run whose step prints so many lines."""
        return self._run(_log(lines), "--no-cache")


def _targets(count: int) -> str:
    """So many targets that have nothing in common, half of them lint and half of them images."""
    stages = ["FROM busybox AS base"]
    for number in range(count):
        if number % 2:
            stages.append(f'FROM scratch AS image-{number}\nCOPY file /{number}\nENTRYPOINT ["/{number}"]')
        else:
            stages.append(f"FROM base AS lint-{number}\nRUN echo {number}")
    return "\n".join(stages) + "\n"


def _log(count: int) -> str:
    program = f'BEGIN {{ for (n = 1; n <= {count}; n++) print "line " n " of a log, about as wide as most" }}'
    return f"FROM busybox AS lint\nRUN awk '{program}'\n"


def report(folder: Path, count: int, command: str, write: Callable[[Path, int], None]) -> Callable[[], Spent]:
    """Reading a report of so many cases, lines or findings."""
    sample = folder / "sample"
    write(sample, count)
    return lambda: spent([*OURS, command, sample, "--format", "json"], folder / "output", folder)
