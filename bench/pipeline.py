"""The pipeline on a builder that has everything, beside what people would run without it, on the real engine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.rows import ROOT, Row, turns

PROJECT = Path(__file__).resolve().parent / "project"
STAGES = ("lint", "test-results", "binaries", "client", "server")
TURNS = 9
SHORT_TURNS = 15


def engine() -> dict[str, str]:
    """The engine's environment, brought up where needed."""
    subprocess.run([sys.executable, "lab/lab.py", "up", "--quiet"], cwd=ROOT, check=True)
    done = subprocess.run(
        ["sh", "-c", "set -a; . .lab/env >&2; exec env -0"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


class Bench:
    """A copy of the project and everything that is timed on it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], project: Path = PROJECT) -> None:
        """`folder` is empty, or holds the project alone."""
        self.project = Path(shutil.copytree(project, folder / "project")) if project == PROJECT else project
        self.report = folder / "report"
        self.folder = folder
        self.env = {**environment, "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)

    def timed(
        self, command: Sequence[object], env: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> float:
        """Seconds that a command took, in the project or in another folder; it must succeed."""
        words, place = [str(word) for word in command], folder or self.project
        began = time.perf_counter()
        done = subprocess.run(words, cwd=place, env=env or self.env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            sys.exit(f"bench: {words} failed\n{done.stdout}{done.stderr}")
        return seconds

    def ours(self, builder: str, *words: str) -> float:
        """`ci-buildkit run WORDS`."""
        return self.timed([*self.run_command(builder), *words])

    def run_command(self, builder: str) -> list[object]:
        """`ci-buildkit run` on a builder."""
        return [sys.executable, "-m", "ci_buildkit", "run", "--builder", builder, "--report-dir", self.report]

    def bake(self, builder: str) -> float:
        """One bake of the bake file that our last run wrote, in which a failing target stops no other."""
        return self.timed([*self.bake_command(builder), "--jobs=defer-error"])

    def bake_command(self, builder: str) -> list[object]:
        """`docker buildx bake` of the bake file that our last run wrote."""
        return ["docker", "buildx", "bake", "--builder", builder, "-f", self.report / "bake.json"]

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
    found = []
    with bench.builder(f"bench-{os.getpid()}") as builder:
        ways: Sequence[Callable[[], float]] = [
            lambda: bench.ours(builder),
            lambda: bench.bake(builder),
            lambda: bench.one_by_one(builder),
        ]
        for warm in ways:
            warm()
        ours, bake, serial = turns(TURNS, *ways)
    found.append(Row("nothing changed / one bake", ours, bake, "at most +0.35 s", ours - bake <= 0.35))
    found.append(
        Row("nothing changed / one build after another", ours, serial, "ratio at most 0.8", ours / serial <= 0.8)
    )
    version = [sys.executable, "-m", "ci_buildkit", "--version"]
    ours, bare = turns(SHORT_TURNS, lambda: bench.timed(version), lambda: bench.timed([sys.executable, "-c", "pass"]))
    found.append(Row("--version / python -c pass", ours, bare, "at most +0.15 s", ours - bare <= 0.15))
    found.append(boot(bench))
    return found


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
    ours, bare = turns(
        SHORT_TURNS, lambda: bench.timed(command, env), lambda: bench.timed([sys.executable, "-c", "pass"])
    )
    return Row("action boot, warm / python -c pass", ours, bare, "at most 0.5 s", ours <= 0.5)


def rows() -> list[Row]:
    """Every comparison, measured now."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the builders are removed then too
    environment = engine()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        return measure(Bench(Path(folder), environment))
