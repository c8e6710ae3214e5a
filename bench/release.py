"""A whole release beside the usual way: one `docker buildx build` after another, as steps of a workflow do it.

The project is examples/buildme: lint, tests, both programs for six platforms, two images for three, pushed with provenance.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.pipeline import Bench, engine
from bench.rows import ROOT, Row, spent, turns

PLATFORMS = "linux/amd64,linux/arm64,linux/arm/v7,darwin/amd64,darwin/arm64,windows/amd64"
IMAGES = "linux/amd64,linux/arm64,linux/arm/v7"
VERSION = "v1.2.3"
COLD_RUNS = 2
WARM_RUNS = 5
SOURCE = Path("internal", "phrasebook", "phrasebook.go")


class Release:
    """The release of one copy of the project, done in both ways."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder` is empty."""
        source = folder / "source"
        shutil.copytree(ROOT / "examples" / "buildme", source, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
        (source / "docker-bake.hcl").unlink()
        self.bench = Bench(folder, environment, source)
        self.folder = folder
        self.registry = environment["CI_BUILDKIT_LAB_REGISTRY"]
        self.changes = 0
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "state"], ["tag", VERSION]):
            self._git(*words)

    def _git(self, *words: str) -> None:
        who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        subprocess.run(["git", *who, *words], cwd=self.bench.project, check=True, capture_output=True)

    def change(self) -> None:
        """Change one source file, in a way that the compiler sees."""
        self.changes += 1
        file = self.bench.project / SOURCE
        text = file.read_text().split("\n\n// changed", 1)[0].rstrip("\n")
        file.write_text(
            f"{text}\n\n// changed\nconst changed{self.changes} = {self.changes}\n\nvar _ = changed{self.changes}\n"
        )

    def name(self) -> str:
        """A new place for images."""
        return f"{self.registry}/bench/{uuid.uuid4().hex[:8]}"

    def ours(self, builder: str, *more: str) -> float:
        """One `ci-buildkit run`."""
        words = [
            "--platform",
            PLATFORMS,
            "--image",
            self.name(),
            "--push",
            "--provenance",
            "mode=max",
            "--version",
            VERSION,
        ]
        return self.bench.ours(builder, *words, *more)

    def usual(self, builder: str, cache: str = "") -> float:
        """One build after another; `cache` is a reference that each keeps its own cache beside."""
        name, epoch = self.name(), ["--build-arg", f"APP_VERSION={VERSION}"]
        return sum(
            self.bench.timed(self._build(builder, target, cache, words))
            for target, words in (
                ("lint", ["--output", "type=cacheonly"]),
                ("test-results", ["--output", f"type=local,dest={self.folder / 'usual' / 'results'}"]),
                (
                    "binaries",
                    ["--platform", PLATFORMS, *epoch, "--output", f"type=local,dest={self.folder / 'usual' / 'dist'}"],
                ),
                *(
                    (
                        t,
                        [
                            "--platform",
                            IMAGES,
                            *epoch,
                            "--provenance",
                            "mode=max",
                            "--push",
                            "--tag",
                            f"{name}-{t}:{VERSION}",
                        ],
                    )
                    for t in ("client", "server")
                ),
            )
        )

    @staticmethod
    def _build(builder: str, target: str, cache: str, words: Sequence[str]) -> list[str]:
        reference = f"type=registry,ref={cache}:{target}"
        kept = ["--cache-from", reference, "--cache-to", f"{reference},mode=max"] if cache else []
        return ["docker", "buildx", "build", "--builder", builder, "--target", target, *kept, *words, "."]


@contextmanager
def release() -> Iterator[Release]:
    """A release on the engine, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        yield Release(Path(folder), engine())


def rows() -> list[Row]:
    """Every comparison, measured now."""
    found = []
    with release() as work:
        for measure in (warm, changed, second, cold):
            found.append(measure(work))
            print(found[-1].line(0), file=sys.stderr, flush=True)  # the whole takes half an hour
    return found


def cold(work: Release) -> Row:
    """Builders with nothing in them: there the processor is the limit, so its share is told beside."""
    ways: dict[str, Callable[[str], float]] = {"ours": work.ours, "usual": work.usual}
    shares: dict[str, list[float]] = {name: [] for name in ways}

    def once(name: str) -> float:
        with work.bench.builder(f"bench-{os.getpid()}-{uuid.uuid4().hex[:6]}") as builder:
            seconds, share = spent(lambda: ways[name](builder))
        shares[name].append(share)
        return seconds

    ours, usual = turns(COLD_RUNS, lambda: once("ours"), lambda: once("usual"))
    busy = " / ".join(f"{sum(found) / len(found):.0%}" for found in shares.values())
    return Row(f"release, cold (processors busy {busy})", ours, usual, "ratio at most 0.9", ours / usual <= 0.9)


def warm(work: Release) -> Row:
    """Everything in the builder's cache."""
    with work.bench.builder(f"bench-{os.getpid()}-warm") as builder:
        work.ours(builder)
        work.usual(builder)
        ours, usual = turns(WARM_RUNS, lambda: work.ours(builder), lambda: work.usual(builder))
    return Row("release, warm", ours, usual, "ratio at most 0.5", ours / usual <= 0.5)


def changed(work: Release) -> Row:
    """One source file changed: the run beside what its compiler steps took, from the first to the last."""
    walls, compiling = [], []
    with work.bench.builder(f"bench-{os.getpid()}-change") as builder:
        work.ours(builder)
        for _ in range(WARM_RUNS):
            work.change()
            walls.append(work.ours(builder, "binaries"))
            compiling.append(_span(work.bench.report / "run.json"))
    wall, compiler = (sorted(found)[WARM_RUNS // 2] for found in (walls, compiling))
    return Row("one file changed / its go build steps", wall, compiler, "ratio at most 1.15", wall / compiler <= 1.15)


def _span(record: Path) -> float:
    """Seconds from the start of the first `go build` step to the end of the last."""
    steps = [
        s for stage in json.loads(record.read_text())["stages"] for s in stage["timeline"] if "go build" in s["name"]
    ]
    if not steps:
        sys.exit("bench: no go build step ran")
    return float(max(s["started"] + s["seconds"] for s in steps) - min(s["started"] for s in steps))


def second(work: Release) -> Row:
    """The next run on a new builder, one file changed: caches and cache mounts, beside a registry cache alone."""
    mine, theirs = work.name(), work.name()
    mounts = work.folder / "mounts"
    kept = ["--cache-from", mine, "--cache-to", mine, "--persist-cache-mounts", str(mounts)]

    def once(way: str) -> float:
        with work.bench.builder(f"bench-{os.getpid()}-{uuid.uuid4().hex[:6]}") as builder:
            return work.ours(builder, *kept) if way == "ours" else work.usual(builder, theirs)

    once("ours")
    once("usual")

    def next_one(way: str) -> float:
        work.change()
        return once(way)

    ours, usual = turns(COLD_RUNS, lambda: next_one("ours"), lambda: next_one("usual"))
    return Row("release, new builder, one file changed", ours, usual, "ratio at most 0.5", ours / usual <= 0.5)
