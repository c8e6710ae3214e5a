"""The same work from nothing in every way that can be measured here: a builder made, everything built, the builder removed.

The engine runs before, and has the image of the builder and for workflows that of the runner.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e import action_support
from tests.e2e.workflow_support import repository

from bench.pipeline import PROJECT, STAGES, Bench, engine
from bench.rows import Median, Row, turns

TURNS = 5
CONTEXT = 200_000_000  # bytes
# The lab's registry stands for Docker Hub, at an address of the host: the builder has to be told both.
CREATE = (
    "docker buildx create --name {name} --driver docker-container --bootstrap"
    ' ${{CI_BUILDKIT_BUILDER_DRIVER_OPTS:+--driver-opt "$CI_BUILDKIT_BUILDER_DRIVER_OPTS"}}'
    ' ${{CI_BUILDKIT_BUILDKITD_CONFIG:+--buildkitd-config "$CI_BUILDKIT_BUILDKITD_CONFIG"}}'
)
PLAIN = """
name: Plain
on: push
permissions: {{}}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: {checkout}
      - name: Make a builder
        run: {create}
{builds}
      - uses: {upload}
        with:
          name: outputs
          path: |
            /tmp/results
            /tmp/dist
      - name: Remove the builder
        if: always()
        run: docker buildx rm "plain-$GITHUB_RUN_ID"
"""
OURS = """
name: Ours
on: push
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: {checkout}
      - uses: {action}
        with:
          oci-layout: "false"
"""
EXPORTERS = {
    "lint": "type=cacheonly",
    "test-results": "type=local,dest=/tmp/results",
    "binaries": "type=local,dest=/tmp/dist",
    "client": "type=image,push=false",
    "server": "type=image,push=false",
}


def plain() -> str:
    """The workflow of who has no tool: a step for each target."""
    name = '"plain-$GITHUB_RUN_ID"'
    builds = "\n".join(
        f"      - name: Build {stage}\n"
        f"        run: docker buildx build --builder {name} --target {stage} --output {EXPORTERS[stage]} ."
        for stage in STAGES
    )
    return PLAIN.format(
        checkout=action_support.CHECKOUT, create=CREATE.format(name=name), builds=builds, upload=action_support.UPLOAD
    )


class Peers:
    """The project, as a folder and as repositories with a workflow."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder` is empty."""
        self.bench = Bench(folder, environment)
        self.number = itertools.count(1)
        files = {path.name: path.read_text(encoding="utf-8") for path in PROJECT.iterdir()}
        ours = OURS.format(checkout=action_support.CHECKOUT, action=action_support.ACTION)
        self.repositories = {
            "plain": repository(folder / "plain", plain(), files),
            "ours": repository(folder / "ours", ours, files),
        }
        stand_ins = {
            action_support.ACTION: action_support.export_checkout(folder / "action"),
            action_support.UPLOAD: action_support.stand_in(),
            action_support.SCRIPT: folder / "action" / "lab" / "github-script",
        }
        self.uses = [f"--use={name}={place}" for name, place in stand_ins.items()]
        # act keeps what it fetches; nothing of this user's is to decide.
        own = {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.environ = {**self.bench.env, **own}
        self.bench.timed(["docker", "pull", "--quiet", environment["CI_BUILDKIT_RUNNER_IMAGE"]])

    def run(self) -> float:
        """`ci-buildkit run` with a builder of its own."""
        words = ["run", "--no-oci-layout", "--report-dir", self.bench.report]
        return self.bench.timed([sys.executable, "-m", "ci_buildkit", *words])

    def bake(self) -> float:
        """docker's own commands: a builder, one bake, the builder removed."""
        with self._builder() as (name, took):
            took.append(self.bench.bake(name))
        return sum(took)

    def one_by_one(self) -> float:
        """docker's own commands: a builder, one build after another, the builder removed."""
        with self._builder() as (name, took):
            took.append(self.bench.one_by_one(name))
        return sum(took)

    @contextmanager
    def _builder(self) -> Iterator[tuple[str, list[float]]]:
        """A builder as setup-buildx-action makes it; what it took is in the list, its removal too."""
        name = f"bench-{os.getpid()}-{next(self.number)}"
        remove = ["docker", "buildx", "rm", "--force", name]
        try:
            took = [self.bench.timed(["sh", "-c", CREATE.format(name=name)])]
            yield name, took
        except BaseException:
            subprocess.run(remove, env=self.bench.env, check=False, capture_output=True)
            raise
        took.append(self.bench.timed(remove))

    def act(self, workflow: str) -> float:
        """The workflow `plain` or `ours` under act."""
        folder = self.repositories[workflow]
        command = [sys.executable, "-m", "ci_buildkit", "act", "--offline", *self.uses]
        return self.bench.timed(command, self.environ, folder)


def rows() -> list[Row]:
    """The comparisons on this machine, measured now."""
    return _measured(compare)


def context_rows() -> list[Row]:
    """The comparisons with a large context, measured now."""
    return _measured(compare_context)


def workflow_rows() -> list[Row]:
    """The comparisons under act, measured now."""
    return _measured(compare_workflows)


def _measured(compared: Callable[[Peers], list[Row]]) -> list[Row]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that builders are removed then too
    environment = engine()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        return compared(Peers(Path(folder), environment))


def compare(peers: Peers, runs: int = TURNS) -> list[Row]:
    """Three ways in turns."""
    run, bake, one_by_one = _warmed(runs, peers.run, peers.bake, peers.one_by_one)
    return [
        Row("ci-buildkit run / one bake", run, bake, "ratio at most 1.05", run / bake <= 1.05),
        Row("ci-buildkit run / one build after another", run, one_by_one, "ratio at most 0.9", run / one_by_one <= 0.9),
    ]


def compare_context(peers: Peers, runs: int = TURNS) -> list[Row]:
    """Three ways in turns, with files in the context that nobody would want to send twice."""
    (peers.bench.project / "data").write_bytes(os.urandom(CONTEXT))
    run, bake, one_by_one = _warmed(runs, peers.run, peers.bake, peers.one_by_one)
    return [
        Row("200 MB of context / one bake", run, bake, "printed", reached=True),
        Row("200 MB of context / one build after another", run, one_by_one, "printed", reached=True),
    ]


def compare_workflows(peers: Peers, runs: int = TURNS) -> list[Row]:
    """Two workflows and the command in turns."""
    ours, others, run = _warmed(runs, lambda: peers.act("ours"), lambda: peers.act("plain"), peers.run)
    return [
        Row("the action under act / a plain workflow under act", ours, others, "ratio at most 1.0", ours <= others),
        Row("the action under act / ci-buildkit run", ours, run, "printed", reached=True),
    ]


def _warmed(runs: int, *ways: Callable[[], float]) -> list[Median]:
    """Medians of ways in turns, after one turn that warms up and is not counted."""
    for way in ways:
        way()
    return turns(runs, *ways)
