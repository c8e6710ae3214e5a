"""What one run costs an organisation: seconds, bytes and requests, on examples/buildme for one platform.

Nothing here has a limit: the rows feed `bench/scale.py`, which finds them by name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests import github_server

from bench.mounts import SOURCE
from bench.pipeline import Bench, engine
from bench.rows import ROOT, Median, Row

RUNS = 5
MB = 1_000_000
COLD, CHANGED, WARM, KEPT = "run, new builder", "run, one file changed", "run, nothing changed", "run, mounts kept"
PULLED, DISK, MOUNTS, REQUESTS = (
    "read from outside, new builder",
    "builder's disk",
    "kept mounts",
    "requests to publish",
)


def rows() -> list[Row]:
    """Every cost, measured now."""
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        source = Path(folder, "source")
        shutil.copytree(ROOT / "examples" / "buildme", source, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
        (source / "docker-bake.hcl").unlink()
        return list(measure(Bench(Path(folder), engine(), source)))


def measure(bench: Bench) -> Iterator[Row]:
    """The rows; the builder's caches are kept from one to the next as their names say."""
    file = bench.project / SOURCE
    text = file.read_text()
    kept = ("--persist-cache-mounts", str(bench.folder / "mounts"))

    def changed() -> None:
        file.write_text(f"{text}\nconst changed = 0x{uuid.uuid4().hex[:6]}\n\nvar _ = changed\n")

    with builder(bench) as name:
        yield _row(COLD, bench.ours(name))
        yield _row(PULLED, _transferred(bench) / MB, "MB")
        yield _row(WARM, Median(bench.ours(name) for _ in range(RUNS)))
        times = []
        for _ in range(RUNS):
            changed()
            times.append(bench.ours(name))
        yield _row(CHANGED, Median(times))
        bench.ours(name, *kept)
        yield _row(DISK, _disk(bench, name) / MB, "MB")
    yield _row(
        MOUNTS, sum(one.stat().st_size for one in (bench.folder / "mounts").rglob("*") if one.is_file()) / MB, "MB"
    )
    changed()
    with builder(bench) as name:
        yield _row(KEPT, bench.ours(name, *kept))
    yield _row(REQUESTS, float(_requests(bench)), "requests")


def _row(name: str, value: float, unit: str = "s") -> Row:
    return Row(name, value, 0, "printed", reached=True, unit=unit)


@contextmanager
def builder(bench: Bench) -> Iterator[str]:
    """A new builder with a name of its own."""
    with bench.builder(f"bench-{os.getpid()}-{uuid.uuid4().hex[:6]}") as name:
        yield name


def _transferred(bench: Bench) -> int:
    """Bytes that the last run's builds took from registries and from the context."""
    stages = json.loads((bench.report / "run.json").read_text())["stages"]
    steps = {step["name"]: step["transferred"] for stage in stages for step in stage["timeline"]}
    return int(sum(steps.values()))


def _disk(bench: Bench, name: str) -> int:
    """Bytes that the builder holds."""
    words = ["docker", "buildx", "du", "--builder", name, "--format", "json"]
    done = subprocess.run(words, env=bench.env, capture_output=True, text=True, check=True)
    return sum(_bytes(json.loads(line)["Size"]) for line in done.stdout.splitlines() if line.startswith("{"))


def _bytes(size: str | int) -> int:
    """`12.3MB` as bytes: docker's sizes are decimal."""
    if isinstance(size, int):
        return size
    number = size.rstrip("BkMGT")
    return int(float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[size[len(number) :]])


def _requests(bench: Bench) -> int:
    """Requests of the publishing of one run: check run, comparison with the base branch, comment."""
    with github_server.serving() as github:
        environ = _workflow(bench, github.url)
        words = [sys.executable, "-m", "ci_buildkit", "publish", "--report-dir", str(bench.report)]
        done = subprocess.run(words, cwd=bench.project, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: {words} failed\n{done.stdout}{done.stderr}")
        return len(github.requests)


def _workflow(bench: Bench, url: str) -> Mapping[str, str]:
    """The variables of a workflow of a pull request for the run's commit."""
    head = json.loads((bench.report / "run.json").read_text())["version"]["revision"] or "0" * 40
    event = bench.folder / "event.json"
    pull = {"number": 7, "head": {"sha": head, "ref": "change"}, "base": {"sha": "b" * 40, "ref": "main"}}
    event.write_text(json.dumps({"number": 7, "pull_request": pull}))
    return {
        **bench.env, "GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "token", "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "octo/hello", "GITHUB_SHA": head, "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_PATH": str(event), "GITHUB_WORKSPACE": str(bench.project),
    }  # fmt: skip
