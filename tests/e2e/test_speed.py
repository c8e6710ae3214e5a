"""What ci-buildkit costs beside its peers, as ratios of processor time: the machine and what else runs on it cancel out.

Each limit is about a third above the ratio that was measured, so that a regression of a half fails and noise does not.
`python -m bench` measures seconds, and more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import samples
from bench.child import spent
from bench.pipeline import Bench
from bench.readers import JUNITPARSER

TURNS = 7
OURS = (sys.executable, "-m", "ci_buildkit")


def least(folder: Path, env: Mapping[str, str], *commands: Sequence[object], place: Path | None = None) -> list[float]:
    """The least processor seconds of commands that take turns in a folder or `place`, with those of all that they start."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(TURNS):
        for own, command in zip(times, commands, strict=True):
            own.append(spent(command, folder / "output", place or folder, env).processor)
    return [min(own) for own in times]


def test_a_run_that_finds_nothing_changed_costs_little_beside_a_bake(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    bench = Bench(tmp_path, environment)
    with bench.builder(f"speed-{os.getpid()}") as builder:
        bench.ours(builder)
        # Without --jobs=defer-error, which Docker's of CI machines may not know: it costs nothing where nothing fails.
        ours, bake = least(
            tmp_path, bench.env, bench.run_command(builder), bench.bake_command(builder), place=bench.project
        )
    assert ours / bake < 9  # 6.7


def test_the_command_starts_little_slower_than_python(tmp_path: Path) -> None:
    ours, bare = least(tmp_path, os.environ, [*OURS, "--version"], [sys.executable, "-c", "pass"])
    assert ours / bare < 3.2  # 2.3


def test_reading_junit_costs_little_beside_junitparser(tmp_path: Path) -> None:
    sample = tmp_path / "junit.xml"
    samples.junit(sample, 200_000)
    ours, peer = least(tmp_path, os.environ, [*OURS, "results", sample], [sys.executable, "-c", JUNITPARSER, sample])
    assert ours / peer < 0.62  # 0.5
