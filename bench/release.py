"""A whole release beside the usual way: one `docker buildx build` after another, as steps of a workflow do it.

The project is examples/buildme: lint, tests, both programs for six platforms, two images for three, pushed with provenance.
Both ways make the same things: the usual one packs an archive of each platform by tar(1) and gzip(1), and their checksums.
It reads no test results, looks at no program, does not ask the registries what they hold, waits for no gate, and makes no
report; ours does. What its builds take alone, without archives, is a row of its own.

Both push to the same names again, as a release that is run again does, and where it is said to new ones.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.pipeline import Bench, engine
from bench.rows import ROOT, Median, Row, spent, turns

PLATFORMS = "linux/amd64,linux/arm64,linux/arm/v7,darwin/amd64,darwin/arm64,windows/amd64"
IMAGES = "linux/amd64,linux/arm64,linux/arm/v7"
VERSION = "v1.2.3"
RUNS = 5
STAMP = ("--build-arg", f"APP_VERSION={VERSION}")
SOURCE = Path("internal", "phrasebook", "phrasebook.go")
# As in release workflows that have no tool for it, and reproducible as ours are.
PACK = """
cd "$1"
for platform in */; do
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - -C "$platform" . |
        gzip -n >"buildme_${platform%/}.tar.gz"
done
sha256sum -- *.tar.gz >checksums.txt
"""


class Release:
    """The release of one copy of the project, done in both ways."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder` is empty."""
        source = folder / "source"
        shutil.copytree(ROOT / "examples" / "buildme", source, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
        (source / "docker-bake.hcl").unlink()
        self.folder = folder
        self.registry = environment["CI_BUILDKIT_LAB_REGISTRY"]
        self.bench = Bench(folder, environment, source)
        self.forget()
        self.changes = 0
        self.builds: list[float] = []
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "state"], ["tag", VERSION]):
            self._git(*words)

    def _git(self, *words: str) -> None:
        who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        subprocess.run(["git", *who, *words], cwd=self.bench.project, check=True, capture_output=True)

    def forget(self) -> None:
        """Keep nothing of the runs before: what is kept between runs is in a folder of this benchmark's own."""
        self.bench.env["XDG_CACHE_HOME"] = tempfile.mkdtemp(dir=self.folder)

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

    def ours(self, builder: str, name: str, *more: str) -> float:
        """One `ci-buildkit run` whose images go to `name`."""
        words = ["--platform", PLATFORMS, "--image", name, "--push", "--provenance", "mode=max", "--version", VERSION]
        return self.bench.ours(builder, *words, *more)

    def usual(self, builder: str, name: str, cache: str = "") -> float:
        """One build after another, and the archives; `cache` is a reference that each build keeps its own cache beside.

        What the builds took alone is added to `builds`.
        """
        out = self.folder / "usual"
        shutil.rmtree(out, ignore_errors=True)
        binaries = ["--platform", PLATFORMS, *STAMP, "--output", f"type=local,dest={out / 'dist'}"]
        image = ["--platform", IMAGES, *STAMP, "--provenance", "mode=max", "--push"]
        words = {
            "lint": ["--output", "type=cacheonly"],
            "test-results": ["--output", f"type=local,dest={out / 'results'}"],
            "binaries": binaries,
            "client": [*image, "--tag", f"{name}-client:{VERSION}"],
            "server": [*image, "--tag", f"{name}-server:{VERSION}"],
        }
        self.builds.append(sum(self.bench.timed(self._build(builder, t, cache, w)) for t, w in words.items()))
        return self.builds[-1] + self.pack(out / "dist")

    def compiled(self, builder: str) -> float:
        """The binaries alone in the usual way, with their archives."""
        out = self.folder / "usual" / "dist"
        shutil.rmtree(out, ignore_errors=True)
        words = ["--platform", PLATFORMS, *STAMP, "--output", f"type=local,dest={out}"]
        return self.bench.timed(self._build(builder, "binaries", "", words)) + self.pack(out)

    def pack(self, folder: Path) -> float:
        """An archive of each platform that was exported, and their checksums, by tar(1), gzip(1) and sha256sum(1)."""
        return self.bench.timed(["sh", "-euc", PACK, "sh", folder])

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
    """The comparisons on builders that have built before, measured now."""
    return _measured(warm, changed)


def cold_rows() -> list[Row]:
    """The comparisons on new builders, measured now."""
    return _measured(second, cold)


def _measured(*measures: Callable[[Release], list[Row]]) -> list[Row]:
    found = []
    with release() as work:
        for measure in measures:
            new = measure(work)
            print(*(row.line(0) for row in new), sep="\n", file=sys.stderr, flush=True)  # the whole may take an hour
            found += new
    return found


def warm(work: Release) -> list[Row]:
    """Everything in the builder's cache, the images to the names that they have already; then to new ones."""
    mine, theirs = work.name(), work.name()
    with work.bench.builder(f"bench-{os.getpid()}-warm") as builder:
        work.ours(builder, mine)
        work.usual(builder, theirs)
        same = compared(
            work, RUNS, "release, warm", 0.5, lambda: work.ours(builder, mine), lambda: work.usual(builder, theirs)
        )
        new = compared(
            work,
            RUNS,
            "release, warm, images to new names",
            None,
            lambda: work.ours(builder, work.name()),
            lambda: work.usual(builder, work.name()),
        )
    return [*same, *new]


def changed(work: Release) -> list[Row]:
    """One source file changed, binaries alone: the run beside its compiler steps, and beside the usual way."""
    compiling: list[float] = []
    with work.bench.builder(f"bench-{os.getpid()}-change") as builder:

        def ours() -> float:
            work.change()
            seconds = work.ours(builder, work.name(), "binaries")
            compiling.append(_span(work.bench.report / "run.json"))
            return seconds

        def usual() -> float:
            work.change()
            return work.compiled(builder)

        ours()
        compiling.clear()
        wall, peer = turns(RUNS, ours, usual)
    compiler = Median(compiling)
    return [
        Row("one file changed / its go build steps", wall, compiler, "ratio at most 1.15", wall / compiler <= 1.15),
        Row("one file changed / the usual way", wall, peer, "printed", reached=True),
    ]


def _span(record: Path) -> float:
    """Seconds from the start of the first `go build` step to the end of the last."""
    steps = [
        s for stage in json.loads(record.read_text())["stages"] for s in stage["timeline"] if "go build" in s["name"]
    ]
    if not steps:
        sys.exit("bench: no go build step ran")
    return float(max(s["started"] + s["seconds"] for s in steps) - min(s["started"] for s in steps))


def second(work: Release) -> list[Row]:
    """The next run on a new machine, one file changed: caches and cache mounts, beside a registry cache alone."""
    mine, theirs = work.name(), work.name()
    kept = ["--cache-from", mine, "--cache-to", mine, "--persist-cache-mounts", str(work.folder / "mounts")]

    def ours() -> float:
        work.change()
        with fresh(work) as builder:
            return work.ours(builder, mine, *kept)

    def usual() -> float:
        work.change()
        with fresh(work) as builder:
            return work.usual(builder, theirs, theirs)

    ours()
    usual()
    return compared(work, RUNS, "release, new builder, one file changed", 0.5, ours, usual)


def cold(work: Release) -> list[Row]:
    """Builders with nothing in them: there the processor is the limit, so its share is told beside."""
    shares: dict[str, list[float]] = {}

    def once(way: Callable[[str, str], float]) -> float:
        with fresh(work) as builder:
            seconds, share = spent(lambda: way(builder, work.name()))
        shares.setdefault(way.__name__, []).append(share)
        return seconds

    found = compared(work, RUNS, "release, cold", 0.9, lambda: once(work.ours), lambda: once(work.usual))
    busy = " / ".join(f"{statistics.mean(own):.0%}" for own in shares.values())
    return [replace(found[0], name=f"{found[0].name} (processors busy {busy})"), *found[1:]]


@contextmanager
def fresh(work: Release) -> Iterator[str]:
    """A builder that has built nothing, and nothing kept of earlier runs either."""
    work.forget()
    with work.bench.builder(f"bench-{os.getpid()}-{uuid.uuid4().hex[:6]}") as builder:
        yield builder


def compared(
    work: Release, runs: int, name: str, limit: float | None, ours: Callable[[], float], usual: Callable[[], float]
) -> list[Row]:
    """Both ways in turns; and our way beside the builds of the usual one alone, which make less of what ours makes."""
    work.builds.clear()
    mine, theirs = turns(runs, ours, usual)
    asked = f"ratio at most {limit}" if limit else "printed"
    return [
        Row(name, mine, theirs, asked, reached=limit is None or mine / theirs <= limit),
        Row(f"{name} / the builds alone", mine, Median(work.builds), "printed", reached=True),
    ]
