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


UNITS = {COLD: "s", CHANGED: "s", WARM: "s", KEPT: "s", PULLED: "MB", DISK: "MB", MOUNTS: "MB", REQUESTS: "requests"}


def rows() -> list[Row]:
    """Every cost, measured now."""
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        source = Path(folder, "source")
        shutil.copytree(ROOT / "examples" / "buildme", source, ignore=shutil.ignore_patterns("ci-report", "bake-out"))
        (source / "docker-bake.hcl").unlink()
        return measure(Bench(Path(folder), engine(), source))


def measure(bench: Bench, rounds: int = RUNS) -> list[Row]:
    """The rows, medians of rounds. A round is a new builder with three runs on it, and another with cache mounts kept."""
    file = bench.project / SOURCE
    text = file.read_text()
    mounts = bench.folder / "mounts"
    kept = ("--persist-cache-mounts", str(mounts))
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    def change() -> None:
        file.write_text(f"{text}\nconst changed = 0x{uuid.uuid4().hex[:6]}\n\nvar _ = changed\n")

    for _ in range(rounds):
        with builder(bench) as name:
            note(COLD, bench.ours(name))
            note(PULLED, _transferred(bench) / MB)
            note(WARM, bench.ours(name))
            change()
            note(CHANGED, bench.ours(name))
            change()  # what runs nothing has nothing new to keep
            bench.ours(name, *kept)
            note(DISK, _disk(bench, name) / MB)
        note(MOUNTS, sum(one.stat().st_size for one in mounts.rglob("*") if one.is_file()) / MB)
        change()
        with builder(bench) as name:
            note(KEPT, bench.ours(name, *kept))
    note(REQUESTS, float(_requests(bench)))
    return [Row(name, Median(values), 0, "printed", reached=True, unit=UNITS[name]) for name, values in found.items()]


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
        environ = {**_workflow(bench, github.url), "GITHUB_TOKEN": github.token}
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
        **bench.env, "GITHUB_ACTIONS": "true", "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "octo/hello", "GITHUB_SHA": head, "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_PATH": str(event), "GITHUB_WORKSPACE": str(bench.project),
    }  # fmt: skip
