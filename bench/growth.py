"""How time and memory grow: targets, platforms, test cases, lines of a log, findings. Whole commands, on the real engine
where they need one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import child, samples
from bench.pipeline import Bench, engine
from bench.rows import Curve

MIB = 1 << 20
OURS = (sys.executable, "-m", "ci_buildkit")
TARGETS = (1, 10, 50, 100, 200)
PLATFORMS = (1, 5, 10, 20, 40)
CASES = (1_000, 10_000, 100_000, 1_000_000)
LINES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
FINDINGS = (100, 1_000, 10_000, 100_000)
# Go's own list has more; none of them is executed, only copied for.
ALL_PLATFORMS = tuple(
    f"{system}/{machine}"
    for system in ("linux", "windows", "darwin", "freebsd", "netbsd", "openbsd")
    for machine in ("amd64", "arm64", "386", "arm/v7", "riscv64", "ppc64le", "s390x")
)[:40]


def rows() -> list[Curve]:
    """Every curve, measured now."""
    environment = engine()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, environment)
        with bench.builder(f"growth-{os.getpid()}") as builder:
            found = [
                curve("plan", "targets", TARGETS, lambda size: plan(folder, size, environment)),
                curve("run", "targets", TARGETS, lambda size: run(folder, size, builder, environment)),
                curve("run", "platforms", PLATFORMS, lambda size: platforms(folder, size, builder, environment)),
                curve("log of a step", "lines", LINES, lambda size: log(folder, size, builder, environment)),
            ]
        return [*found, *readers(folder)]


def readers(folder: Path) -> list[Curve]:
    """The curves that need no engine."""
    return [
        curve("JUnit", "cases", CASES, lambda size: report(folder, size, "results", samples.junit)),
        curve("go test -json", "lines", LINES[:-1], lambda size: report(folder, size, "results", samples.go_plain)),
        curve("SARIF", "findings", FINDINGS, lambda size: report(folder, size, "findings", samples.sarif)),
    ]


def curve(name: str, size: str, sizes: Sequence[int], measure: Callable[[int], tuple[float, int]]) -> Curve:
    """The points of one curve, the smallest size twice: the first warms up."""
    measure(sizes[0])
    points = []
    for one in sizes:
        seconds, memory = measure(one)
        points.append((one, round(seconds, 3), round(memory / MIB, 1)))
    return Curve(name, size, tuple(points))


def _project(folder: Path, text: str) -> Path:
    project = folder / "growing"
    project.mkdir(exist_ok=True)
    (project / "Dockerfile").write_text(text, encoding="utf-8")
    (project / "file").write_text("x\n", encoding="utf-8")
    return project


def _targets(count: int) -> str:
    """So many targets that have nothing in common, half of them lint and half of them images."""
    stages = ["FROM busybox AS base"]
    for number in range(count):
        if number % 2:
            stages.append(f'FROM scratch AS image-{number}\nCOPY file /{number}\nENTRYPOINT ["/{number}"]')
        else:
            stages.append(f"FROM base AS lint-{number}\nRUN echo {number}")
    return "\n".join(stages) + "\n"


def plan(folder: Path, count: int, env: Mapping[str, str]) -> tuple[float, int]:
    """`ci-buildkit plan` of so many targets."""
    return child.spent([*OURS, "plan"], folder / "output", _project(folder, _targets(count)), env)


def run(folder: Path, count: int, builder: str, env: Mapping[str, str]) -> tuple[float, int]:
    """`ci-buildkit run` of so many targets, all cached by a run before."""
    project = _project(folder, _targets(count))
    command = [*OURS, "run", "--builder", builder, "--no-oci-layout", "--report-dir", folder / "report"]
    child.spent(command, folder / "output", project, env)
    return child.spent(command, folder / "output", project, env, answers=(0,))


def platforms(folder: Path, count: int, builder: str, env: Mapping[str, str]) -> tuple[float, int]:
    """A run that exports and archives one file for so many platforms."""
    project = _project(folder, "FROM scratch AS binaries\nCOPY file /\n")
    words = ["--builder", builder, "--platform", ",".join(ALL_PLATFORMS[:count]), "--report-dir", folder / "report"]
    return child.spent([*OURS, "run", *words], folder / "output", project, env, answers=(0,))


def log(folder: Path, count: int, builder: str, env: Mapping[str, str]) -> tuple[float, int]:
    """A run whose step prints so many lines."""
    project = _project(folder, _log(count))
    words = ["--builder", builder, "--no-cache", "--report-dir", folder / "report"]
    return child.spent([*OURS, "run", *words], folder / "output", project, env, answers=(0,))


def _log(count: int) -> str:
    program = f'BEGIN {{ for (n = 1; n <= {count}; n++) print "line " n " of a log, about as wide as most" }}'
    return f"FROM busybox AS lint\nRUN awk '{program}'\n"


def report(folder: Path, count: int, command: str, write: Callable[[Path, int], None]) -> tuple[float, int]:
    """Reading a report of so many cases, lines or findings."""
    sample = folder / "sample"
    write(sample, count)
    seconds, memory = child.spent([*OURS, command, sample, "--format", "json"], folder / "output", folder)
    sample.unlink()
    return seconds, memory
