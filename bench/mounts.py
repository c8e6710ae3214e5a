"""Kept cache mounts beside empty ones, each on a new builder, on examples/buildme with a file changed before every run.

What is timed is the whole run: images pulled, mounts restored and saved, lint, tests, binaries, images.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from bench.pipeline import Bench, cold, engine
from bench.rows import ROOT, Row, turns

RUNS = 5
SOURCE = Path("internal", "phrasebook", "phrasebook.go")


def rows() -> list[Row]:
    """The comparison, measured now."""
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        source = Path(folder, "source")
        shutil.copytree(ROOT / "examples" / "buildme", source, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
        (source / "docker-bake.hcl").unlink()  # with six platforms a run without caches takes minutes
        return [compare(Bench(Path(folder), engine(), source))]


def compare(bench: Bench) -> Row:
    """The run with mounts that the run before has kept, and the run without."""
    number = itertools.count()
    file = bench.project / SOURCE
    text = file.read_text()

    def run(builder: str, *words: str) -> float:
        file.write_text(f"{text}\nconst changed = {next(number)}\n\nvar _ = changed\n")
        return bench.ours(builder, *words)

    option = ("--persist-cache-mounts", str(bench.folder / "mounts"))
    kept = cold(bench, lambda builder: run(builder, *option), "kept")
    kept()
    ours, peer = turns(RUNS, kept, cold(bench, run, "empty"))
    return Row("new builder, cache mounts kept / empty", ours, peer, "ratio at most 0.5", ours / peer <= 0.5)
