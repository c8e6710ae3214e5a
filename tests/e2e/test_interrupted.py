"""A run cleans up after itself: at its end, when it is interrupted in any phase, and after one that was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.e2e import support
from tests.e2e.support import Started

SLEEPING = "FROM alpine AS lint\nRUN echo fine\nFROM alpine AS binaries\nRUN echo asleep; sleep 120\n"


def docker(environment: dict[str, str], *words: str) -> list[str]:
    """The lines that docker prints."""
    done = subprocess.run(["docker", *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def left_of(environment: dict[str, str], name: str) -> list[str]:
    """What Docker still has of a builder: containers and volumes by name."""
    containers = docker(environment, "ps", "--all", "--format", "{{.Names}}")
    volumes = docker(environment, "volume", "ls", "--format", "{{.Name}}")
    return [found for found in (*containers, *volumes) if name in found]


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def alone(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which buildx knows the builders of this test only."""
    return {**environment, "BUILDX_CONFIG": str(tmp_path / "buildx")}


def builders(alone: dict[str, str]) -> list[str]:
    """The builders that this test's runs have made and not removed."""
    folder = Path(alone["BUILDX_CONFIG"], "instances")
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def own_builder(alone: dict[str, str], seconds: float = 30) -> str:
    """The name of the builder that a run makes, as soon as buildx knows it."""
    assert eventually(lambda: bool(builders(alone)), seconds)
    [name] = builders(alone)
    return name


def test_the_builder_is_removed_at_the_end(project: Path, alone: dict[str, str]) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN exit 1\n")
    run = support.run(project, alone)
    assert run.code == 1, run.output
    made = run.record["builder"]
    assert made["created"]
    assert made["name"].startswith("ci-buildkit-")
    assert left_of(alone, made["name"]) == []
    assert builders(alone) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_preparing(number: signal.Signals, project: Path, alone: dict[str, str]) -> None:
    (project / "Dockerfile").write_text(SLEEPING)
    started = support.start(project, alone)
    name = own_builder(alone)
    began = time.monotonic()
    started.interrupt(number)
    run = started.finish(60)
    assert run.code == 130, run.output
    assert time.monotonic() - began < 30
    assert left_of(alone, name) == []
    assert builders(alone) == []
    assert "asleep" not in run.output
    if (run.folder / "run.json").exists():
        assert run.record["outcome"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_building(number: signal.Signals, project: Path, alone: dict[str, str]) -> None:
    (project / "Dockerfile").write_text(SLEEPING)
    started = support.start(project, alone)
    started.wait_for("asleep")
    started.wait_for("lint passed")
    name = own_builder(alone)
    children = started.children()
    assert children
    began = time.monotonic()
    started.interrupt(number)
    run = started.finish(60)
    assert time.monotonic() - began < 30
    assert run.code == 130, run.output
    assert (run.record["outcome"], run.record["exit_code"]) == ("cancelled", 130)
    assert {stage["name"]: stage["outcome"] for stage in run.record["stages"]} == {
        "lint": "passed",
        "binaries": "cancelled",
    }
    assert "asleep" in run.log("binaries")
    for name_of_file in ("junit.xml", "summary.md", "findings.sarif", "report.html", "bake.json"):
        assert (run.folder / name_of_file).stat().st_size
    assert left_of(alone, name) == []
    assert builders(alone) == []
    assert not any(child.is_running() for child in children)


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """A registry that takes connections and never says a word: HOST:PORT."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def hold() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:  # closed at the end
                return

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for connection in held:
            connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("flag", "doing"), [("--push", "looking for"), ("--push-by-digest", "pushing")])
def test_interrupted_while_pushing(
    number: signal.Signals, flag: str, doing: str, project: Path, alone: dict[str, str], silent_registry: str
) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN echo fine\nFROM alpine AS app\nCMD true\n")
    started = support.start(project, alone, "--image", f"{silent_registry}/app", flag)
    started.wait_for(doing)
    name = own_builder(alone)
    time.sleep(1)
    began = time.monotonic()
    started.interrupt(number)
    run = started.finish(60)
    assert time.monotonic() - began < 30
    assert run.code == 130, run.output
    assert run.record["outcome"] == "cancelled"
    assert {stage["outcome"] for stage in run.record["stages"]} == {"passed"}
    assert [image["pushed"] for image in run.record["images"]] == [False]
    assert left_of(alone, name) == []
    assert builders(alone) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_joining(number: signal.Signals, alone: dict[str, str], silent_registry: str) -> None:
    words = ["merge", "--image", f"{silent_registry}/app", "--tag", "1", f"sha256:{'a' * 64}"]
    command = [sys.executable, "-m", "ci_buildkit", *words]
    with subprocess.Popen(command, env=alone, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        running = psutil.Process(process.pid)
        assert eventually(lambda: any("imagetools" in child.cmdline() for child in running.children()), 30)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "error: interrupted" in said


@pytest.mark.parametrize("doing", ["logging in", "making a builder"])
def test_a_plan_that_is_terminated_leaves_nothing(
    doing: str, project: Path, alone: dict[str, str], silent_registry: str, tmp_path: Path
) -> None:
    (project / "Dockerfile").write_text(SLEEPING)
    folder = tmp_path / "tmp"
    folder.mkdir()
    login = f"registry={silent_registry},username=me,password-env=PASSWORD"
    words = ["--login", login] if doing == "logging in" else []
    given = {**alone, "TMPDIR": str(folder), "PASSWORD": "canary"}
    with subprocess.Popen([sys.executable, "-m", "ci_buildkit", "plan", *words], cwd=project, env=given) as process:
        begun = Path(alone["BUILDX_CONFIG"], "instances").is_dir if not words else lambda: any(folder.iterdir())
        assert eventually(begun, 30)
        time.sleep(0.3)
        process.terminate()
        assert process.wait(30) == 130
    assert list(folder.iterdir()) == []
    assert builders(alone) == []
    assert owned(alone, process.pid) == []


def owned(environment: dict[str, str], pid: int) -> list[str]:
    """The builders' containers that say that this process made them."""
    form = "{{.Name}}{{range .Config.Env}} {{.}}{{end}}"
    names = docker(environment, "ps", "--all", "--quiet", "--filter", "name=buildx_buildkit_ci-buildkit-")
    lines = subprocess.run(
        ["docker", "inspect", "--format", form, *names], env=environment, capture_output=True, text=True, check=False
    )
    mark = " CI_BUILDKIT_OWNER="
    return [
        line.split()[0].lstrip("/")
        for line in lines.stdout.splitlines()
        if mark in line and line.split(mark)[1].split(":")[1] == str(pid)
    ]


@pytest.fixture
def killed(project: Path, environment: dict[str, str]) -> Iterator[tuple[Started, str, list[psutil.Process]]]:
    """A run that was killed in the middle of a build, its builder's container, and the processes it left."""
    (project / "Dockerfile").write_text(SLEEPING)
    started = support.start(project, environment, report="killed")
    started.wait_for("asleep")
    [container] = owned(environment, started.pid)
    children = started.children()
    os.kill(started.pid, signal.SIGKILL)
    started.finish(20)
    yield started, container, children
    for process in children:
        if process.is_running():
            process.kill()
    for kind, name in (("container", container), ("volume", f"{container}_state")):
        subprocess.run(["docker", kind, "rm", "--force", name], env=environment, capture_output=True, check=False)


def test_leftovers_of_a_dead_run_are_swept(
    killed: tuple[Started, str, list[psutil.Process]], project: Path, environment: dict[str, str]
) -> None:
    started, container, children = killed
    name = container.removeprefix("buildx_buildkit_").removesuffix("0")
    assert not (started.folder / "run.json").exists()
    assert left_of(environment, name)  # nobody was there to remove it
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN sleep 3\n")
    run = support.run(project, environment, "lint")
    assert run.code == 0, run.output
    assert eventually(lambda: left_of(environment, name) == [], 10)
    assert name not in docker(environment, "buildx", "ls", "--format", "{{.Name}}")
    assert eventually(lambda: not any(process.is_running() for process in children), 10)


def test_a_living_runs_builder_is_not_swept(project: Path, environment: dict[str, str]) -> None:
    (project / "Dockerfile").write_text(SLEEPING)
    started = support.start(project, environment)
    started.wait_for("asleep")
    try:
        [container] = owned(environment, started.pid)
        done = support.command(["builder", "sweep"], environment, check=True)
        assert container.removeprefix("buildx_buildkit_").removesuffix("0") not in done.stdout
        assert owned(environment, started.pid) == [container]
    finally:
        started.interrupt(signal.SIGTERM)
        assert started.finish(60).code == 130
    assert left_of(environment, container) == []
