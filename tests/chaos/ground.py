"""Where the tests of faults run: a project, a builder, and an eye on everything that bears their names."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from tests.e2e import support
from tests.e2e.support import Run, Started

PATIENCE = 20.0  # seconds that what is still going gets to go
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """A session's environment, in which buildx knows the session's builders only, and a builder that stays."""

    environment: dict[str, str]
    builder: str

    @property
    def container(self) -> str:
        """The builder's container."""
        return f"buildx_buildkit_{self.builder}0"

    def docker(self, *words: str) -> str:
        """What docker prints."""
        done = subprocess.run(
            ["docker", *words], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def steps(self) -> str:
        """The steps that the builder executes now; "" for none."""
        return self.docker("exec", self.container, "buildkit-runc", "list", "--quiet").strip()


@dataclass
class Ground:
    """One test's project and temporary folder; `builders` are names that runs had builders by."""

    world: World
    project: Path
    note: Callable[[str, object], None]
    builders: set[str] = field(default_factory=set)

    @property
    def temporary(self) -> Path:
        """TMPDIR of its runs."""
        return self.project.parent / "t"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its runs."""
        return {**self.world.environment, "TMPDIR": str(self.temporary)}

    @property
    def shared(self) -> tuple[str, str]:
        """The words that name the session's builder."""
        return ("--builder", self.world.builder)

    def write(self, dockerfile: str, **files: str) -> None:
        """The project's files. `{now}` in the Dockerfile is the time, so that nothing comes from the cache."""
        (self.project / "Dockerfile").write_text(dockerfile.replace("{now}", str(time.time_ns())))
        for name, text in files.items():
            (self.project / name).write_text(text)

    def start(self, *words: str, report: str = "report", environment: Mapping[str, str] | None = None) -> Started:
        """Start a run on the session's builder, or on the one that `words` name."""
        chosen = () if {"--builder", "--driver"} & {*words} else self.shared
        return support.start(self.project, {**self.environment, **(environment or {})}, *chosen, *words, report=report)

    def run(self, *words: str, seconds: float = 180, environment: Mapping[str, str] | None = None) -> Run:
        """Run to the end."""
        return self.start(*words, environment=environment).finish(seconds)

    def fault(self, run: Run, code: int, *said: str, lost: str = "nothing") -> None:
        """The run ended as it must: the line of the table of faults. `lost` is what could not be had."""
        assert run.code == code, run.output
        assert "Traceback" not in run.output, run.output
        for text in said:
            assert text in run.output, run.output
        if (run.folder / "run.json").exists():
            assert run.record["exit_code"] == code
        self.note("code", code)
        self.note("lost", lost)

    def made(self) -> set[str]:
        """The builders that its runs have made and not removed."""
        folder = Path(self.environment["BUILDX_CONFIG"], "instances")
        return {path.name for path in folder.iterdir()} - {self.world.builder}

    def left(self) -> list[str]:
        """What there is that its runs made and did not take away."""
        names = self.builders | self.made()
        found = [f"builder {name}" for name in self.made()]
        for kind, words in (
            ("container", ("ps", "--all", "--format", "{{.Names}}")),
            ("volume", ("volume", "ls", "-q")),
        ):
            lines = self.world.docker(*words).split() if names else []
            found += [f"{kind} {line}" for line in lines if any(name in line for name in names)]
        found += [f"file {path}" for path in self.temporary.iterdir()]
        found += [f"process {process.pid} {process.name()}" for process in self._processes()]
        found += [f"step {line}" for line in self.world.steps().split()]
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        return found + [f"mount {place}" for place in mounts if place.startswith(str(self.project.parent))]

    def _processes(self) -> list[psutil.Process]:
        mark = self.environment["BUILDX_CONFIG"]
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("BUILDX_CONFIG") == mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(scope="session")
def world(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The session's environment and builder."""
    name = f"chaos-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    made = World({**environment, "BUILDX_CONFIG": str(tmp_path_factory.mktemp("buildx"))}, name)
    support.command(["builder", "create", name], made.environment, check=True)
    yield made
    support.command(["builder", "rm", name], made.environment, check=True)
    assert made.container not in made.docker("ps", "--all", "--format", "{{.Names}}").split()
    assert f"{made.container}_state" not in made.docker("volume", "ls", "-q").split()


@pytest.fixture
def ground(world: World, tmp_path: Path, record_property: Callable[[str, object], None]) -> Iterator[Ground]:
    """A test's ground, on which nothing is left behind."""
    made = Ground(world, tmp_path / "project", record_property)
    made.project.mkdir()
    made.temporary.mkdir()
    yield made
    eventually(lambda: not made.left())
    left = made.left()
    record_property("left", ", ".join(left) or "nothing")
    for name in made.made():  # which the next test would find
        world.docker("buildx", "rm", "--force", name)
    assert left == []


def eventually(holds: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What `holds` returns once that is true; what it returns at last where it never is."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def running(started: Started, *words: str) -> list[psutil.Process]:
    """The processes that a run has started and whose command has all of these words."""
    try:
        return [one for one in started.children() if {*words} <= {*one.cmdline()}]
    except psutil.Error:  # one ended meanwhile
        return []
