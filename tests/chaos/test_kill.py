"""kill -9 at seeded moments: of ci-buildkit itself, of docker's processes, of buildkitd, of dockerd.

Whatever is killed, whenever: a run never ends green without everything that a green run makes, what was produced before is in
the report, the next run is as if nothing had been, and nothing of either is left on the machine.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from tests.chaos.conftest import STAGES
from tests.chaos.machine import Machine
from tests.e2e import support
from tests.e2e.support import Run, Started

MOMENTS = int(os.environ.get("CHAOS_MOMENTS", "20"))
LONGEST = 6.0  # seconds that a whole run takes, and a little more
SEED = 20260102
ALLOWED = {0, 3, 4, 5}  # green only where the run was over; never 1: no test failed and the linter found nothing severe
RESTARTED = 60


def moments(name: str) -> Iterator[tuple[int, float]]:
    """Seeded moments in seconds after a run's start, spread over the whole of it."""
    draw = random.Random(f"{SEED}-{name}")
    for number in range(MOMENTS):
        yield number, (number + draw.random()) * LONGEST / MOMENTS


def whole(run: Run) -> None:
    """What a green run has made."""
    record = run.record
    assert {stage["name"]: stage["outcome"] for stage in record["stages"]} == dict.fromkeys(STAGES, "passed")
    assert record["tests"]["totals"]["passed"] == 6
    assert [Path(one["path"]).name for one in record["binaries"]] == ["tool"]
    assert (run.folder / record["binaries"][0]["archive"]).is_file()
    assert len(record["findings"]) == 1
    assert record["images"][0]["digest"]


def kept(run: Run) -> None:
    """What ended before the fault is in the report, whatever became of the rest."""
    record = run.record
    assert record["exit_code"] == run.code
    assert record["outcome"] != "passed"
    outcomes = {stage["name"]: stage["outcome"] for stage in record["stages"]}
    if outcomes.get("test-results") == "passed":
        assert record["tests"]["totals"]["passed"] == 6
    if outcomes.get("lint") == "passed":
        assert len(record["findings"]) == 1
    for stage in record["stages"]:
        assert stage["outcome"] == "passed" or stage["reason"], stage
    assert (run.folder / "report.html").is_file()
    assert (run.folder / "junit.xml").is_file()


def begin(project: Path, environment: dict[str, str], builder: str, number: int) -> Started:
    """A run that finds none of its steps in the cache."""
    return support.start(
        project, environment, "--builder", builder, "--build-arg", f"MOMENT={time.time_ns()}", report=f"report-{number}"
    )


def hit(
    project: Path, environment: dict[str, str], builder: str, name: str, kill: Callable[[Started], bool]
) -> list[str]:
    """Run once for every moment and kill then; how each run ended, a line for each."""
    ends = []
    for number, moment in moments(name):
        started = begin(project, environment, builder, number)
        time.sleep(moment)
        killed = kill(started)
        run = started.finish(90)
        assert run.code in ALLOWED, run.output
        if run.code == 0:
            whole(run)
        elif (run.folder / "run.json").exists():
            kept(run)
        else:  # before there was anything to report
            assert "error: " in run.output, run.output
        ends.append(f"{moment:.2f} s: {'killed' if killed else 'was over'}, exit {run.code}")
    return ends


def afterwards(project: Path, environment: dict[str, str], builder: str) -> None:
    """The next run is green and whole."""
    run = begin(project, environment, builder, 99).finish(90)
    assert run.code == 0, run.output
    whole(run)


def test_ci_buildkit(project: Path, alone: dict[str, str], builder: str, before: Machine) -> None:
    """Nobody is left to write a report or to clean up: the next run does the latter."""
    for number, moment in moments("ci-buildkit"):
        started = begin(project, alone, builder, number)
        time.sleep(moment)
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGKILL)
        run = started.finish(30)
        if run.code == 0:
            whole(run)
        else:
            assert run.code == -signal.SIGKILL
            # A report is there as a whole, or not at all.
            assert not run.folder.exists() or (run.folder / "report.html").is_file()
    afterwards(project, alone, builder)
    assert support.command(["builder", "rm", builder], alone).returncode == 0
    assert before.left(alone) == []


def test_without_a_builder_of_its_own(project: Path, alone: dict[str, str], before: Machine) -> None:
    """The builders that killed runs made are removed by the next."""
    for number, moment in list(moments("builder"))[:: max(1, MOMENTS // 5)]:
        started = support.start(project, alone, "--build-arg", f"MOMENT={time.time_ns()}", report=f"own-{number}")
        time.sleep(moment)
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGKILL)
        started.finish(30)
    run = support.run(project, alone, report="last")
    assert run.code == 0, run.output
    assert before.left(alone) == []


def test_docker(project: Path, alone: dict[str, str], builder: str, before: Machine) -> None:
    """One of the docker processes of a run."""
    draw = random.Random(SEED)

    def kill(started: Started) -> bool:
        with suppress(psutil.Error):
            running = [one for one in started.children() if "buildx" in " ".join(one.cmdline())]
            if running:
                draw.choice(running).kill()
                return True
        return False

    ends = hit(project, alone, builder, "docker", kill)
    assert sum("killed" in end for end in ends) >= MOMENTS // 3, ends
    afterwards(project, alone, builder)
    assert support.command(["builder", "rm", builder], alone).returncode == 0
    assert before.left(alone) == []


def test_buildkitd(project: Path, alone: dict[str, str], builder: str, before: Machine) -> None:
    """The builder's daemon; buildx starts the container again for whoever asks next."""

    def kill(started: Started) -> bool:
        words = ["docker", "kill", "--signal", "KILL", f"buildx_buildkit_{builder}0"]
        return subprocess.run(words, env=alone, capture_output=True, check=False).returncode == 0

    ends = hit(project, alone, builder, "buildkitd", kill)
    assert any("exit 4" in end for end in ends), ends
    afterwards(project, alone, builder)
    assert support.command(["builder", "rm", builder], alone).returncode == 0
    assert before.left(alone) == []


def test_dockerd(project: Path, alone: dict[str, str], builder: str, before: Machine) -> None:
    """The engine itself, which is started anew after each run, without the containers of the one before."""
    ends = []
    for number, moment in moments("dockerd"):
        started = begin(project, alone, builder, number)
        time.sleep(moment)
        daemon(alone).kill()
        run = started.finish(120)
        assert run.code in ALLOWED, run.output
        if run.code == 0:
            whole(run)
        elif (run.folder / "run.json").exists():
            kept(run)
        ends.append(f"{moment:.2f} s: exit {run.code}")
        subprocess.run(
            [sys.executable, "lab/lab.py", "up"], cwd=support.ROOT, check=True, timeout=RESTARTED, capture_output=True
        )
    assert any("exit 4" in end for end in ends), ends
    afterwards(project, alone, builder)
    assert support.command(["builder", "rm", builder], alone).returncode == 0
    assert before.left(alone) == []


def daemon(environment: Mapping[str, str]) -> psutil.Process:
    """The engine that listens on the socket of `environment`; there may be others on the machine."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(environment["DOCKER_HOST"].removeprefix("unix://"))
        process, _, _ = struct.unpack(
            "3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        )
    return psutil.Process(process)
