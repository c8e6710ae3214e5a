"""Time the pipeline beside what people would run without it, and write `.bench/results.json`.

Runs take turns with their peers (A B A B ...), so a machine whose speed drifts slows both. Medians are printed, and the
limits that can fail are ratios or differences with the machine's own peer, never absolute times.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = Path(__file__).resolve().parent / "project"
STAGES = ("lint", "test-results", "binaries", "client", "server")
WARM_RUNS = 9
COLD_RUNS = 2


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds, and what was asked of it."""

    name: str
    ours: float
    peer: float
    limit: str
    reached: bool

    @property
    def ratio(self) -> float:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer else 0.0


def engine() -> dict[str, str]:
    """The engine's environment, brought up where needed."""
    subprocess.run([sys.executable, "lab/lab.py", "up", "--quiet"], cwd=ROOT, check=True)
    done = subprocess.run(
        ["sh", "-c", "set -a; . .lab/env >&2; exec env -0"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


class Bench:
    """A copy of the project and everything that is timed on it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder` is empty."""
        self.project = Path(shutil.copytree(PROJECT, folder / "project"))
        self.report = folder / "report"
        self.folder = folder
        self.env = {**environment, "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)

    def timed(self, command: Sequence[object], env: Mapping[str, str] | None = None) -> float:
        """Seconds that a command took; it must succeed."""
        words = [str(word) for word in command]
        began = time.perf_counter()
        done = subprocess.run(words, cwd=self.project, env=env or self.env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            sys.exit(f"bench: {words} failed\n{done.stdout}{done.stderr}")
        return seconds

    def ours(self, builder: str) -> float:
        """`ci-buildkit run` of every stage."""
        command = [sys.executable, "-m", "ci_buildkit", "run", "--builder", builder, "--report-dir", self.report]
        return self.timed(command)

    def bake(self, builder: str) -> float:
        """One bake of the same bake file."""
        return self.timed(
            ["docker", "buildx", "bake", "--builder", builder, "--jobs=defer-error", "-f", self.report / "bake.json"]
        )

    def one_by_one(self, builder: str) -> float:
        """The same targets one after another, as three or more build-push-action steps do."""
        return sum(
            self.timed(["docker", "buildx", "build", "--builder", builder, *self._flags(s), "."]) for s in STAGES
        )

    def _flags(self, stage: str) -> list[str]:
        exporters = {"lint": "type=cacheonly", "client": "type=image,push=false", "server": "type=image,push=false"}
        default = f"type=local,dest={self.folder / 'by-hand' / stage}"
        return ["--target", stage, "--output", exporters.get(stage, default)]

    @contextmanager
    def builder(self, name: str) -> Iterator[str]:
        """A fresh builder with empty caches."""
        self.timed([sys.executable, "-m", "ci_buildkit", "builder", "create", name])
        try:
            yield name
        finally:
            self.timed([sys.executable, "-m", "ci_buildkit", "builder", "rm", name])


def turns(runs: int, *functions: Callable[[], float]) -> list[float]:
    """Medians of functions that take turns."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for own, function in zip(times, functions, strict=True):
            own.append(function())
    return [statistics.median(own) for own in times]


def cold(bench: Bench, function: Callable[[str], float], label: str) -> Callable[[], float]:
    """`function` on a builder of its own, whose making is not timed."""
    count = 0

    def once() -> float:
        nonlocal count
        count += 1
        with bench.builder(f"bench-{os.getpid()}-{label}-{count}") as name:
            return function(name)

    return once


def measure(bench: Bench) -> list[Row]:
    """Every comparison."""
    rows = []
    with bench.builder(f"bench-{os.getpid()}") as builder:
        bench.ours(builder)
        for warm in (bench.bake, bench.one_by_one):
            warm(builder)
        ours, bake, serial = turns(
            WARM_RUNS, lambda: bench.ours(builder), lambda: bench.bake(builder), lambda: bench.one_by_one(builder)
        )
    rows.append(Row("warm no-op / one bake", ours, bake, "at most +0.7 s", ours - bake <= 0.7))
    rows.append(Row("warm no-op / one build after another", ours, serial, "ratio below 0.8", ours / serial < 0.8))
    ours, bake, serial = turns(
        COLD_RUNS,
        cold(bench, bench.ours, "ours"),
        cold(bench, bench.bake, "bake"),
        cold(bench, bench.one_by_one, "serial"),
    )
    rows.append(Row("cold / one bake", ours, bake, "ratio at most 1.05", ours / bake <= 1.05))
    rows.append(Row("cold / one build after another", ours, serial, "printed", reached=True))
    version = [sys.executable, "-m", "ci_buildkit", "--version"]
    ours, bare = turns(15, lambda: bench.timed(version), lambda: bench.timed([sys.executable, "-c", "pass"]))
    rows.append(Row("--version / python -c pass", ours, bare, "at most +0.15 s", ours - bare <= 0.15))
    rows.append(boot(bench))
    return rows


def boot(bench: Bench) -> Row:
    """The action's boot with a warm tool cache, beside starting its Python."""
    output = bench.folder / "output"
    output.touch()
    env = {
        **bench.env,
        "RUNNER_TOOL_CACHE": str(bench.folder / "tools"),
        "RUNNER_TEMP": str(bench.folder),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_ACTION_PATH": str(ROOT),
    }
    command = ["sh", ROOT / "action" / "boot.sh"]
    bench.timed(command, env)  # fills the tool cache
    ours, bare = turns(9, lambda: bench.timed(command, env), lambda: bench.timed([sys.executable, "-c", "pass"]))
    return Row("action boot, warm / python -c pass", ours, bare, "at most 0.5 s", ours <= 0.5)


def main() -> int:
    """Measure, print the table, write the file; 1 where a limit was not reached."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the builders are removed then too
    environment = engine()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        rows = measure(Bench(Path(folder), environment))
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}}    ours    peer   ratio  asked")
    for row in rows:
        state = "" if row.reached else "   NOT REACHED"
        print(f"{row.name:{width}}  {row.ours:6.3f}  {row.peer:6.3f}  {row.ratio:6.2f}  {row.limit}{state}")
    target = ROOT / ".bench"
    target.mkdir(exist_ok=True)
    results = {"cores": os.cpu_count(), "rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}
    (target / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return int(not all(row.reached for row in rows))


if __name__ == "__main__":
    sys.exit(main())
