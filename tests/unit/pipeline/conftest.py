"""A run without an engine: `docker` is a script that replays recorded solves, the registry is in memory."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.plan.conftest import VERSION, Answers

from ci_buildkit.config.options import Options
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.registry import Held, Registry, Top
from ci_buildkit.errors import EngineError
from ci_buildkit.pipeline import policies
from ci_buildkit.pipeline.clock import Clock
from ci_buildkit.pipeline.run import Finished, Run, execute
from ci_buildkit.pipeline.session import Session, export_folder
from ci_buildkit.pipeline.stage import StageRun, run_stage
from ci_buildkit.pipeline.staging import Staging
from ci_buildkit.pipeline.view import Level, Snapshot
from ci_buildkit.plan import bake, stages, targets
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import StageRecord

DATA = Path(__file__).parents[1] / "engine" / "data"
OLD = "v0.11.0"  # a buildx without a debugger
# Writes the metadata file as buildx does: every image has this digest.
METADATA = """for word; do case $word in --metadata-file=*)
  printf '{"%s": {"containerimage.digest": "%s"}}' "$last" DIGEST >"${word#*=}";; esac; done"""


class Watcher:
    """A view that remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[tuple[Level, str]] = []
        self.phases: list[str] = []
        self.lines: list[str] = []
        self.ended: list[StageRecord] = []

    def start(self, stages: Sequence[str]) -> None:
        pass

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def progress(self, stage: str, snapshot: Snapshot) -> None:
        pass

    def log(self, stage: str, step: str, line: str) -> None:
        self.lines.append(line)

    def finished(self, stage: StageRecord, log: Path) -> None:
        self.ended.append(stage)

    def message(self, level: Level, text: str) -> None:
        self.messages.append((level, text))

    def close(self) -> None:
        pass


@dataclass
class Ground:
    """A working directory with a `docker` that is a script. `calls` are the words of each of its starts."""

    folder: Path
    staging: Staging
    view: Watcher = field(default_factory=Watcher)
    cancellation: Cancellation = field(default_factory=Cancellation)
    buildx_version: str = OLD

    def docker(self, body: str) -> None:
        """Let the script do this; `$number` counts its builds from 1, `$last` is the last word."""
        command = self.folder / "bin" / "docker"
        command.parent.mkdir(exist_ok=True)
        calls = shlex.quote(str(self.folder / "calls"))
        head = f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>{calls}\nnumber=$(grep -cE ' (bake|build) ' {calls})\nfor last; do :; done\n"
        command.write_text(f"{head}{body}\n", encoding="utf-8")
        command.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """How docker was started."""
        file = self.folder / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def plan(self, dockerfile: str, **options: Any) -> tuple[Plan, Options]:
        """The plan of a Dockerfile."""
        (self.folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        chosen = Options(**options)
        return stages.make(chosen, targets.discover(chosen, Answers()), VERSION), chosen

    def session(self, plan: Plan, options: Options, machines: Sequence[Machine] = ()) -> Session:
        """What the stages of a plan share; what is told to the view arrives at once."""
        buildx = Buildx(os.environ)
        own = tuple(machines) or (Machine("b0", status="running", platforms=("linux/amd64",)),)
        builder = Builder("b", "docker-container", own, created=True, kept=False)
        definitions = bake.definition(plan, lambda stage: str(export_folder(self.staging, stage)))["target"]
        return Session(
            buildx, Fleet(buildx, builder), options, self.cancellation, self.staging, definitions, self.folder, Clock(),
            lambda call: call(), self.view, self.buildx_version != OLD, policies.load(options),
        )  # fmt: skip

    def stage(self, dockerfile: str, **options: Any) -> StageRun:
        """Run the only stage of a plan."""
        plan, chosen = self.plan(dockerfile, **options)
        (stage,) = plan.stages
        return run_stage(self.session(plan, chosen), stage)

    def run(self, dockerfile: str, **options: Any) -> Finished:
        """Run a whole plan."""
        plan, chosen = self.plan(dockerfile, **options)
        session = self.session(plan, chosen)
        return execute(
            Run(
                plan, chosen, session.buildx, self.buildx_version, session.fleet, self.cancellation, self.staging,
                self.view, session.clock, session.policies,
            )
        )  # fmt: skip

    def recorded(self, name: str, *, stage: str | None = None, cached: bool = False) -> str:
        """A command that says what buildx said in a recorded solve, of another stage or with all its RUNs cached."""
        out = []
        for line in (DATA / f"{name}.rawjson").read_bytes().splitlines():
            try:
                status = json.loads(line)
            except ValueError:
                out.append(line.decode())
                continue
            for vertex in status.get("vertexes") or ():
                vertex["name"] = vertex["name"].replace(f"[{name} ", f"[{stage or name} ")
                vertex["cached"] = vertex.get("cached", False) or (cached and " RUN " in vertex["name"])
            if cached:
                status.pop("logs", None)
            out.append(json.dumps(status))
        file = self.folder / f"{name}-{stage}-{cached}.said"
        file.write_text("".join(f"{line}\n" for line in out), encoding="utf-8")
        return f"cat {shlex.quote(str(file))} >&2"

    def left(self, stage: str, name: str, text: str) -> str:
        """A command that exports a file of a test or lint stage."""
        folder = shlex.quote(str(self.staging.report / "results" / stage))
        return f"mkdir -p {folder}; printf '%s' {shlex.quote(text)} >{folder}/{name}"


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterable[Ground]:
    """A working directory of its own, and nothing of the machine's docker."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    staging = Staging()
    made = Ground(tmp_path, staging)
    made.docker("exit 1")
    yield made
    staging.remove()


class Memory(Registry):
    """A registry in memory. `calls` are the writes in their order, `broken` what is raised at a reference.

    `after` is what happens when an image was joined or tagged: somebody else may be at work, too.
    """

    def __init__(self) -> None:
        super().__init__(Buildx({}), None)
        self.images: dict[str, Held] = {}
        self.bodies: dict[str, Top] = {}
        self.tags: dict[str, str] = {}
        self.broken: dict[str, EngineError] = {}
        self.calls: list[str] = []
        self.after: Callable[[], None] = lambda: None
        self.index = Top("sha256:" + "f" * 64)

    def top(self, reference: str) -> Top | None:
        if reference in self.broken:
            raise self.broken[reference]
        name, at, digest = reference.partition("@")
        digest = digest if at else self.tags.get(name, "")
        return self.bodies.get(digest, Top(digest)) if digest in self.images else None

    def held(self, reference: str) -> Held | None:
        top = self.top(reference)
        return self.images[top.digest] if top else None

    def tag(self, reference: str, tags: Iterable[str]) -> None:
        if reference in self.broken:
            raise self.broken[reference]
        name, _, digest = reference.partition("@")
        for tag in tags:
            self.tags[f"{name}:{tag}"] = digest
            self.calls.append(f"tag {name}:{tag}")
        self.after()

    def joined(self, sources: Sequence[str], annotations: Sequence[str] = ()) -> Top:
        return self.index if len(sources) > 1 or annotations else Top(sources[0].partition("@")[2])

    def join(self, reference: str, sources: Sequence[str], annotations: Sequence[str] = ()) -> None:
        digest = reference.partition("@")[2]
        parts = [self.images[source.partition("@")[2]] for source in sources]
        self.images[digest] = Held(digest, tuple(manifest for part in parts for manifest in part.manifests))
        self.calls.append(f"join {reference.partition('@')[0]}")
        self.after()


@pytest.fixture
def registry() -> Memory:
    return Memory()
